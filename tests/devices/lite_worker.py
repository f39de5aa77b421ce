"""Runs TFLite files by LiteRT, on whatever processor this is.

    python lite_worker.py INPUTS.npz OUT.npz FILE...

Inputs and answers are arrays named after the files. Needs LiteRT and NumPy alone.
"""

import pathlib
import platform
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def answer(path: str, image: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(path, num_threads=1)
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    (result,) = interpreter.get_output_details()
    interpreter.set_tensor(source["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(result["index"])


if __name__ == "__main__":
    inputs, out, *paths = sys.argv[1:]
    with np.load(inputs) as images:
        names = {pathlib.Path(path).stem: path for path in paths}
        answers = {name: answer(path, images[name]) for name, path in names.items()}
    np.savez(out, **answers)
    sys.stdout.write(platform.machine())
