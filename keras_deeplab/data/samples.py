"""The training samples of every epoch, each a function of seed, epoch and index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_deeplab.data.augmentation import Augmentation
from keras_deeplab.data.decoded_pair import DecodedPair
from keras_deeplab.data.read_sample import Sample
from keras_deeplab.data.refusal import check_learnable
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.data.view import View
from keras_deeplab.layers import arguments

# What a random number is for: the same seed must not give two things one stream.
_ORDER, _VIEW = 0, 1


class Samples:
    """The samples of every epoch, cut, padded and augmented.

    Nothing is remembered from one sample to the next: each is a function of `seed`,
    the epoch and its index, so samples may be made in any order, by any number of
    threads or processes, and from any epoch on.

    Args:
        data: Photos with masks.
        crop_size: Height and width of the samples, or one integer. With an
            `augment`, a window of this size is cut at random; without one, samples
            are padded to it at the bottom and right, and must not be larger. `None`,
            without an `augment` only, keeps every sample's own size.
        augment: The random changes, or `None` for samples as they are.
        pad_pixel: RGB in 0..255 of padding, rounded to whole steps;
            `model.pad_pixel` becomes almost zero.
        seed: Seed of order and augmentation, at least 0.
        shuffle: Whether samples come in a new order in every epoch; `None` if they
            are augmented.
        cache: Whether decoded files are kept in memory: about 5 bytes a pixel.

    Raises:
        OSError: If a mask cannot be read.
        ValueError: If an argument is out of range, `crop_size` is missing, `data` has
            no `ignore_label`, which padding needs, or its masks hold nothing to learn.
    """

    def __init__(
        self,
        data: SegmentationData,
        *,
        crop_size: int | Sequence[int] | None,
        augment: Augmentation | None = None,
        pad_pixel: tuple[float, float, float] = (127.5, 127.5, 127.5),
        seed: int = 0,
        shuffle: bool | None = None,
        cache: bool = False,
    ) -> None:
        self.data = data
        self.crop_size = arguments.size_of(crop_size=crop_size)
        self.augment = augment
        self.pad_pixel = pad_pixel
        self.seed = seed
        self.shuffle = augment is not None if shuffle is None else shuffle
        self._cache: dict[int, DecodedPair] | None = {} if cache else None
        self._check()

    def _check(self) -> None:
        if self.seed < 0:
            raise ValueError(f"`seed` must be at least 0. Received: seed={self.seed}")
        if self.crop_size is None and self.augment is not None:
            raise ValueError(
                "`crop_size` must be given where samples are augmented. "
                "Received: crop_size=None"
            )
        if self.crop_size is not None and self.data.ignore_label is None:
            raise ValueError(
                "`data` needs an `ignore_label`, which padding is given. "
                "Received: ignore_label=None"
            )
        check_learnable(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def order(self, epoch: int) -> np.ndarray[Any, Any]:
        """Says in which order samples come.

        Args:
            epoch: The epoch, from 0.

        Returns:
            Every index once, int64.
        """
        if not self.shuffle:
            return np.arange(len(self))
        rng = np.random.default_rng([self.seed, _ORDER, epoch])
        return rng.permutation(len(self))

    def sample(self, epoch: int, index: int) -> Sample:
        """Makes a sample.

        Args:
            epoch: The epoch, from 0.
            index: Which pair of the data.

        Returns:
            The photo, uint8 RGB `(H, W, 3)`, and its labels, `(H, W)`, uint8, or
            uint16 where labels need it.

        Raises:
            OSError: If a file is not there or may not be read.
            ValueError: If the files do not make a sample, or it is larger than
                `crop_size` and not to be augmented. The message names the files.
        """
        pair = self._decoded(index)
        if self.augment is None:
            view = self._whole(index, pair.labels.shape)
        else:
            rng = np.random.default_rng([self.seed, _VIEW, epoch, index])
            view = self._random(self.augment, rng, pair.labels.shape)
        # Without a crop nothing is padded.
        return view.of(pair, self.pad_pixel, self.data.ignore_label or 0)

    def _decoded(self, index: int) -> DecodedPair:
        if self._cache is None:
            return self.data.decode(index)
        if index not in self._cache:
            self._cache[index] = self.data.decode(index)
        return self._cache[index]

    def _whole(self, index: int, size: tuple[int, ...]) -> View:
        height, width = size
        crop = self.crop_size or (height, width)
        if height > crop[0] or width > crop[1]:
            raise ValueError(
                f"{self.data.pairs[index].image} is {width} x {height} pixels, which "
                "does not fit `crop_size`. Samples that are not augmented are not cut: "
                f"give a larger one. Received: crop_size={crop}"
            )
        return View(scaled=(height, width), corner=(0, 0), crop=crop)

    def _random(
        self, augment: Augmentation, rng: np.random.Generator, size: tuple[int, ...]
    ) -> View:
        crop = self.crop_size or (0, 0)
        factor = augment.draw_scale(rng)
        height, width = (max(1, round(side * factor)) for side in size)
        return View(
            scaled=(height, width),
            corner=(
                int(rng.integers(max(height - crop[0], 0) + 1)),
                int(rng.integers(max(width - crop[1], 0) + 1)),
            ),
            crop=crop,
            flip=augment.draw_flip(rng),
            color_shift=augment.draw_color_shift(rng),
        )
