"""Our data as a dataset of TensorFlow Datasets (TFDS); imports that package."""

import io
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab.data.file_part import open_source
from keras_deeplab.data.image_file import open_image
from keras_deeplab.data.load_tfds import IMAGE, MASK, import_tfds
from keras_deeplab.data.read_sample import Sample
from keras_deeplab.data.sample_pair import SamplePair
from keras_deeplab.data.segmentation_data import SegmentationData

tfds: Any = import_tfds()

_ORIENTATION = 0x0112
_UPRIGHT = 1
_Builder: Any = tfds.core.GeneratorBasedBuilder


class SegmentationFolder(_Builder):
    """Makes a TFDS dataset of photos with masks.

    `download_and_prepare()` writes it, `as_dataset()` reads it, and `load_tfds` reads
    it into our pipeline from the builder's `data_dir`. Every pair is read and checked.

    The features are `image`, `segmentation_mask` and `file_name`. Masks hold labels, as
    grey PNG: TFDS would read a palette as colours. Photos stay as they are if TFDS
    reads them rightly, and become PNG otherwise: with an EXIF orientation, in CMYK,
    TIFF.

    Args:
        splits: The data of each split, by its name. All have the same classes.
        name: What the dataset is called, a word.
        data_dir: Where TFDS keeps its datasets, by default `~/tensorflow_datasets`.
        **kwargs: Passed to `tfds.core.GeneratorBasedBuilder`.

    Raises:
        ImportError: If TensorFlow Datasets is not installed; when this module is
            imported.
        ValueError: If there are no splits, their classes differ, or a label is above
            65535.

    Examples:
        >>> from keras_deeplab.data.tfds_builder import SegmentationFolder
        >>> SegmentationFolder.name
        'segmentation_folder'
    """

    VERSION = tfds.core.Version("1.0.0")

    def __init__(
        self,
        splits: Mapping[str, SegmentationData],
        *,
        name: str,
        data_dir: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self._data = dict(splits)
        meanings = {(one.class_names, one.ignore_label) for one in splits.values()}
        if len(meanings) != 1:
            raise ValueError(
                "`splits` must be at least one, all of the same classes. "
                f"Received: splits={sorted(splits)} with {len(meanings)} lists of "
                "classes"
            )
        ((self._class_names, self._ignore_label),) = meanings
        config = tfds.core.BuilderConfig(name=name, version=self.VERSION)
        super().__init__(config=config, data_dir=data_dir, **kwargs)

    @property
    def _dtype(self) -> Any:
        largest = max(len(self._class_names) - 1, self._ignore_label or 0)
        return np.uint8 if largest < 256 else np.uint16

    def _info(self) -> Any:
        mask = tfds.features.Image(
            shape=(None, None, 1), dtype=self._dtype, encoding_format="png"
        )
        features = {
            IMAGE: tfds.features.Image(shape=(None, None, 3)),
            MASK: mask,
            "file_name": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Photos with a label for each pixel.",
            features=tfds.features.FeaturesDict(features),
            supervised_keys=(IMAGE, MASK),
            metadata=tfds.core.MetadataDict(
                class_names=list(self._class_names), ignore_label=self._ignore_label
            ),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {name: self._generate_examples(name) for name in self._data}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        data = self._data[split]
        for index, pair in enumerate(data.pairs):
            sample = data.read(index)
            yield (
                index,
                {
                    IMAGE: _photo_bytes(pair, sample),
                    MASK: _png(sample.labels.astype(self._dtype)),
                    "file_name": pair.image.name,
                },
            )


def _photo_bytes(pair: SamplePair, sample: Sample) -> bytes:
    with open_source(pair.image) as file:
        content = file.read()
    with open_image(io.BytesIO(content)) as image:
        plain = (
            image.format in ("JPEG", "PNG")
            and image.mode == "RGB"
            and not image.has_transparency_data
            and image.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT
        )
    return content if plain else _png(sample.image)


def _png(pixels: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
