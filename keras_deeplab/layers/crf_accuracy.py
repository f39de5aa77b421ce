"""How closely `DenseCRF` follows the exact answer, and at what cost."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRFAccuracy:
    """What the approximation may spend.

    Args:
        palette: Colours through which a photo's colours are compared.
        palette_steps: Rounds of k-means that the palette takes.
        snap: How much of a pixel's distance to its nearest palette colour is
            forgotten. A colour far from all of them would else see no pixel at all.
        sample: Pixels across from which the palette is chosen.
        tile: Largest side of a tile, in pixels; a place is known by its tile.
        tile_share: Largest side of a tile as a share of `theta_alpha`.
        rank: Share of the first eigenvalue under which one of the place kernel is
            left out.
        stride: Distance of the pixels that the first steps are taken on.
        last_strides: Distances in the last steps.
    """

    palette: int
    palette_steps: int
    snap: float
    sample: int
    tile: int
    tile_share: float
    rank: float
    stride: int
    last_strides: tuple[int, ...]

    def strides(self, iterations: int) -> tuple[int, ...]:
        """Returns the distance between the pixels that each step reads."""
        last = self.last_strides[max(len(self.last_strides) - iterations, 0) :]
        return (self.stride,) * (iterations - len(last)) + last


CRF_ACCURACIES: Mapping[str, CRFAccuracy] = MappingProxyType(
    {
        "accurate": CRFAccuracy(
            palette=256,
            palette_steps=6,
            snap=0.5,
            sample=65,
            tile=16,
            tile_share=0.4,
            rank=1e-2,
            stride=4,
            last_strides=(2,),
        ),
        "mobile": CRFAccuracy(
            palette=64,
            palette_steps=3,
            snap=0.75,
            sample=65,
            tile=16,
            tile_share=0.4,
            rank=2e-2,
            stride=4,
            last_strides=(),
        ),
    }
)
