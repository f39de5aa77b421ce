"""The libraries that are compared, and how each is asked."""

import dataclasses
import math
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from environments import GARDEN, HUB, SMP, Environment
from process import Worker

CLASSES = 21
# Images of a training step; inference is of one.
BATCH = 2
BACKBONES = ("resnet50", "mobilenet_v2")
OURS = "keras_deeplab"
# What the libraries read: PyTorch the first, TensorFlow the others.
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contestant:
    """A library, and what is particular to it.

    Args:
        worker: Module in `workers`.
        environment: Where it runs; `None` for the environment of this script.
        output_stride: Of its encoder.
        multiple: Sides must be a multiple of it.
        options: Of `build`.
        backbones: Which of the backbones it is timed with.
    """

    worker: str
    environment: Environment | None = None
    output_stride: int = 16
    multiple: int = 1
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    backbones: Sequence[str] = BACKBONES

    def sides(self, size: str) -> list[int]:
        """The least sides that it takes and that leave out a pixel at most."""
        wanted = map(int, size.split("x"))
        if self.multiple == 1:
            return list(wanted)
        return [
            math.ceil((side - 1) / self.multiple) * self.multiple for side in wanted
        ]


CONTESTANTS = {
    OURS: Contestant(worker="ours"),
    # XLA takes minutes to compile ResNet-50 for a CPU.
    f"{OURS}, XLA": Contestant(
        worker="ours", options={"jit_compile": True}, backbones=("mobilenet_v2",)
    ),
    # The network of Model Garden's experiment.
    f"{OURS}, no branches": Contestant(
        worker="ours", options={"atrous_rates": ()}, backbones=("mobilenet_v2",)
    ),
    # It has no pyramid of features for MobileNetV2.
    "KerasHub": Contestant(
        worker="hub",
        environment=HUB,
        output_stride=32,
        multiple=32,
        backbones=("resnet50",),
    ),
    "Model Garden": Contestant(worker="garden", environment=GARDEN),
    "smp": Contestant(worker="smp", environment=SMP, multiple=16),
    "smp, torch.compile": Contestant(
        worker="smp", environment=SMP, multiple=16, options={"compiled": True}
    ),
}


def start(contestant: Contestant, folder: pathlib.Path, threads: int = 0) -> Worker:
    """Starts the process of a library, with what it takes of threads by itself or 1."""
    environment = contestant.environment
    python = environment.python(folder) if environment else sys.executable
    variables = dict.fromkeys(THREADS, str(threads)) if threads else {}
    return Worker(python, contestant.worker, variables)
