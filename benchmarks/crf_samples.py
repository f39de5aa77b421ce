"""Photos, scores and label maps that `dense_crf.py` measures on."""

import pathlib
from collections.abc import Iterator

import numpy as np

import keras_deeplab
from keras_deeplab.inference import predict_logits, read_labels, read_photo

# Name, scores, photo and mask.
Sample = tuple[str, np.ndarray, np.ndarray, np.ndarray]

WEIGHTS = "models/deeplab/deeplabv3_mnv2_pascal_trainval_folded.npz"
CLASSES = 21
# Crops for the quick table: a quarter of the pixels, a sixteenth of the pairs.
CROP = 257


def voc(
    data: pathlib.Path, cache: pathlib.Path, output_stride: int = 8
) -> Iterator[Sample]:
    """Photos with masks and the official model's logits."""
    model = None
    suffix = "" if output_stride == 8 else f"_{output_stride}"
    for path in sorted((data / "voc_sample" / "images").iterdir()):
        kept = cache / f"logits{suffix}_{path.stem}.npy"
        if not kept.exists():
            model = model or keras_deeplab.load_model(
                data / WEIGHTS
            ).with_output_stride(output_stride)
            cache.mkdir(parents=True, exist_ok=True)
            np.save(kept, predict_logits(model, path))
        mask = read_labels(data / "voc_sample" / "masks" / f"{path.stem}.png")
        yield path.stem, np.load(kept), read_photo(path), mask


def middle(*maps: np.ndarray) -> tuple[np.ndarray, ...]:
    height, width = maps[0].shape[:2]
    top, left = max((height - CROP) // 2, 0), max((width - CROP) // 2, 0)
    window = np.s_[top : top + CROP, left : left + CROP]
    return tuple(np.ascontiguousarray(values[window]) for values in maps)


def library_examples(
    data: pathlib.Path,
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, scores and photo of the examples of the reference library."""
    folder = data / "crf" / "pydensecrf_examples"
    for index in (1, 2, 3):
        image = read_photo(folder / f"im{index}.png")
        colors = np.array(read_photo(folder / f"anno{index}.png"), "int64")
        known, labels = np.unique(colors @ [1, 256, 65536], return_inverse=True)
        labels = labels.reshape(colors.shape[:2])
        # Black is unknown: as the library's example has it, each label holds at 0.7.
        first = int(known[0] == 0)
        count = len(known) - first
        share = np.full((*labels.shape, count), 0.3 / (count - 1), "float32")
        share[labels < first] = 1 / count
        rows, columns = np.nonzero(labels >= first)
        share[rows, columns, labels[rows, columns] - first] = 0.7
        yield f"im{index}", np.log(share), image


def v1_maps(data: pathlib.Path, before: str) -> Iterator[tuple[Sample, np.ndarray]]:
    """Samples of the label maps of V1's authors, and the map after their own CRF."""
    for path in sorted((data / "crf" / "deeplab_v1" / before).iterdir()):
        photos = (data / "voc_sample" / "images").glob(f"{path.stem}.*")
        image = read_photo(next(photos))
        mask = read_labels(data / "voc_sample" / "masks" / path.name)
        labels = read_labels(path)
        # A label map says nothing of scores: its label is taken to hold at 0.5.
        share = np.full((*labels.shape, CLASSES), 0.5 / (CLASSES - 1), "float32")
        np.put_along_axis(share, labels[..., None].astype("int64"), 0.5, axis=-1)
        after = data / "crf" / "deeplab_v1" / f"{before}_crf" / path.name
        yield (path.stem, np.log(share), image, mask), read_labels(after)
