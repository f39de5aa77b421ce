"""How closely `DenseCRF` follows the exact answer, and at what cost."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

# Of the colour kernel, in steps of 0 to 255: for a narrower one a palette has to have
# more colours, up to so many times more.
_COMMON_WIDTH = 5.0
_MOST_PALETTES = 1.6


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRFAccuracy:
    """What the approximation may spend.

    Args:
        palette: Colours through which a photo's colours are compared; more where the
            width of the colour kernel is small, see `colors`.
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
    tile: int = 24
    tile_share: float = 0.5
    rank: float
    stride: int
    last_strides: tuple[int, ...]

    def colors(self, theta_beta: float) -> int:
        """Returns the colours of the palette for a width of the colour kernel."""
        factor = min(max(_COMMON_WIDTH / theta_beta, 1.0), _MOST_PALETTES)
        return round(self.palette * factor)

    def strides(self, iterations: int) -> tuple[int, ...]:
        """Returns the distance between the pixels that each step reads."""
        last = self.last_strides[max(len(self.last_strides) - iterations, 0) :]
        return (self.stride,) * (iterations - len(last)) + last


#: How near the exact answer, by name: `accuracy` of `DenseCRF`.
CRF_ACCURACIES: Mapping[str, CRFAccuracy] = MappingProxyType(
    {
        "finest": CRFAccuracy(
            palette=1040,
            palette_steps=4,
            snap=0.25,
            sample=129,
            tile=16,
            rank=1e-2,
            stride=2,
            last_strides=(1,),
        ),
        "accurate": CRFAccuracy(
            palette=256,
            palette_steps=3,
            snap=0.25,
            sample=97,
            rank=2e-2,
            stride=4,
            last_strides=(2, 2, 2),
        ),
        "mobile": CRFAccuracy(
            palette=104,
            palette_steps=2,
            snap=0.75,
            sample=65,
            rank=4e-2,
            stride=4,
            last_strides=(),
        ),
    }
)
