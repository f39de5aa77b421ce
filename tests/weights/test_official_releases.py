"""The manifest beside what the publishers of its weights state."""

import importlib
from typing import Any, NamedTuple

import keras
import pytest

from keras_deeplab.weights import WeightsRow, manifest


class Release(NamedTuple):
    """A line of the official list of models."""

    size: str
    # In percent; those of ADE20K are mIoU and pixel accuracy.
    scores: tuple[float, ...] = ()


# https://github.com/tensorflow/models/blob/master/research/deeplab/g3doc/model_zoo.md,
# without the 8-bit models and those for the Edge TPU, which are other networks.
RELEASES = {
    "deeplabv3_mnv2_dm05_pascal_trainaug_2018_10_01": Release("7.6MB", (70.19,)),
    "deeplabv3_mnv2_dm05_pascal_trainval_2018_10_01": Release("7.6MB", (71.83,)),
    "deeplabv3_mnv2_pascal_train_aug_2018_01_29": Release("23MB", (75.32, 77.33)),
    "deeplabv3_mnv2_pascal_trainval_2018_01_29": Release("23MB", (80.25,)),
    "deeplabv3_pascal_train_aug_2018_01_04": Release("439MB", (82.20, 83.58)),
    "deeplabv3_pascal_trainval_2018_01_04": Release("439MB", (87.80,)),
    "deeplabv3_mnv2_cityscapes_train_2018_02_05": Release("23MB", (70.71, 73.57)),
    "deeplab_mnv3_large_cityscapes_trainfine_2019_11_15": Release("17MB", (72.41,)),
    "deeplab_mnv3_small_cityscapes_trainfine_2019_11_15": Release("5MB", (68.99,)),
    "deeplabv3_cityscapes_train_2018_02_06": Release("439MB", (78.79, 80.42)),
    "deeplab_cityscapes_xception71_trainfine_2018_09_08": Release("445MB", (80.31,)),
    "deeplab_cityscapes_xception71_trainvalfine_2018_09_08": Release("446MB", (82.66,)),
    "deeplabv3_mnv2_ade20k_train_2018_12_03": Release("24.8MB", (32.04, 75.41)),
    "deeplabv3_xception_ade20k_train_2018_05_29": Release("439MB", (45.65, 82.52)),
    "xception_41_2018_05_09": Release("288MB"),
    "deeplabv3_xception_2018_01_04": Release("447MB"),
    "xception_65_coco_pretrained_2018_10_02": Release("292MB"),
    "xception_71_2018_05_09": Release("474MB"),
    "resnet_v1_50_2018_05_04": Release("274MB"),
    "resnet_v1_101_2018_05_04": Release("477MB"),
}
HOST = "download.tensorflow.org/models"

APPLICATIONS = {
    "vgg16": "VGG16",
    "resnet50": "ResNet50",
    "resnet101": "ResNet101",
    "mobilenet_v2": "MobileNetV2",
}


def rows_of(converter: str) -> list[WeightsRow]:
    return [row for row in manifest().values() if row.converter == converter]


def test_every_official_release_has_its_row_and_no_other_is_there() -> None:
    assert len(RELEASES) == 20
    files = [row.file for row in rows_of("tf1")]
    assert sorted(files) == sorted(f"{name}.tar.gz" for name in RELEASES)


@pytest.mark.parametrize("row", rows_of("tf1"), ids=lambda row: row.name)
def test_row_of_a_release_states_what_its_publishers_do(row: WeightsRow) -> None:
    release = RELEASES[row.file.removesuffix(".tar.gz")]
    assert tuple(score.value for score in row.published) == release.scores
    assert row.stated_size == release.size
    # The same bucket: by https first, for most files have no digest.
    assert row.urls == (
        f"https://storage.googleapis.com/{HOST}/{row.file}",
        f"http://{HOST}/{row.file}",
    )


@pytest.mark.parametrize("row", rows_of("tf1"), ids=lambda row: row.name)
def test_scores_of_a_release_have_metric_and_data_of_their_own(row: WeightsRow) -> None:
    accuracy = ["mIoU", "pixel accuracy"]
    metrics = [score.metric for score in row.published]
    assert metrics == (accuracy if row.dataset == "ade20k" else ["mIoU"] * len(metrics))
    # Only the second stage, on trainval, is measured on the test set.
    ends = {score.data.rpartition(" ")[2] for score in row.published}
    assert ends <= {"test" if row.name.endswith("trainval") else "val"}
    # Cityscapes is evaluated on whole images, padded to 1025 x 2049.
    whole = row.dataset == "cityscapes" and row.model != "LRASPP"
    for score in row.published:
        assert score.protocol.startswith("1025 x 2049, ") == whole


class AskedError(Exception):
    """What a network of Keras would download."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_file(fname: str, origin: str, **options: Any) -> None:
        raise AskedError(fname, origin, options.get("file_hash"))

    # Where the applications look it up.
    files = importlib.import_module("keras.src.utils.file_utils")
    monkeypatch.setattr(files, "get_file", get_file)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("row", rows_of("keras_applications"), ids=lambda row: row.name)
def test_row_of_keras_applications_is_what_the_installed_keras_asks_for(
    row: WeightsRow,
) -> None:
    network = getattr(keras.applications, APPLICATIONS[row.backbone])
    # Without the classifier, that of 224 is not the default but a fall-back.
    options: dict[str, Any] = {"input_shape": (224, 224, 3)}
    if "alpha" in row.arguments:
        options["alpha"] = row.arguments["alpha"]
    top = not row.file.endswith(("notop.h5", "no_top.h5"))
    with pytest.raises(AskedError) as caught:
        network(weights="imagenet", include_top=top, **options)
    name, url, digest = caught.value.args
    assert (row.file, row.urls) == (name, (url,))
    assert (row.digest, row.algorithm) == (digest, digest and "md5")
    assert (row.bytes, row.stated_size) == (None, None)
