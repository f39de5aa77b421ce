"""From a model to what is shipped: TFLite, SavedModel or ONNX, with a report.

Each is one graph that takes what the caller has, 8-bit pixels or image files, and
gives what the caller wants. Exporting needs TensorFlow, as Keras's backend.
"""

from keras_deeplab.export.export_error import ExportError
from keras_deeplab.export.latency import Latency, measure_latency
from keras_deeplab.export.lite_model import LiteModel
from keras_deeplab.export.onnx_export import to_onnx
from keras_deeplab.export.output_form import OUTPUT_FORMS, OutputForm
from keras_deeplab.export.parity import Parity
from keras_deeplab.export.quantization import QUANTIZATIONS, Quantization
from keras_deeplab.export.report import ExportReport
from keras_deeplab.export.saved_model import to_saved_model
from keras_deeplab.export.tflite import to_tflite

__all__ = [
    "OUTPUT_FORMS",
    "QUANTIZATIONS",
    "ExportError",
    "ExportReport",
    "Latency",
    "LiteModel",
    "OutputForm",
    "Parity",
    "Quantization",
    "measure_latency",
    "to_onnx",
    "to_saved_model",
    "to_tflite",
]
