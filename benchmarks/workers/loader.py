"""PyTorch's DataLoader with the augmentation of `keras_deeplab.data.Augmentation`."""

import importlib.metadata
import pathlib
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

# Size factors, drawn as the official training draws them.
SCALES = [0.5 + 0.25 * step for step in range(7)]
PAD_PIXEL, PAD_LABEL = (127, 127, 127), 255


class Pairs(Dataset):
    """Photos and masks: scaled, padded, cropped and flipped at random."""

    def __init__(self, files: Sequence[Sequence[str]], crop: int) -> None:
        self._files = files
        self._crop = crop

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image, mask = map(pathlib.Path, self._files[index])
        photo, labels = Image.open(image).convert("RGB"), Image.open(mask)
        factor = random.choice(SCALES)
        size = [round(side * factor) for side in photo.size]
        left, top = (random.randint(0, max(side - self._crop, 0)) for side in size)
        # The window of the scaled photo, cut from the photo itself: the rest need not
        # be scaled.
        width, height = (min(side, self._crop) for side in size)
        box = [
            value * side / scaled
            for value, side, scaled in zip(
                (left, top, left + width, top + height),
                photo.size * 2,
                size * 2,
                strict=True,
            )
        ]
        photo = photo.resize((width, height), Image.Resampling.BILINEAR, box)
        labels = labels.resize((width, height), Image.Resampling.NEAREST, box)
        pixels = np.full((self._crop, self._crop, 3), PAD_PIXEL, "uint8")
        known = np.full((self._crop, self._crop), PAD_LABEL, "uint8")
        pixels[:height, :width], known[:height, :width] = photo, labels
        if random.random() < 0.5:
            pixels, known = pixels[:, ::-1], known[:, ::-1]
        values = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float()
        # PyTorch's cross-entropy takes labels of 64 bits alone.
        return values, torch.from_numpy(known.astype("int64"))


class Loader:
    """Batches of all pairs, in random order."""

    def __init__(self, loader: DataLoader) -> None:
        self._loader = loader

    def facts(self) -> dict[str, Any]:
        return {"torch": importlib.metadata.version("torch")}

    def drain(self) -> int:
        return sum(len(images) for images, _ in self._loader)


def build(
    files: Sequence[Sequence[str]], crop: int, batch: int, workers: int
) -> Loader:
    loader = DataLoader(
        Pairs(files, crop),
        batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    return Loader(loader)
