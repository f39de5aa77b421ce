"""How samples are put together to batches."""

from keras_deeplab.data.samples import Samples
from keras_deeplab.layers import arguments


class Batching:
    """How many samples make a batch, and whether all batches are full.

    Args:
        samples: The samples.
        batch_size: Samples a batch.
        drop_remainder: Whether the last batch is left out where it is smaller; `None`
            if samples are augmented and there is a full batch.

    Raises:
        ValueError: If `batch_size` is below 1, is above 1 where samples keep their
            own sizes, or leaves no batch.
    """

    def __init__(
        self, samples: Samples, batch_size: int, drop_remainder: bool | None
    ) -> None:
        self.batch_size = arguments.positive(batch_size=batch_size)
        full = len(samples) >= self.batch_size
        if drop_remainder is None:
            drop_remainder = samples.augment is not None and full
        self.drop_remainder = drop_remainder
        if samples.crop_size is None and self.batch_size > 1:
            raise ValueError(
                "`batch_size` must be 1 where `crop_size` is `None`: samples of their "
                f"own sizes do not stack. Received: batch_size={batch_size}"
            )
        if drop_remainder and not full:
            raise ValueError(
                f"`batch_size` must be at most the number of samples, {len(samples)}, "
                "where `drop_remainder` is set. "
                f"Received: batch_size={batch_size}"
            )

    def used(self, count: int) -> int:
        """Returns how many of so many samples are in a batch."""
        return count - count % self.batch_size if self.drop_remainder else count

    def batches(self, count: int) -> int:
        """Returns the number of batches of so many samples."""
        return -(-self.used(count) // self.batch_size)
