import pathlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_deeplab.data import (
    Augmentation,
    Sample,
    SamplePair,
    Samples,
    SegmentationData,
    label_colors,
)
from keras_deeplab.data.decoded_pair import DecodedPair
from keras_deeplab.data.view import View

CROP = (49, 65)
GREY = (128, 128, 128)


def augmented(data: SegmentationData, **options: object) -> Samples:
    settings = {"crop_size": CROP, "augment": Augmentation(scale_step=0), **options}
    return Samples(data, **settings)


def every_sample(samples: Samples, epochs: int = 6) -> list[tuple[int, int, Sample]]:
    return [
        (epoch, index, samples.sample(epoch, index))
        for epoch in range(epochs)
        for index in range(len(samples))
    ]


def test_labels_of_any_sample_are_the_masks_or_padding(colored: SegmentationData):
    padded = 0
    for _, index, sample in every_sample(augmented(colored)):
        allowed = {*np.unique(colored.read(index).labels).tolist(), 255}
        assert set(np.unique(sample.labels).tolist()) <= allowed
        padding = sample.labels == 255
        padded += padding.any()
        np.testing.assert_array_equal(padding, (sample.image == GREY).all(-1))
    assert 5 < padded < 40


def test_photo_and_mask_of_any_sample_show_the_same(colored: SegmentationData) -> None:
    """Where a patch is whole, each pixel has the colour of its label.

    A shift of mask against photo by one pixel would show at every border.
    """
    colors = label_colors(5).astype("float32")
    for _, _, (image, labels) in every_sample(augmented(colored)):
        distance = np.abs(image[:, :, None].astype("float32") - colors).sum(-1)
        shown = np.where(labels == 255, 255, distance.argmin(-1))
        # Half way between two colours the nearest may be a third one's.
        blended = (distance.min(-1) > 20) & (labels != 255)
        assert blended.mean() < 0.25
        np.testing.assert_array_equal(shown[~blended], labels[~blended])


def test_samples_of_one_seed_are_the_same_in_any_order(colored: SegmentationData):
    augment = Augmentation(hue=0.1, contrast=0.2)
    one = every_sample(augmented(colored, augment=augment, seed=3), 2)
    other = augmented(colored, augment=augment, seed=3)
    for epoch, index, sample in reversed(one):
        again = other.sample(epoch, index)
        np.testing.assert_array_equal(again.image, sample.image)
        np.testing.assert_array_equal(again.labels, sample.labels)


def test_samples_of_another_seed_epoch_or_index_differ(
    colored: SegmentationData,
) -> None:
    pair = SegmentationData(colored.pairs[:1] * 3, colored.class_names)
    seen = [
        augmented(pair, seed=seed).sample(epoch, index).image.tobytes()
        for seed in range(3)
        for epoch in range(3)
        for index in range(3)
    ]
    assert len(set(seen)) == len(seen)


def test_order_is_new_in_every_epoch_and_holds_every_index(
    colored: SegmentationData,
) -> None:
    samples = augmented(colored, seed=1)
    orders = [tuple(samples.order(epoch)) for epoch in range(5)]
    assert len(set(orders)) == 5
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert orders == [tuple(augmented(colored, seed=1).order(e)) for e in range(5)]
    assert orders[0] != tuple(augmented(colored, seed=2).order(0))


def test_windows_reach_every_corner_of_the_photo(colored: SegmentationData) -> None:
    augment = Augmentation(scale=(1, 1), flip=0)
    samples = Samples(colored, crop_size=(40, 47), augment=augment)
    photo = colored.read(0).image
    rows, columns = photo.shape[0] - 40 + 1, photo.shape[1] - 47 + 1
    windows = {
        photo[top : top + 40, left : left + 47].tobytes()
        for top in range(rows)
        for left in range(columns)
    }
    seen = {samples.sample(epoch, 0).image.tobytes() for epoch in range(60)}
    assert seen <= windows
    assert len(seen) > len(windows) / 2


def test_samples_without_augmentation_are_whole_and_in_order(
    colored: SegmentationData,
) -> None:
    samples = Samples(colored, crop_size=81, pad_pixel=(1, 2, 3))
    assert samples.order(3).tolist() == list(range(7))
    for index in range(7):
        photo, mask = colored.read(index)
        image, labels = samples.sample(0, index)
        height, width = mask.shape
        np.testing.assert_array_equal(image[:height, :width], photo)
        np.testing.assert_array_equal(labels[:height, :width], mask)
        assert (image[height:] == (1, 2, 3)).all()
        assert (labels[height:] == 255).all()
        assert (labels[:, width:] == 255).all()


