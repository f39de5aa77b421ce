"""A page on this machine: a photo in, its classes in colour out."""

from keras_deeplab.demo.answer import Answer
from keras_deeplab.demo.demo import Demo
from keras_deeplab.demo.demo_server import DemoServer
from keras_deeplab.demo.model_choice import ModelChoice, list_choices
from keras_deeplab.demo.upload import Upload, UploadError, read_upload

__all__ = [
    "Answer",
    "Demo",
    "DemoServer",
    "ModelChoice",
    "Upload",
    "UploadError",
    "list_choices",
    "read_upload",
]
