"""The smallest and the largest, nothing at all, and one thing in another's place."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import Result

import keras_deeplab
from keras_deeplab.layers import DenseCRF
from keras_deeplab.metrics import MeanIoU
from keras_deeplab.training import Dice, Focal, SegmentationCrossEntropy
from tests.inference.color_model import ColorModel
from tests.reliability.clearly import told_clearly
from tests.reliability.trees import files_in

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("classes", [1, 255])
def test_model_of_one_class_and_of_255_is_trained_saved_and_used(
    classes: int, tmp_path: pathlib.Path
) -> None:
    model = keras_deeplab.LRASPP(
        backbone="mobilenet_v3_small", classes=classes, crop_size=33
    )
    labels = np.full((1, 33, 33), classes - 1, "uint8")
    labels[:, :9] = 255
    metric = MeanIoU(classes)
    model.compile("sgd", SegmentationCrossEntropy(), metrics=[metric])
    images = np.zeros((1, 33, 33, 3), "float32")
    history = model.fit(images, labels, verbose=0).history
    assert history["loss"][0] == pytest.approx(np.log(classes), abs=0.2)
    model.save(tmp_path / "model.keras")
    again = keras_deeplab.load_model(tmp_path / "model.keras")
    assert again.classes == classes
    found = keras_deeplab.segment(again, np.zeros((5, 7, 3), "uint8"))
    assert found.shape == (5, 7)
    assert found.max() < classes


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
@pytest.mark.parametrize("loss", [Dice(), Focal(), SegmentationCrossEntropy()])
def test_loss_of_one_class_is_nothing_to_gain(loss: keras.Loss) -> None:
    labels = np.array([[[0, 255, 0]]])
    logits = keras.ops.convert_to_tensor(np.random.normal(size=(1, 1, 3, 1)))
    assert float(loss(labels, keras.ops.cast(logits, "float32"))) == pytest.approx(
        0, abs=1e-6
    )


@settings(max_examples=12)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([1, 2, 21, 255]),
    st.sampled_from(["accurate", "mobile"]),
)
def test_crf_of_any_size_and_classes_answers_with_shares(
    height: int, width: int, classes: int, accuracy: str
) -> None:
    random = np.random.default_rng(height * width)
    logits = random.normal(size=(1, height, width, classes)).astype("float32")
    image = random.integers(0, 256, (1, height, width, 3)).astype("uint8")
    shares = np.asarray(DenseCRF("v1", accuracy=accuracy)(logits, image))
    assert shares.shape == logits.shape
    assert shares.min() >= 0
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)


def test_photo_of_one_pixel_goes_through_a_network(model_file: pathlib.Path) -> None:
    model = keras_deeplab.load_model(model_file)
    labels = keras_deeplab.segment(model, np.zeros((1, 1, 3), "uint8"), crf="v1")
    assert labels.shape == (1, 1)


# In KiB, with all that is imported: the pixels alone would be 1.2 GB.
MOST = 1_000_000
REFUSED = """
import sys
from keras_deeplab.data import read_labels, read_photo
for read in (read_photo, read_labels):
    try:
        read(sys.argv[1])
    except ValueError as error:
        print(error)
# Unlike `ru_maxrss`, without that of the process that began this one.
with open("/proc/self/status") as status:
    print(*[line.split()[1] for line in status if line.startswith("VmHWM")])
"""


def test_photo_of_400_megapixels_is_refused_before_it_takes_memory(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (20_000, 20_000)).save(path)
    assert path.stat().st_size < 100_000
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    *errors, peak = done.stdout.splitlines()
    assert len(errors) == 2
    for error in errors:
        assert "Image size (400000000 pixels) exceeds limit" in error
        assert str(path) in error
    assert int(peak) < MOST


@pytest.mark.parametrize(
    "words",
    [
        ("segment", "EMPTY", "--weights", "any"),
        ("evaluate", *["--images", "EMPTY", "--masks", "EMPTY", "--weights", "any"]),
        (
            "crf-search",
            *["--images", "EMPTY", "--masks", "pairs/masks", "--weights", "any"],
        ),
        ("audit", "EMPTY"),
        ("train", "--recipe", "camvid_mobilenet_v2", "--data", "EMPTY", "--out", "run"),
        ("export", *["--weights", "any", "--out", "m.tflite", "--photos", "EMPTY"]),
    ],
)
@pytest.mark.parametrize("what", ["folder", "file", "loop"])
def test_empty_folder_file_and_loop_in_the_place_of_data_are_told(
    words: tuple[str, ...],
    what: str,
    pairs: pathlib.Path,
    tmp_path: pathlib.Path,
    colors: ColorModel,
    run: Callable[..., Result],
) -> None:
    if (words[0], what) == ("export", "file"):
        # An image that is none is told when it is looked at: after the conversion.
        words = ("bench", "EMPTY")
    place = tmp_path / "EMPTY"
    if what == "folder":
        place.mkdir()
    elif what == "file":
        place.write_bytes(b"")
    else:
        place.symlink_to(place)
    before = files_in(tmp_path)
    result = run(*words)
    if words[0] == "segment" and what == "file":
        assert result.exit_code == 1
        assert "EMPTY: `image` is not an image" in result.stderr
    else:
        told_clearly(result)
    assert files_in(tmp_path) == before


SEGMENT = ("segment", "pairs/images", "--weights", "any")
EVALUATE = (
    "evaluate",
    *["--images", "pairs/images", "--masks", "pairs/masks", "--weights", "any"],
)


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        ((*SEGMENT, "--out", "TAKEN"), "file"),
        ((*SEGMENT, "--out", "TAKEN"), "loop"),
        (SEGMENT, "loop of a result"),
        (("audit", "pairs", "--out", "TAKEN"), "file"),
        (("audit", "pairs", "--out", "TAKEN"), "loop"),
        (EVALUATE, "json"),
        (("weights", "convert", "any.keras", "TAKEN"), "folder"),
        (("export", "--weights", "any", "--format", "onnx", "--out", "TAKEN"), "file"),
    ],
)
def test_result_whose_place_is_taken_is_told_and_nothing_is_lost(
    words: tuple[str, ...],
    taken: str,
    pairs: pathlib.Path,
    tmp_path: pathlib.Path,
    colors: ColorModel,
    run: Callable[..., Result],
) -> None:
    place = tmp_path / "TAKEN"
    if taken == "file":
        place.write_text("mine")
    elif taken == "loop":
        place.symlink_to(place)
    elif taken == "folder":
        place.mkdir()
    elif taken == "json":
        place.mkdir()
        words = (*words, "--json", "TAKEN")
    else:
        loop = tmp_path / "0.labels.png"
        loop.symlink_to(loop)
    before = files_in(tmp_path)
    result = run(*words)
    if taken == "loop of a result":
        # What cannot be opened is nothing to keep: it is replaced, as any file is.
        assert result.exit_code == 0, result.stderr
        return
    told_clearly(result)
    assert files_in(tmp_path) == before
