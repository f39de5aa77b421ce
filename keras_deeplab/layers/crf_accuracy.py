"""How closely `DenseCRF` follows the exact answer, and at what cost."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

# Of the colour kernel, in steps of 0 to 255: for a narrower one a palette has to have
# more colours.
_COMMON_WIDTH = 5.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRFAccuracy:
    """What the approximation may spend.

    Args:
        palette: Colours through which a photo's colours are compared.
        narrow_palette: The most of them, where the width of the colour kernel is small.
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
        most_steps: Steps that are taken, if more are asked for. Mean field comes near
            its rest in few, and each step that is approximated adds its own error.
        read_stride: Distance of the pixels that are told the last message through the
            palette; those between them learn it from the ones of their tile that are
            like them.
        groups: Groups of labels that are told apart, the last of all those that the
            photo has least of; else each label is one.
    """

    palette: int
    narrow_palette: int
    palette_steps: int
    snap: float
    sample: int
    tile: int = 24
    tile_share: float = 0.5
    rank: float
    stride: int
    last_strides: tuple[int, ...] = ()
    most_steps: int | None = None
    read_stride: int = 1
    groups: int | None = None

    def colors(self, theta_beta: float) -> int:
        """Returns the colours of the palette for a width of the colour kernel."""
        wanted = self.palette * max(_COMMON_WIDTH / theta_beta, 1.0) ** 2
        return min(round(wanted), self.narrow_palette)

    def strides(self, iterations: int) -> tuple[int, ...]:
        """Returns the distance between the pixels that each step reads."""
        steps = min(iterations, self.most_steps or iterations)
        last = self.last_strides[max(len(self.last_strides) - steps, 0) :]
        return (self.stride,) * (steps - len(last)) + last


#: How near the exact answer, by name: `accuracy` of `DenseCRF`.
CRF_ACCURACIES: Mapping[str, CRFAccuracy] = MappingProxyType(
    {
        "finest": CRFAccuracy(
            palette=1024,
            narrow_palette=2048,
            palette_steps=4,
            snap=0.25,
            sample=193,
            tile=16,
            rank=1e-2,
            stride=1,
        ),
        "accurate": CRFAccuracy(
            palette=256,
            narrow_palette=416,
            palette_steps=3,
            snap=0.5,
            sample=129,
            rank=2e-2,
            stride=4,
            last_strides=(2, 2, 2, 2),
            most_steps=7,
        ),
        "mobile": CRFAccuracy(
            palette=64,
            narrow_palette=192,
            palette_steps=2,
            snap=0.75,
            sample=97,
            tile=20,
            rank=4e-2,
            stride=4,
            most_steps=4,
            read_stride=4,
            groups=16,
        ),
    }
)
