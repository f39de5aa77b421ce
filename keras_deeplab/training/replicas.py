"""The replicas of a model that train together."""

import contextlib
from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.training.cluster import Cluster


class Replicas(contextlib.AbstractContextManager["Replicas"]):
    """Where a model is trained; made by `make_strategy`, and used by `with`.

    Make, compile and load the model inside, and call `fit` and whatever writes files
    afterwards: saving makes variables, which inside is a step that all workers take
    together.

    Args:
        strategy: The `tf.distribute.Strategy`, or `None` for one replica.
        cluster: The workers, or `None` for this process alone.

    Attributes:
        strategy: As given.
        count: Number of replicas, at least 1, of all workers together.
        workers: Number of workers, at least 1.
        worker: Number of this worker, from 0.
        is_chief: Whether this is the worker that writes files: the first.
    """

    def __init__(self, strategy: Any = None, cluster: Cluster | None = None) -> None:
        self.strategy = strategy
        self.count: int = strategy.num_replicas_in_sync if strategy else 1
        self.workers = cluster.workers if cluster else 1
        self.worker = cluster.worker if cluster else 0
        self.is_chief = self.worker == 0
        self._scope = contextlib.ExitStack()
        self._inside = False

    def __enter__(self) -> Self:
        if self._inside:
            raise RuntimeError(
                "These replicas are entered already: call what enters them, such as "
                "`train`, outside of the `with` block."
            )
        if self.strategy is not None:
            self._scope.enter_context(self.strategy.scope())
        self._inside = True
        return self

    def __exit__(self, *error: object) -> None:
        self._inside = False
        self._scope.close()

    def share(self, batch_size: int) -> int:
        """Returns how many images of a batch each replica gets.

        Args:
            batch_size: Images of a batch, over all replicas.

        Raises:
            ValueError: If the replicas cannot share it evenly.
        """
        check_divisible(batch_size, self.count)
        return batch_size // self.count

    def agree(self, number: int) -> bool:
        """Returns whether all workers name the same number; a step they take together.

        Args:
            number: What this worker names, of at most 63 bits.
        """
        if self.workers == 1:
            return True
        import tensorflow as tf

        def gather() -> Tensor:
            mine = tf.constant([number], tf.int64)
            return tf.distribute.get_replica_context().all_gather(mine, axis=0)

        found = self.strategy.run(tf.function(gather))
        every = self.strategy.experimental_local_results(found)[0]
        return bool(np.all(every.numpy() == number))

    def is_lost_worker(self, error: Exception) -> bool:
        """Returns whether an error of `fit` means that another worker is gone.

        Args:
            error: What `fit` raised.
        """
        if self.workers == 1:
            return False
        import tensorflow as tf

        return isinstance(error, tf.errors.OpError)

    def on_chief(self, callbacks: Sequence[Any]) -> list[Any]:
        """Returns the callbacks on the chief, and none on the other workers.

        For callbacks that write files or to the screen, and only read the logs and the
        weights. One that calls `evaluate` or `predict`, reads a metric or may stop the
        training belongs on every worker, or those that do without it wait forever.

        Args:
            callbacks: Callbacks of `fit`.

        Raises:
            RuntimeError: If several workers train and the context is still entered.
        """
        if self.workers > 1 and self._inside:
            raise RuntimeError(
                "`on_chief` is for a `fit` that comes after the `with` block of the "
                "replicas. Inside, what the chief writes alone waits for the others."
            )
        return list(callbacks) if self.is_chief else []


def check_divisible(batch_size: int, replicas: int) -> None:
    """Raises `ValueError` where a batch is not the same size on each replica."""
    if batch_size % replicas:
        raise ValueError(
            "`batch_size` must be divisible by the number of replicas, which share "
            f"each batch. Received: batch_size={batch_size}, with {replicas} replicas"
        )


def share_of_images(value: Tensor, images: Tensor) -> Tensor:
    """The share of a sum over all replicas that belongs to a replica's images.

    Args:
        value: What this replica adds to the sum, float32.
        images: Number of images on this replica.

    Returns:
        The sum over the replicas, times the images here, over those of all; the value
        itself where no step of several replicas is computed.
    """
    if keras.backend.backend() != "tensorflow":
        return value
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    images = ops.cast(images, value.dtype)
    value, of_all = context.all_reduce(tf.distribute.ReduceOp.SUM, [value, images])
    return value * images / of_all
