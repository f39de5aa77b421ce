"""From files to batches: photos, masks, datasets and augmentation."""

from keras_deeplab.data.audit import Audit, audit
from keras_deeplab.data.augmentation import Augmentation
from keras_deeplab.data.class_list import ClassList, read_class_list
from keras_deeplab.data.class_statistics import ClassStatistics
from keras_deeplab.data.coco_masks import write_coco_masks
from keras_deeplab.data.colors import label_colors
from keras_deeplab.data.dataset_spec import DatasetSpec, Split
from keras_deeplab.data.datasets import DATASETS
from keras_deeplab.data.fault import FAULTS, Fault
from keras_deeplab.data.finding import Finding
from keras_deeplab.data.labels_png import read_labels, write_labels
from keras_deeplab.data.layout import Layout
from keras_deeplab.data.load_dataset import load_dataset, survey_dataset
from keras_deeplab.data.load_folder import load_folder, survey_folder
from keras_deeplab.data.load_shards import load_shards
from keras_deeplab.data.load_tfds import TFDS_DATASETS, load_tfds
from keras_deeplab.data.photo import read_photo
from keras_deeplab.data.photo_files import list_photos
from keras_deeplab.data.read_sample import Sample
from keras_deeplab.data.sample_error import SampleError
from keras_deeplab.data.sample_pair import SamplePair, match_pairs
from keras_deeplab.data.samples import Samples
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.data.sequence import SegmentationSequence
from keras_deeplab.data.survey import Survey
from keras_deeplab.data.tf_dataset import make_dataset
from keras_deeplab.data.write_shards import write_shards

__all__ = [
    "DATASETS",
    "FAULTS",
    "TFDS_DATASETS",
    "Audit",
    "Augmentation",
    "ClassList",
    "ClassStatistics",
    "DatasetSpec",
    "Fault",
    "Finding",
    "Layout",
    "Sample",
    "SampleError",
    "SamplePair",
    "Samples",
    "SegmentationData",
    "SegmentationSequence",
    "Split",
    "Survey",
    "audit",
    "label_colors",
    "list_photos",
    "load_dataset",
    "load_folder",
    "load_shards",
    "load_tfds",
    "make_dataset",
    "match_pairs",
    "read_class_list",
    "read_labels",
    "read_photo",
    "survey_dataset",
    "survey_folder",
    "write_coco_masks",
    "write_labels",
    "write_shards",
]
