"""DeepLabV3+ of segmentation_models.pytorch."""

import importlib.metadata
from collections.abc import Sequence
from typing import Any

import segmentation_models_pytorch
import torch


def build(
    backbone: str, size: Sequence[int], batch: int, classes: int, compiled: bool = False
) -> "TorchModel":
    model = segmentation_models_pytorch.DeepLabV3Plus(
        backbone, encoder_weights=None, encoder_output_stride=16, classes=classes
    )
    return TorchModel(model, size, batch, classes, compiled)


class TorchModel:
    """As `keras_model.KerasModel`, in PyTorch."""

    def __init__(
        self,
        model: torch.nn.Module,
        size: Sequence[int],
        batch: int,
        classes: int,
        compiled: bool,
    ) -> None:
        self._plain = model
        self._model = torch.compile(model) if compiled else model
        self._compiled = compiled
        self._optimizer = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9)
        self._images = torch.randn(batch, 3, *size)
        self._labels = torch.randint(0, classes, (batch, *size))

    def facts(self) -> dict[str, Any]:
        packages = ("segmentation-models-pytorch", "torch")
        return {
            # Moving statistics are counted too, as Keras does.
            "parameters": sum(
                tensor.numel()
                for name, tensor in self._plain.state_dict().items()
                if not name.endswith("num_batches_tracked")
            ),
            "multiply_adds": self._count(),
            "xla": self._compiled,
            "versions": {name: importlib.metadata.version(name) for name in packages},
        }

    def _count(self) -> int:
        """Counts as `multiply_adds.py` does."""
        counts = []

        def hook(layer: torch.nn.Conv2d, _: Any, outputs: torch.Tensor) -> None:
            counts.append(outputs.numel() * layer.weight[0].numel())

        layers = [m for m in self._plain.modules() if isinstance(m, torch.nn.Conv2d)]
        handles = [layer.register_forward_hook(hook) for layer in layers]
        self._plain.eval()
        with torch.inference_mode():
            self._plain(self._images[:1])
        for handle in handles:
            handle.remove()
        return sum(counts)

    def infer(self) -> list[int]:
        self._model.eval()
        with torch.inference_mode():
            return list(self._model(self._images[:1]).numpy().shape)

    def train(self) -> float:
        self._model.train()
        self._optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            self._model(self._images), self._labels
        )
        loss.backward()
        self._optimizer.step()
        return loss.item()
