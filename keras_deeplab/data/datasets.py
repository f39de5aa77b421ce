"""The public datasets that the DeepLab papers train on, and CamVid and Pets."""

from collections.abc import Mapping
from types import MappingProxyType

from keras_deeplab._class_names import CLASS_NAMES
from keras_deeplab.data.dataset_spec import DatasetSpec, Split
from keras_deeplab.data.layout import Layout

_IGNORE = 255

# Ids of the Cityscapes labels in the order of the train ids; the others are ignored.
_CITYSCAPES_IDS = (
    *(7, 8, 11, 12, 13, 17, 19, 20, 21, 22),
    *(23, 24, 25, 26, 27, 28, 31, 32, 33),
)
_CITYSCAPES_MAP = MappingProxyType(
    dict.fromkeys(range(34), _IGNORE)
    | {stored: label for label, stored in enumerate(_CITYSCAPES_IDS)}
)

#: Category ids of COCO in the order of the VOC classes, which begin with background.
COCO_CATEGORIES = (
    *(0, 5, 2, 16, 9, 44, 6, 3, 17, 62, 21),
    *(67, 18, 19, 4, 1, 64, 20, 63, 7, 72),
)

_VOC_LISTS = "ImageSets/Segmentation/{split}.txt"
_VOC_FOLDERS = (".", "VOC2012", "VOCdevkit/VOC2012", "TrainVal/VOCdevkit/VOC2012")
_CITYSCAPES_IMAGES = "leftImg8bit/{split}/{id}_leftImg8bit.png"

#: What `load_dataset` knows, by name.
DATASETS: Mapping[str, DatasetSpec] = MappingProxyType(
    {
        "voc2012": DatasetSpec(
            class_names=CLASS_NAMES["pascal_voc"],
            splits=MappingProxyType(
                {
                    "train": Split(name="train", count=1464),
                    "val": Split(name="val", count=1449),
                    "trainval": Split(name="trainval", count=2913),
                }
            ),
            layouts=(
                Layout(
                    images="JPEGImages/{id}.jpg",
                    masks="SegmentationClass/{id}.png",
                    ids=_VOC_LISTS,
                ),
            ),
            folders=_VOC_FOLDERS,
            mean_over="union",
        ),
        # With the masks of the Semantic Boundaries Dataset, converted to PNG. Several
        # lists of other content go by the name of trainaug: hence the digest.
        "voc2012_aug": DatasetSpec(
            class_names=CLASS_NAMES["pascal_voc"],
            splits=MappingProxyType(
                {
                    "trainaug": Split(
                        name="trainaug",
                        count=10582,
                        digest="d1326bd532648d73bc4b1bd275434eba"
                        "81930982dc7401a65a8cecb26c028e24",
                    ),
                }
            ),
            layouts=(
                Layout(
                    images="JPEGImages/{id}.jpg",
                    masks="SegmentationClassAug/{id}.png",
                    ids=_VOC_LISTS,
                    without=_VOC_LISTS.format(split="val"),
                    all_labelled=False,
                ),
            ),
            folders=_VOC_FOLDERS,
            advice="Unpack the masks of SegmentationClassAug beside JPEGImages.",
        ),
        "cityscapes": DatasetSpec(
            class_names=CLASS_NAMES["cityscapes"],
            splits=MappingProxyType(
                {
                    "train": Split(name="train", count=2975),
                    "val": Split(name="val", count=500),
                }
            ),
            layouts=(
                Layout(
                    images=_CITYSCAPES_IMAGES,
                    masks="gtFine/{split}/{id}_gtFine_labelTrainIds.png",
                ),
                Layout(
                    images=_CITYSCAPES_IMAGES,
                    masks="gtFine/{split}/{id}_gtFine_labelIds.png",
                    label_map=_CITYSCAPES_MAP,
                ),
            ),
            advice="Unpack leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip "
            "into one folder.",
            mean_over="union",
            whole_size=2048,
        ),
        "ade20k": DatasetSpec(
            class_names=CLASS_NAMES["ade20k"],
            splits=MappingProxyType(
                {
                    "train": Split(name="training", count=20210),
                    "val": Split(name="validation", count=2000),
                }
            ),
            layouts=(
                Layout(
                    images="images/{split}/{id}.jpg",
                    masks="annotations/{split}/{id}.png",
                    label_map=MappingProxyType(
                        {0: _IGNORE} | {stored: stored - 1 for stored in range(1, 151)}
                    ),
                ),
            ),
            folders=(".", "ADEChallengeData2016"),
            mean_over="all",
        ),
        "coco_voc": DatasetSpec(
            class_names=CLASS_NAMES["pascal_voc"],
            splits=MappingProxyType(
                {"train": Split(name="train2017"), "val": Split(name="val2017")}
            ),
            layouts=(
                Layout(
                    images="{split}/{id}.jpg",
                    masks="voc_masks/{split}/{id}.png",
                    all_labelled=False,
                ),
            ),
            advice="COCO comes with polygons: draw the masks of the VOC classes with "
            "`keras_deeplab.data.write_coco_masks` first.",
        ),
        "camvid": DatasetSpec(
            class_names=CLASS_NAMES["camvid"],
            splits=MappingProxyType(
                {
                    "train": Split(name="train", count=367),
                    "val": Split(name="val", count=101),
                    "test": Split(name="test", count=233),
                }
            ),
            layouts=tuple(
                Layout(
                    images=images,
                    masks=masks,
                    label_map=MappingProxyType(
                        {11: _IGNORE} | {label: label for label in range(11)}
                    ),
                )
                for images, masks in (
                    # As in the repository of the SegNet tutorial.
                    ("{split}/{id}.png", "{split}annot/{id}.png"),
                    ("{split}/images/{id}.png", "{split}/masks/{id}.png"),
                    ("{split}/images/{id}.jpg", "{split}/masks/{id}.png"),
                )
            ),
            folders=(".", "CamVid"),
        ),
        "oxford_pet": DatasetSpec(
            class_names=CLASS_NAMES["oxford_pet"],
            splits=MappingProxyType(
                {
                    "trainval": Split(name="trainval", count=3680),
                    "test": Split(name="test", count=3669),
                }
            ),
            layouts=(
                Layout(
                    images="images/{id}.jpg",
                    masks="annotations/trimaps/{id}.png",
                    ids="annotations/{split}.txt",
                    label_map=MappingProxyType({1: 0, 2: 1, 3: 2}),
                ),
            ),
            folders=(".", "oxford-iiit-pet"),
            advice="Unpack images.tar.gz and annotations.tar.gz into one folder.",
        ),
    }
)
