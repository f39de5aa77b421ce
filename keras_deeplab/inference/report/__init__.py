"""The report of an evaluation as one HTML file."""

from keras_deeplab.inference.report.page import write_report

__all__ = ["write_report"]
