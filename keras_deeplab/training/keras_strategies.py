"""What `fit` of Keras 3 needs from `tf.distribute`, in one place.

Each strategy here is that of TensorFlow with its own `run`, `reduce` and
`experimental_distribute_dataset`, which are public and which `fit` calls. Keras itself
is left as it is. What they mend, in Keras 3.12 to 3.15:

- A batch norm computes the statistics of its replica alone, and each replica keeps its
  own moving ones, of which only the first are saved. `run` has them synchronized while
  a model's step is traced; the model keeps its settings, so that its file still loads
  on the other backends.
- With several workers, `fit` asks for the mean of a whole batch, a tuple, when it only
  wants its shapes, and `reduce` takes no tuple (keras-team/keras#20585). It gets the
  worker's own part instead.
- With several workers, `fit` asks for the mean of each metric along the batch axis,
  which a single number lacks. `reduce` then takes the mean over the replicas.
- A dataset of generated samples cannot be divided among workers by files, and one of
  files should not: a worker would get other batches than it has alone. It is divided
  by samples, whatever its options say.
- A batch that does not divide evenly is spread over the replicas unevenly, and each
  counts the same. It is refused where its size is known.

A process has one `mirrored` strategy: the steps of a second one are taken for those of
the first, and wait for each other forever.

What is left is rounding: Keras computes a synchronized variance as E(x^2) - E(x)^2, in
float32. With the policy `float64` weights agree to 1e-11.

Metrics need nothing: their variables are summed over replicas and workers when read.
That is a step which all workers take together, so read them on all or on none.

Imported only when a strategy is made, because TensorFlow is heavy and may be missing.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_deeplab.training.batch_norm import batch_norms
from keras_deeplab.training.replicas import check_divisible


class _ForKeras:
    """Mixin of a strategy that Keras 3 trains with; put it first among the bases."""

    def run(
        self,
        fn: Callable[..., Any],
        args: Any = (),
        kwargs: Any = None,
        options: Any = None,
    ) -> Any:
        # The steps of `fit` and `evaluate` are methods of the model.
        with _synchronized(getattr(fn, "__self__", None)):
            return super().run(fn, args, kwargs, options)  # type: ignore[misc]

    def reduce(self, reduce_op: Any, value: Any, axis: int | None = None) -> Any:
        if isinstance(value, tuple | list | dict):
            return tf.nest.map_structure(self._first, value)
        if axis is not None and self._first(value).shape.rank == 0:
            axis = None
        return super().reduce(reduce_op, value, axis)  # type: ignore[misc]

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        replicas = self.num_replicas_in_sync  # type: ignore[attr-defined]
        for spec in tf.nest.flatten(dataset.element_spec):
            if spec.shape.rank and spec.shape[0] is not None:
                check_divisible(spec.shape[0], replicas)
        sharding = tf.data.Options()
        sharding.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.DATA
        )
        return super().experimental_distribute_dataset(  # type: ignore[misc]
            dataset.with_options(sharding), options
        )

    def _first(self, value: Any) -> Any:
        local = self.experimental_local_results(value)  # type: ignore[attr-defined]
        return local[0]


class Mirrored(_ForKeras, tf.distribute.MirroredStrategy):
    """Several devices of one machine."""


class MultiWorkerMirrored(_ForKeras, tf.distribute.MultiWorkerMirroredStrategy):
    """Several machines, or processes, that `TF_CONFIG` names."""


class TPU(_ForKeras, tf.distribute.TPUStrategy):
    """The cores of a TPU."""


_made: dict[tuple[str, ...], Mirrored] = {}


def mirrored(devices: Sequence[str]) -> Mirrored:
    """The strategy of this process; `RuntimeError` if it has other devices."""
    wanted = tuple(devices)
    if _made and wanted not in _made:
        raise RuntimeError(
            "`devices` must be the same in every strategy of a process; start another "
            f"process. Received: devices={wanted}, after {next(iter(_made))}"
        )
    if wanted not in _made:
        _made[wanted] = Mirrored(wanted)
    return _made[wanted]


@contextlib.contextmanager
def _synchronized(model: Any) -> Iterator[None]:
    """Has the batch norms of a model synchronized meanwhile."""
    layers = batch_norms(model) if isinstance(model, keras.Model) else []
    before = [layer.synchronized for layer in layers]
    try:
        for layer in layers:
            layer.synchronized = True
        yield
    finally:
        for layer, synchronized in zip(layers, before, strict=True):
            layer.synchronized = synchronized
