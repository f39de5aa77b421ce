"""From photos to label maps, pictures and scores."""

from keras_deeplab._atomic_file import write_atomically
from keras_deeplab.data.colors import label_colors
from keras_deeplab.data.labels_png import read_labels, write_labels
from keras_deeplab.data.photo import read_photo
from keras_deeplab.data.photo_files import list_photos
from keras_deeplab.inference.class_share import (
    ClassShare,
    class_name,
    class_shares,
    count_labels,
)
from keras_deeplab.inference.contact_sheet import draw_contact_sheet
from keras_deeplab.inference.crf_heat_map import draw_heat_map
from keras_deeplab.inference.crf_ranges import CRF_RANGES, CRFRanges
from keras_deeplab.inference.crf_reference import crf_reference
from keras_deeplab.inference.crf_search import CRFSearch, CRFTrial
from keras_deeplab.inference.crf_source import load_crf, write_crf
from keras_deeplab.inference.evaluate import evaluate
from keras_deeplab.inference.evaluate_data import evaluate_data
from keras_deeplab.inference.evaluation import Evaluation
from keras_deeplab.inference.framing import check_size
from keras_deeplab.inference.inference_plan import PAPER_SCALES, InferencePlan
from keras_deeplab.inference.measures import Measures
from keras_deeplab.inference.overlay import draw_overlay
from keras_deeplab.inference.paired_data import check_pairs, paired_data
from keras_deeplab.inference.photo_job import PhotoJob, plan_jobs
from keras_deeplab.inference.plan_check import ImagePoolingWarning, check_plan
from keras_deeplab.inference.predictor import Predictor
from keras_deeplab.inference.report import write_report
from keras_deeplab.inference.run_jobs import run_jobs
from keras_deeplab.inference.score_data import score_data
from keras_deeplab.inference.search_crf import search_crf
from keras_deeplab.inference.segment import (
    predict_logits,
    predict_probabilities,
    segment,
)

__all__ = [
    "CRF_RANGES",
    "PAPER_SCALES",
    "CRFRanges",
    "CRFSearch",
    "CRFTrial",
    "ClassShare",
    "Evaluation",
    "ImagePoolingWarning",
    "InferencePlan",
    "Measures",
    "PhotoJob",
    "Predictor",
    "check_pairs",
    "check_plan",
    "check_size",
    "class_name",
    "class_shares",
    "count_labels",
    "crf_reference",
    "draw_contact_sheet",
    "draw_heat_map",
    "draw_overlay",
    "evaluate",
    "evaluate_data",
    "label_colors",
    "list_photos",
    "load_crf",
    "paired_data",
    "plan_jobs",
    "predict_logits",
    "predict_probabilities",
    "read_labels",
    "read_photo",
    "run_jobs",
    "score_data",
    "search_crf",
    "segment",
    "write_atomically",
    "write_crf",
    "write_labels",
    "write_report",
]
