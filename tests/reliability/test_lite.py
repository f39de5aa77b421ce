"""TFLite files of which bytes were changed, run by LiteRT."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import tensorflow as tf

WORKER = pathlib.Path(__file__).with_name("lite_worker.py")
COUNT = 150


def test_tflite_file_with_any_bytes_changed_runs_or_is_refused(
    tmp_path: pathlib.Path,
) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((9, 9, 3), batch_size=1),
            layers.Conv2D(4, 3, padding="same"),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.Conv2D(4, 1),
        ]
    )
    path = tmp_path / "whole.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    done = subprocess.run(
        [sys.executable, WORKER, path, str(COUNT)],
        env={**os.environ, "PYTHONPATH": str(WORKER.parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    # Of a crash the last line tells the change.
    assert done.returncode == 0, done.stderr[-2000:]
    counts = json.loads(done.stdout)
    assert min(counts.values()) > COUNT / 10
