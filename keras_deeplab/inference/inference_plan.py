"""How often, how large and in which parts a model is shown a photo."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from keras_deeplab.backbones import OUTPUT_STRIDES
from keras_deeplab.inference.view import View
from keras_deeplab.layers import arguments

#: The scales of the papers and of the official evaluation: 0.5 to 1.75 by 0.25.
PAPER_SCALES: tuple[float, ...] = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)


@dataclass(frozen=True)
class InferencePlan:
    """What is done with a photo: scales, mirror images, windows, output stride.

    The plain plan, `InferencePlan()`, shows the whole photo once. With several scales,
    or `flip`, the model is asked once for each and the probabilities are averaged, as
    in the official evaluation. With a `window` the model sees the photo at its own
    resolution, part by part, and the logits are blended where the parts overlap. Of
    these only the rows that are being blended are held; so it is in each view, beside
    its scaled copy of the photo, 3 bytes a pixel.

    Args:
        scales: Factors of the size at which the model would see the photo.
        flip: Whether each scale is shown mirrored too.
        window: Height and width of the parts in pixels of the scaled photo, or one
            integer; best the training crop. `None` shows the whole photo, scaled down
            to the training crop or to the argument `size`.
        overlap: Least share of a window that its neighbour covers too, in `[0, 1)`.
        output_stride: Output stride at which the model works, 8, 16 or 32; `None` for
            its own. The weights are shared, not copied.

    Raises:
        ValueError: If an argument is out of range; the message says what is accepted.

    Examples:
        >>> from keras_deeplab.inference import InferencePlan
        >>> len(InferencePlan.multi_scale().views)
        12
        >>> InferencePlan(window=513, overlap=0.5).window
        (513, 513)
    """

    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    window: tuple[int, int] | int | None = None
    overlap: float = 0.25
    output_stride: int | None = None

    def __post_init__(self) -> None:
        # Frozen, so that a plan may be shared: values are set in their one form here.
        for name, value in (
            ("scales", _checked_scales(self.scales)),
            ("window", arguments.size_of(window=self.window)),
            ("overlap", arguments.fraction(overlap=self.overlap)),
        ):
            object.__setattr__(self, name, value)
        arguments.check_choice((False, True), flip=self.flip)
        arguments.check_choice(
            (None, *OUTPUT_STRIDES), output_stride=self.output_stride
        )

    @classmethod
    def multi_scale(cls, **changes: Any) -> InferencePlan:
        """The papers' plan: the scales 0.5 to 1.75 by 0.25, each mirrored too.

        Args:
            **changes: Other arguments of the plan, such as `output_stride=8`.

        Returns:
            The plan.
        """
        return cls(**{"scales": PAPER_SCALES, "flip": True, **changes})

    @property
    def window_size(self) -> tuple[int, int] | None:
        """`window` in its one form, of which type checkers cannot know."""
        return arguments.size_of(window=self.window)

    @property
    def views(self) -> tuple[View, ...]:
        """What the model is shown, one after the other."""
        sides = (False, True) if self.flip else (False,)
        return tuple(View(scale, side) for scale in self.scales for side in sides)


def _checked_scales(scales: Any) -> tuple[float, ...]:
    given = tuple(scales) if isinstance(scales, Iterable) else (scales,)
    usable = [
        isinstance(scale, int | float)
        and not isinstance(scale, bool)
        and math.isfinite(scale)
        and scale > 0
        for scale in given
    ]
    if not given or not all(usable) or len(set(given)) < len(given):
        raise ValueError(
            "`scales` must hold different factors above 0, at least one. "
            f"Received: scales={scales!r}"
        )
    return tuple(map(float, given))
