"""What a backbone is."""

from collections.abc import Mapping
from typing import Protocol

from keras_deeplab._types import Tensor

# Feature levels. `c2`, `c3` and `c4` are what a decoder reads at strides 4, 8 and 16
# (the official decoder endpoints, where there are any); `c5` ends the network. No
# level is coarser than the output stride.
#: Names of the feature levels, the finest first.
LEVELS = ("c2", "c3", "c4", "c5")


class BackboneSpec(Protocol):
    """A row of the backbone table: plain data, and how to build it."""

    @property
    def preprocessing(self) -> str:
        """Which row of `PREPROCESSINGS` its weights expect."""
        ...

    def features(self, inputs: Tensor, output_stride: int) -> Mapping[str, Tensor]:
        """Builds the layers and returns a feature map for each of `LEVELS`.

        Args:
            inputs: `(batch, height, width, 3)`, preprocessed.
            output_stride: Input pixels a feature of `c5`: 8, 16 or 32.

        Returns:
            Feature maps by level.
        """
        ...
