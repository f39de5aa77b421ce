"""Where the files of a dataset lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from keras_deeplab.data.sample_error import SampleError
from keras_deeplab.data.sample_pair import Pairing, SamplePair


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the files of a dataset lie, relative to its folder.

    In every path `{split}` stands for the split. In those of images and masks `{id}`
    stands for what names a pair; it may hold folders.

    Args:
        images: Path of an image.
        masks: Path of a mask.
        ids: File that lists the ids, as the first word of each line: an id, or a path
            that ends in one. `None`: every mask counts.
        without: File that lists ids to leave out if there is no file of `ids`; without
            it that file must be there.
        label_map: Label of each value stored in the masks.
        all_labelled: Whether every image must have a mask. It matters where there is
            no file of ids.
    """

    images: str
    masks: str
    ids: str | None = None
    without: str | None = None
    label_map: Mapping[int, int] | None = None
    all_labelled: bool = True

    def missing(self, root: Path, split: str) -> tuple[str, ...]:
        """Says what is not there of this layout.

        Args:
            root: Folder of the dataset.
            split: The split's name in paths.

        Returns:
            The folder or the pattern of files of the images, and of the masks, where
            there are none.
        """
        problems = []
        for template in (self.images, self.masks):
            folder = root / _parts(template, split)[0]
            if not folder.is_dir():
                problems.append(f"no folder {folder}")
            elif next(_found(root, template, split), None) is None:
                pattern = root / template.format(split=split, id="*")
                problems.append(f"no file {pattern}")
        return tuple(problems)

    def pairing(self, root: Path, split: str) -> Pairing:
        """Lists the pairs of a split.

        Args:
            root: Folder of the dataset.
            split: The split's name in paths.

        Returns:
            The pairs by id, in the order of the file of ids, otherwise sorted; and the
            files that are missing or lack a mask.

        Raises:
            ValueError: If a list of ids is missing or of another form.
        """
        ids, lonely = self._ids(root, split)
        problems = [
            SampleError("image_without_mask", pair.image, "has no mask")
            for pair in (self._pair(root, split, key) for key in lonely)
        ]
        pairs = {}
        for key in ids:
            pair = self._pair(root, split, key)
            lost = [path for path in (pair.image, pair.mask) if not path.is_file()]
            problems += [
                SampleError("missing_file", path, "is not there") for path in lost
            ]
            if not lost:
                pairs[key] = SamplePair(pair.image, pair.mask)
        return Pairing(pairs, tuple(problems))

    def _pair(self, root: Path, split: str, key: str) -> _Paths:
        return _Paths(
            root / self.images.format(split=split, id=key),
            root / self.masks.format(split=split, id=key),
        )

    def _ids(self, root: Path, split: str) -> tuple[list[str], list[str]]:
        """The ids, and those of images that lack a mask."""
        if self.ids is not None:
            path = root / self.ids.format(split=split)
            if path.is_file():
                return _listed_ids(path), []
            if self.without is None or not (root / self.without).is_file():
                raise ValueError(f"The list of ids is missing. Received: no {path}")
        masks = set(_found(root, self.masks, split))
        if self.without is not None:
            masks -= set(_listed_ids(root / self.without))
        lonely = set(_found(root, self.images, split)) - masks
        return sorted(masks), sorted(lonely) if self.all_labelled else []


class _Paths(NamedTuple):
    image: Path
    mask: Path


def _listed_ids(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    words = (line.split() for line in lines)
    ids = [PurePosixPath(first).stem for first, *_ in filter(None, words)]
    if len(set(ids)) < len(ids) or not ids:
        raise ValueError(
            "A list of ids must name each pair once, and at least one. "
            f"Received: {path} with {len(ids)} lines, {len(set(ids))} different"
        )
    return ids


def _parts(template: str, split: str) -> tuple[str, str, str]:
    """The folder, and what stands before and after the id in file names."""
    before, _, after = template.format(split=split, id="\0").partition("\0")
    folder, _, start = before.rpartition("/")
    return folder, start, after


def _found(root: Path, template: str, split: str) -> Iterator[str]:
    """The ids of the files that are there."""
    folder, start, end = _parts(template, split)
    for path in (root / folder).rglob(f"{start}*{end}"):
        if not path.name.startswith("."):
            found = path.relative_to(root / folder).as_posix()
            yield found.removeprefix(start).removesuffix(end)
