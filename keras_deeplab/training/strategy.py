"""Training on several devices and machines, by `tf.distribute`."""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

import keras

from keras_deeplab.layers import arguments
from keras_deeplab.training.cluster import read_cluster
from keras_deeplab.training.replicas import Replicas


def make_strategy(
    name: str = "none",
    *,
    devices: Sequence[str] | None = None,
    tpu: str | None = None,
) -> Replicas:
    """Makes the context in which a model is made and compiled, to train on replicas.

    - `"none"`: one replica, on any backend.
    - `"mirrored"`: one on each device of this machine.
    - `"multiworker"`: one on each GPU, or one on the CPU, of every worker that the
      environment variable `TF_CONFIG` names. Run the same script on each.
    - `"tpu"`: one on each core of a TPU. Made after TensorFlow's documentation; never
      tried on one.

    `compile` and `fit` are the ordinary ones; call `fit`, `evaluate` and what writes
    files after the `with` block.

    Each batch of the dataset is the global one, which the replicas share evenly. Batch
    norms are synchronized, frozen ones stay so, and losses, gradients and metrics are
    of all replicas, so that the weights become those of one replica that does it all,
    but for what dropout drops.
    Give `fit` a `tf.data.Dataset` that is the same on every worker: with `repeat` and
    `steps_per_epoch` in the case of `keras_deeplab.data.make_dataset`. A last batch may
    be smaller in `evaluate`; on CPUs it must hold an image for each replica, since what
    oneDNN computes may not be empty (`TF_ENABLE_ONEDNN_OPTS=0` does without it).

    With several workers:

    - Make the strategy first: TensorFlow connects the workers before it does anything
      else, and waits for those that are missing.
    - The initial weights are the chief's. Weights that are loaded are each worker's
      own: load the same file on all.
    - Every worker must do the same steps. Files are written by the chief alone; see
      `Replicas.on_chief`.
    - Where one dies, `fit` raises `tf.errors.UnavailableError`, or a kin of it, on the
      others. Start all of them again, from what the chief saved last.

    Args:
        name: `"none"`, `"mirrored"`, `"multiworker"` or `"tpu"`.
        devices: Devices for `"mirrored"`, such as `"GPU:0"`; `None` for all GPUs, or
            the CPU if there are none.
        tpu: Name or address of the TPU for `"tpu"`; `None` for the one that the
            environment names.

    Raises:
        ValueError: If `name` or a device is unknown, an argument is not for this
            strategy, the backend is not TensorFlow, `TF_CONFIG` is wrong, or there is
            no TPU.
        RuntimeError: If several workers are wanted after TensorFlow began its work, or
            other devices than those of an earlier strategy of this process.

    Examples:
        >>> with keras_deeplab.training.make_strategy("none") as replicas:
        ...     model = keras_deeplab.LRASPP("mobilenet_v3_small", classes=3)
        >>> replicas.share(batch_size=16)
        16
    """
    arguments.check_choice(STRATEGIES, name=name)
    given = {"devices": devices, "tpu": tpu}
    options = {key: value for key, value in given.items() if value is not None}
    _check_options(name, options)
    if name != "none" and keras.backend.backend() != "tensorflow":
        raise ValueError(
            "`name` can be other than 'none' with the TensorFlow backend only. "
            f"Received: {name=}, with the backend {keras.backend.backend()!r}"
        )
    return STRATEGIES[name](**options)


def _check_options(name: str, options: dict[str, Any]) -> None:
    for option in options:
        if option != _OPTION_OF.get(name):
            raise ValueError(
                f"`{option}` must be `None` for the strategy {name!r}. "
                f"Received: {option}={options[option]!r}"
            )


def _mirrored(devices: Sequence[str] | None = None) -> Replicas:
    from keras_deeplab.training.keras_strategies import mirrored

    return Replicas(mirrored(_found_devices(devices)))


def _found_devices(devices: Sequence[str] | None) -> Sequence[str]:
    import tensorflow as tf

    found = [
        device.name.removeprefix("/device:")
        for device in tf.config.list_logical_devices()
    ]
    if devices is None:
        return [name for name in found if name.startswith("GPU")] or ["CPU:0"]
    if not devices or set(devices) - set(found) or len(set(devices)) < len(devices):
        raise ValueError(
            f"`devices` must be different ones of {found}. Received: {devices=}"
        )
    return devices


def _multi_worker() -> Replicas:
    from keras_deeplab.training.keras_strategies import MultiWorkerMirrored

    cluster = read_cluster()
    try:
        strategy = MultiWorkerMirrored()
    except RuntimeError as error:
        raise RuntimeError(
            "`make_strategy('multiworker')` must come before anything that TensorFlow "
            f"computes or asks of a device ({error})"
        ) from error
    return Replicas(strategy, cluster)


def _tpu(tpu: str | None = None) -> Replicas:
    import tensorflow as tf

    from keras_deeplab.training.keras_strategies import TPU

    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu or "")
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(
            f"`tpu` must name a TPU that can be reached: {error}. Received: {tpu=}"
        ) from error
    return Replicas(TPU(resolver))


#: The strategies by name.
STRATEGIES: MappingProxyType[str, Callable[..., Replicas]] = MappingProxyType(
    {
        "none": Replicas,
        "mirrored": _mirrored,
        "multiworker": _multi_worker,
        "tpu": _tpu,
    }
)
_OPTION_OF = MappingProxyType({"mirrored": "devices", "tpu": "tpu"})
