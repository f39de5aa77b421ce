import importlib
import pathlib
import subprocess
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab.layers import AtrousConv, AtrousDepthwiseConv


@pytest.mark.parametrize(
    ("name", "size", "sides"),
    [
        ("keras_deeplab", "513x513", [513, 513]),
        ("keras_deeplab", "360x480", [360, 480]),
        ("KerasHub", "513x513", [512, 512]),
        ("KerasHub", "360x480", [384, 480]),
        ("smp", "360x480", [368, 480]),
    ],
)
def test_sides_when_a_library_takes_multiples_are_the_nearest(
    name: str, size: str, sides: list[int]
) -> None:
    contestants = importlib.import_module("contestants").CONTESTANTS
    assert contestants[name].sides(size) == sides


OURS = {
    "multiply_adds": 10e9,
    "parameters": 2e6,
    "size": [9, 9],
    "infer": [1.0, 1.0, 1.0],
    "train": [4.0, 4.0, 4.0],
    "peak_bytes": 1e9,
    "threads": 2,
    "versions": {"keras": "3"},
}
PEER = {
    **OURS,
    "multiply_adds": 20e9,
    "infer": [3.0, 2.0, 3.1],
    "train": [2.0, 2.0, 2.0],
    "versions": {"torch": "2"},
}


def test_print_results_when_a_peer_does_more_also_divides_by_its_work(capsys) -> None:
    found = {"keras_deeplab": OURS, "smp": PEER, "KerasHub": {"error": "no wheel"}}
    importlib.import_module("peers").print_results({"resnet50, 9x9": found})
    said = capsys.readouterr().out
    assert "| keras_deeplab | 9 x 9 | 16 | 2.00 | 10.0 | 1.00 | 1.00 | 1.00" in said
    assert "| 20.0 | 3.00 (±18%) | 1.50 | 0.50 | 0.25 |" in said
    assert "KerasHub fails: no wheel" in said
    assert "keras 3, torch 2" in said


class Flaky:
    """A worker that fails at the first of some calls, or answers 2."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails

    def __enter__(self) -> "Flaky":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, call: str, **_: object) -> dict[str, object]:
        if call == self.fails:
            raise importlib.import_module("process").WorkerError("out of memory")
        facts = {"multiply_adds": 1, "parameters": 1}
        return {"result": facts, "seconds": 2, "peak_bytes": 2}


def measured(monkeypatch, fails: dict[str, str]) -> dict[str, dict[str, object]]:
    peers = importlib.import_module("peers")
    names = {peers.CONTESTANTS[name].worker: call for name, call in fails.items()}
    monkeypatch.setattr(peers, "REST_SECONDS", 0)
    monkeypatch.setattr(peers, "prepare", lambda *_: {"size": [9, 9]})
    monkeypatch.setattr(peers, "start", lambda each, *_: Flaky(names.get(each.worker)))
    given = types.SimpleNamespace(threads=2, environments=None, rounds=3)
    return peers.measure("resnet50", "9x9", ["keras_deeplab", "smp"], given)


@pytest.mark.parametrize("call", ["infer", "train"])
def test_measure_when_a_peer_fails_in_a_round_goes_on(monkeypatch, call: str) -> None:
    found = measured(monkeypatch, {"smp": call})
    assert found["smp"]["error"] == f"{call}: out of memory"
    assert found["keras_deeplab"]["train"] == (2, 2, 2)
    assert found["keras_deeplab"]["peak_bytes"] == 2


def test_measure_when_ours_fails_ends_and_says_so(monkeypatch) -> None:
    with pytest.raises(SystemExit, match="keras_deeplab, resnet50, 9x9: train: out of"):
        measured(monkeypatch, {"keras_deeplab": "train"})


def test_bars_when_a_peer_failed_leave_it_out() -> None:
    found = {"keras_deeplab": OURS, "smp": PEER, "KerasHub": {"error": "no wheel"}}
    first, second = importlib.import_module("peers").bars({"resnet50": found})
    assert first.title == "inference, resnet50"
    assert first.values == {"keras_deeplab": (1, 1), "smp": (3, 1.5)}
    assert second.values["smp"] == (0.5, 0.25)


@pytest.mark.parametrize("form", ["Keras", "ours"])
def test_count_when_convolutions_are_atrous_counts_their_outputs(form: str) -> None:
    count = importlib.import_module("multiply_adds").count
    layers = {
        "Keras": [
            keras.layers.Conv2D(5, 3, strides=2, padding="same"),
            keras.layers.Conv2D(4, 3, dilation_rate=3, padding="same"),
            keras.layers.DepthwiseConv2D(3, dilation_rate=2, padding="same"),
        ],
        "ours": [
            AtrousConv(5, 3, strides=2),
            AtrousConv(4, 3, rate=3),
            AtrousDepthwiseConv(3, rate=2),
        ],
    }
    model = keras.Sequential([keras.Input((19, 17, 3)), *layers[form]])
    pixels = 10 * 9
    expected = pixels * 9 * (3 * 5 + 5 * 4 + 4)
    assert count(model, (1, 19, 17, 3)) == expected
    assert count(lambda x: tf.reduce_sum(model(x)), (2, 19, 17, 3)) == 2 * expected


def test_count_when_a_convolution_is_for_nothing_leaves_it_out() -> None:
    count = importlib.import_module("multiply_adds").count
    used, unused = keras.layers.Conv2D(4, 1), keras.layers.Conv2D(9, 1)

    def run(x: tf.Tensor) -> tf.Tensor:
        unused(x)
        return used(x)

    assert count(run, (1, 5, 6, 3)) == 5 * 6 * 3 * 4


def test_environment_when_installed_once_is_not_again(monkeypatch, tmp_path) -> None:
    environments = importlib.import_module("environments")
    environment = environments.Environment("peer", ("peer==1", "other==2"))
    commands = []

    def create(home: pathlib.Path, **_: object) -> None:
        home.mkdir(exist_ok=True)

    def run(words, **_: object) -> subprocess.CompletedProcess:
        commands.append(words)
        code = len(commands) == 1
        return subprocess.CompletedProcess(words, code, "", "a\nb\nc\nno wheel\n")

    monkeypatch.setattr(environments.venv, "create", create)
    monkeypatch.setattr(environments.subprocess, "run", run)
    with pytest.raises(OSError, match="peer cannot be installed: b c no wheel"):
        environment.python(tmp_path)
    for _ in range(2):
        assert environment.python(tmp_path) == tmp_path / "peer" / "bin" / "python"
    assert [words[-2:] for words in commands] == [["peer==1", "other==2"]] * 2


def test_loader_when_drained_gives_all_pairs_once(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("torch")
    image = importlib.import_module("PIL.Image")
    files = []
    for index in range(3):
        photo, mask = tmp_path / f"{index}.jpg", tmp_path / f"{index}.png"
        image.fromarray(np.full((20, 30, 3), 90, "uint8")).save(photo)
        image.fromarray(np.full((20, 30), 7, "uint8")).save(mask)
        files.append((str(photo), str(mask)))
    module = importlib.import_module("loader")
    loader = module.build(files, crop=33, batch=2, workers=0)
    assert loader.drain() == 3
    pixels, labels = module.Pairs(files, 33)[0]
    assert (pixels.shape, labels.shape) == ((3, 33, 33), (33, 33))
    known = labels.numpy() == 7
    assert set(np.unique(labels)) <= {7, 255}
    assert (abs(pixels.numpy().mean(0)[known] - 90) < 2).all()
    assert (pixels.numpy()[:, ~known] == 127).all()