def test_samples_of_their_own_size_are_the_files(colored: SegmentationData) -> None:
    samples = Samples(colored, crop_size=None)
    for index in range(7):
        image, labels = samples.sample(0, index)
        np.testing.assert_array_equal(image, colored.read(index).image)
        np.testing.assert_array_equal(labels, colored.read(index).labels)


def on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA"))


# What a file holds, how it is written, and what it shows.
NOISE = np.random.default_rng(0).integers(0, 256, (27, 38, 4)).astype("uint8")
RGB, RGBA = Image.fromarray(NOISE[..., :3]), Image.fromarray(NOISE)
TURNED = Image.Exif()
TURNED[0x0112] = 6
KINDS = {
    "jpg": (RGB, {"quality": 90}, ImageOps.exif_transpose),
    "turned.jpg": (RGB, {"exif": TURNED}, ImageOps.exif_transpose),
    "cmyk.jpg": (RGB.convert("CMYK"), {}, ImageOps.exif_transpose),
    "grey.jpg": (RGB.convert("L"), {}, ImageOps.exif_transpose),
    "turned.png": (RGB, {"exif": TURNED}, ImageOps.exif_transpose),
    "palette.png": (RGB.quantize(40), {}, ImageOps.exif_transpose),
    "alpha.png": (RGBA, {}, on_white),
    "tif": (RGB, {"compression": "tiff_lzw"}, ImageOps.exif_transpose),
}
VIEWS = [
    View(scaled=(20, 31), corner=(2, 3), crop=(15, 40), flip=True),
    View(scaled=(55, 60), corner=(7, 0), crop=(48, 33)),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("label_map", [None, {0: 2, 1: 0, 7: 255}])
def test_sample_of_any_file_is_cut_from_the_array_of_its_pixels(
    kind: str, label_map: dict[int, int] | None, tmp_path: pathlib.Path
) -> None:
    """What stays in Pillow until it is cut is what went through arrays and back."""
    image, options, shown = KINDS[kind]
    path = tmp_path / f"photo.{kind}"
    image.save(path, **options)
    pixels = np.array(shown(Image.open(path)).convert("RGB"))
    allowed = [0, 1, 2, 255] if label_map is None else [*label_map]
    stored = np.random.default_rng(1).choice(allowed, pixels.shape[:2])
    Image.fromarray(stored.astype("uint8")).save(tmp_path / "mask.png")
    labels = np.vectorize(lambda value: (label_map or {}).get(value, value))(stored)
    pair = SamplePair(path, tmp_path / "mask.png")
    data = SegmentationData([pair], ["a", "b", "c"], label_map=label_map)
    np.testing.assert_array_equal(data.read(0).image, pixels)
    np.testing.assert_array_equal(data.read(0).labels, labels)
    by_arrays = DecodedPair(Image.fromarray(pixels), labels.astype("int32"))
    for view in VIEWS:
        found = view.of(data.decode(0), GREY, 255)
        expected = view.of(by_arrays, GREY, 255)
        np.testing.assert_array_equal(found.image, expected.image)
        np.testing.assert_array_equal(found.labels, expected.labels)


def test_cache_reads_each_file_once_and_changes_nothing(
    colored: SegmentationData, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = every_sample(augmented(colored), 2)
    read: list[int] = []
    original = SegmentationData.decode

    def counting(self: SegmentationData, index: int) -> DecodedPair:
        read.append(index)
        return original(self, index)

    monkeypatch.setattr(SegmentationData, "decode", counting)
    cached = every_sample(augmented(colored, cache=True), 2)
    assert sorted(read) == list(range(7))
    for (*_, one), (*_, other) in zip(plain, cached, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.labels, other.labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop_size": None}, "`crop_size` must be given.*crop_size=None"),
        ({"crop_size": 0}, "`crop_size` must be.*crop_size=0"),
        ({"seed": -1}, "`seed` must be at least 0.*seed=-1"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: dict, message: str, colored: SegmentationData
) -> None:
    with pytest.raises(ValueError, match=message):
        augmented(colored, **options)


def test_padding_without_a_label_for_it_is_refused(colored: SegmentationData) -> None:
    data = SegmentationData(colored.pairs, colored.class_names, ignore_label=None)
    with pytest.raises(ValueError, match="needs an `ignore_label`"):
        Samples(data, crop_size=99)
    assert Samples(data, crop_size=None).sample(0, 0).labels.max() == 4


def test_photo_larger_than_the_crop_is_not_cut_silently(
    colored: SegmentationData,
) -> None:
    with pytest.raises(ValueError, match=r"0\.png is 48 x 42 pixels.*crop_size=\(41"):
        Samples(colored, crop_size=(41, 48)).sample(0, 0)
