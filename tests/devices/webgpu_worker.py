"""Runs TFLite files by the GPU delegate of LiteRT's WebGPU accelerator.

    python webgpu_worker.py INPUTS.npz OUT.npz FILE...

Answers are arrays named after the files. Prints, a line a file, whether the
delegate took all of its operations.
"""

import pathlib
import sys

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.hardware_accelerator import HardwareAccelerator


def answer(path: str, image: np.ndarray) -> np.ndarray:
    # No CPU beside it: what the GPU does not take is an error.
    model = CompiledModel.from_file(path, hardware_accel=HardwareAccelerator.GPU)
    sources, results = model.create_input_buffers(0), model.create_output_buffers(0)
    sources[0].write(image)
    model.run_by_index(0, sources, results)
    sys.stdout.write(f"{pathlib.Path(path).stem} {model.is_fully_accelerated()}\n")
    (detail,) = model.get_output_tensor_details("serving_default").values()
    size = int(np.prod(detail["shape"]))
    return results[0].read(size, np.dtype(detail["dtype"])).reshape(detail["shape"])


if __name__ == "__main__":
    inputs, out, *paths = sys.argv[1:]
    with np.load(inputs) as images:
        names = {pathlib.Path(path).stem: path for path in paths}
        answers = {name: answer(path, images[name]) for name, path in names.items()}
    np.savez(out, **answers)
