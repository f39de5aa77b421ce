"""What `make_strategy` refuses, and what one worker knows of itself."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab.training import Replicas, keras_strategies, make_strategy
from keras_deeplab.training.cluster import Cluster, read_cluster

TWO = {"worker": ["a:1", "b:2"]}


def tf_config(cluster: object, role: str = "worker", index: object = 0) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": role, "index": index}})


@pytest.mark.parametrize(
    ("role", "index", "worker"), [("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)]
)
def test_cluster_with_a_chief_counts_it_first(
    role: str, index: int, worker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tf_config({"chief": ["c:0"], **TWO}, role, index)
    monkeypatch.setenv("TF_CONFIG", given)
    cluster = read_cluster()
    assert cluster == Cluster(("c:0", "a:1", "b:2"), worker)
    replicas = Replicas(None, cluster)
    assert (replicas.workers, replicas.worker) == (3, worker)
    assert replicas.is_chief == (worker == 0)
    assert len(replicas.on_chief([1, 2])) == (2 if worker == 0 else 0)
    with replicas, pytest.raises(RuntimeError, match="after the `with` block"):
        replicas.on_chief([])


@pytest.mark.parametrize(
    ("given", "mention"),
    [
        (None, "must be JSON"),
        ("{", "must be JSON"),
        ("[]", "an object 'cluster'"),
        ('{"cluster": {"worker": ["a:1"]}}', "an object 'task'"),
        (tf_config({"worker": "a:1"}), "list the addresses of the worker"),
        (tf_config({"worker": ["a"]}), "not 'a'"),
        (tf_config({"worker": [1]}), "not 1"),
        (tf_config({}), "at least one worker"),
        (tf_config({"chief": ["a:1", "b:2"]}, "chief"), "at most one chief"),
        (tf_config({**TWO, "ps": ["c:3"]}), r"not \['ps'\]"),
        (tf_config({"worker": ["a:1", "a:1"]}), "another address"),
        (tf_config(TWO, index=2), "a task that is in its cluster"),
        (tf_config(TWO, index="0"), "a task that is in its cluster"),
        (tf_config(TWO, role="evaluator"), "a task that is in its cluster"),
    ],
)
def test_cluster_that_is_wrong_is_refused_before_anything_waits(
    given: str | None, mention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if given is not None:
        monkeypatch.setenv("TF_CONFIG", given)
    with pytest.raises(ValueError, match=rf"`TF_CONFIG`.*{mention}.*Received: TF_CO"):
        make_strategy("multiworker")


@pytest.mark.parametrize(
    ("kwargs", "mention"),
    [
        ({"name": "horovod"}, "`name` must be one of 'none', 'mirrored'"),
        ({"name": "mirrored", "devices": ["GPU:7"]}, "`devices` must be.*'CPU:0'"),
        ({"name": "mirrored", "devices": ["CPU:0"] * 2}, "`devices` must be different"),
        ({"name": "mirrored", "devices": []}, "`devices` must be different"),
        ({"name": "none", "devices": ["CPU:0"]}, "`devices` must be `None`.*'none'"),
        ({"name": "mirrored", "tpu": "a"}, "`tpu` must be `None`"),
        ({"name": "tpu"}, "`tpu` must name a TPU.*tpu=None"),
    ],
)
def test_arguments_out_of_range_are_refused(
    kwargs: dict[str, object], mention: str
) -> None:
    with pytest.raises(ValueError, match=f"(?s){mention}"):
        make_strategy(**kwargs)


def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match=r"TensorFlow backend only.*'jax'"):
        make_strategy("mirrored")
    assert make_strategy("none").count == 1


def test_several_workers_after_tensorflow_began_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keras.ops.zeros(1)
    monkeypatch.setenv("TF_CONFIG", tf_config({"worker": ["127.0.0.1:1"]}))
    with pytest.raises(RuntimeError, match="must come before anything"):
        make_strategy("multiworker")


def test_other_devices_in_the_same_process_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strategy = make_strategy("mirrored", devices=["CPU:0"]).strategy
    assert make_strategy("mirrored").strategy is strategy
    monkeypatch.setattr(keras_strategies, "_made", {("CPU:0", "CPU:1"): strategy})
    with pytest.raises(
        RuntimeError, match=r"`devices`.*'CPU:0',\), after \('CPU:0', 'C"
    ):
        make_strategy("mirrored", devices=["CPU:0"])


def test_batch_that_replicas_cannot_share_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replicas = make_strategy("mirrored", devices=["CPU:0"])
    assert replicas.share(8) == 8
    replicas.count = 3
    mention = r"`batch_size`.*batch_size=8, with 3 replicas"
    with pytest.raises(ValueError, match=mention):
        replicas.share(8)
    monkeypatch.setattr(keras_strategies.Mirrored, "num_replicas_in_sync", 3)
    dataset = tf.data.Dataset.range(8).batch(8, drop_remainder=True)
    with pytest.raises(ValueError, match=mention):
        replicas.strategy.experimental_distribute_dataset(dataset)


def test_batch_norms_are_as_before_when_a_step_is_done() -> None:
    replicas = make_strategy("mirrored", devices=["CPU:0"])
    with replicas:
        inner = keras.Sequential([keras.layers.BatchNormalization()])
        model = keras.Sequential([inner, keras.layers.BatchNormalization()])
        model.compile("sgd", "mse")
    seen = []

    def loss(*_: object, **__: object) -> object:
        layers = (inner.layers[0], model.layers[1])
        seen.append([layer.synchronized for layer in layers])
        return sum(keras.ops.sum(weight) for weight in model.trainable_weights)

    model.compute_loss = loss
    model.fit(np.ones((2, 3)), np.ones((2, 3)), verbose=0)
    assert [True, True] in seen
    assert not inner.layers[0].synchronized
    assert not model.layers[1].synchronized
