"""The photos with masks that a model is scored on: folders, or a public dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.quiet import quiet_import

if TYPE_CHECKING:
    from keras_deeplab.data import DatasetSpec, SegmentationData
    from keras_deeplab.inference import Predictor

DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="Instead of two folders, this public dataset, as it is distributed, by "
        "its benchmark's definitions: voc2012, voc2012_aug, cityscapes, ade20k, "
        "coco_voc, camvid or oxford_pet.",
    ),
]
RootOption = Annotated[
    Path | None,
    typer.Option(
        "--root",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="The folder in which the dataset was unpacked.",
    ),
]
SplitOption = Annotated[
    str | None,
    typer.Option("--split", metavar="NAME", help="Which split of the dataset."),
]
IncompleteOption = Annotated[
    bool,
    typer.Option(
        "--incomplete",
        help="Score what is there of the split; otherwise it must be as published.",
    ),
]


ValidationOption = Annotated[
    int | None,
    typer.Option(
        "--validation",
        metavar="N",
        min=1,
        help="Score on the last N by name alone: of a folder that is not split, those "
        "that `train --validation N` holds back.",
    ),
]


@dataclass(frozen=True)
class ScoredPhotos:
    """What a command was told about the photos.

    Args:
        images: Folder of photos.
        masks: Folder of masks.
        validation: How many of them, the last by name; `None` for all.
        ignore_label: Label of their pixels that do not count.
        dataset: A public dataset, in place of the folders.
        root: Where it was unpacked.
        split: Which split of it.
        incomplete: Whether the split may lack photos.
    """

    images: Path | None
    masks: Path | None
    validation: int | None
    ignore_label: int | None
    dataset: str | None
    root: Path | None
    split: str | None
    incomplete: bool

    def check(self) -> None:
        """Fails unless the options are those of one way."""
        own = {"--images": self.images, "--masks": self.masks}
        public = {
            "--dataset": self.dataset,
            "--root": self.root,
            "--split": self.split,
        }
        given = [name for name, value in (own | public).items() if value is not None]
        if given not in (list(own), list(public)):
            output.fail(
                "Give either --images and --masks, or --dataset, --root and --split. "
                f"Given: {', '.join(given) or 'neither'}"
            )
        if self.dataset is not None and self.ignore_label is not None:
            output.fail("--ignore-label is not for a --dataset, whose masks are known.")

    @property
    def spec(self) -> DatasetSpec | None:
        """The definitions of the dataset, if it is one."""
        from keras_deeplab.data import DATASETS

        return None if self.dataset is None else DATASETS[self.dataset]

    @property
    def title(self) -> str:
        """What the photos are called."""
        if self.dataset is not None:
            return f"{self.dataset} {self.split}"
        folders = [Path(str(folder)).absolute() for folder in (self.images, self.masks)]
        common = folders[0].parent == folders[1].parent
        named = folders[0].parent if common else folders[0]
        return "/".join(named.parts[-2:])

    @property
    def where(self) -> str:
        """Where they lie."""
        if self.dataset is None:
            count = self.validation
            last = "" if count is None else f", the last {count} by name"
            return f"{self.images} with {self.masks}{last}"
        return f"{self.title} in {self.root}"

    def as_data(self, count: int) -> dict[str, Any]:
        """What was scored on, as JSON takes it.

        Args:
            count: How many photos there were.
        """
        return {"data": self.where, "photos": count, "incomplete": self.incomplete}

    def find(self) -> SegmentationData | None:
        """Finds the files of the dataset, if it is one, or fails."""
        with quiet_import():
            from keras_deeplab.data import load_dataset

        if self.dataset is None or self.root is None or self.split is None:
            return None
        try:
            return load_dataset(
                self.dataset, self.root, self.split, complete=not self.incomplete
            )
        except (OSError, ValueError) as error:
            output.fail(str(error))

    def read(
        self, model: Predictor, found: SegmentationData | None, report: output.Report
    ) -> SegmentationData:
        """Reads every photo and mask once.

        Args:
            model: The model, for the classes of masks in folders.
            found: What `find` returned.
            report: Told how far it is.

        Returns:
            The photos with masks.

        Raises:
            ValueError: If one is not usable.
        """
        from keras_deeplab import inference

        if found is not None:
            inference.check_pairs(found, report)
            return found
        if self.images is None or self.masks is None:
            raise ValueError("There are no folders of photos and masks.")
        ignored = 255 if self.ignore_label is None else self.ignore_label
        return inference.paired_data(
            model,
            self.images,
            self.masks,
            ignore_label=ignored,
            validation=self.validation,
            progress=report,
        )
