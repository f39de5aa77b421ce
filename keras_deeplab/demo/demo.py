"""What stands behind the page: models, the last photo, and one turn at a time."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_deeplab.demo.answer import Answer
from keras_deeplab.demo.model_choice import ModelChoice
from keras_deeplab.demo.upload import Upload, read_upload
from keras_deeplab.inference.refine_photo import refine_photo
from keras_deeplab.inference.segment import check_classes, labels_of, predict_logits
from keras_deeplab.layers import DenseCRF
from keras_deeplab.weights import load_model

if TYPE_CHECKING:
    from keras_deeplab.inference.predictor import Predictor

#: How much stronger than its parameters the CRF may be made.
MAX_STRENGTH = 2.0


@dataclasses.dataclass(frozen=True)
class _Seen:
    """What a model said about a photo."""

    key: tuple[str, str]
    upload: Upload
    scores: np.ndarray[Any, Any]
    seconds: float
    first_of_size: bool


class Demo:
    """Segments photos, one at a time, and remembers the last one.

    What the network said about the last photo is kept, so that another strength of the
    CRF costs the CRF alone.

    Args:
        choices: The models to choose from; their names differ.
        crf: The CRF at strength 1.
        models: Models that are loaded already, by the name of the choice.
    """

    def __init__(
        self,
        choices: Sequence[ModelChoice],
        crf: DenseCRF,
        models: dict[str, Predictor] | None = None,
    ) -> None:
        self.choices = tuple(choices)
        self._crf = crf
        self._models = dict(models or {})
        self._seen: _Seen | None = None
        # For each of these the backend compiled the network, or looked whether it had.
        self._sizes: set[tuple[str, tuple[int, ...]]] = set()
        self._turn = threading.Lock()
        self._ended = False

    def segment(self, content: bytes, model: str, strength: float = 0.0) -> Answer:
        """Segments a photo, as soon as no other one is being segmented.

        Args:
            content: The bytes of its file.
            model: Name of a choice.
            strength: Factor of the weights of the CRF, at most `MAX_STRENGTH`; 0 for
                none.

        Returns:
            The answer: the labels of `inference.segment` for the photo, reduced to
            `MAX_SIDE`.

        Raises:
            UploadError: If the file is not taken.
            ValueError: If `model` or `strength` is none of these, or the model cannot
                be loaded.
            OSError: If the model's file cannot be read.
            RuntimeError: If the demo has ended.
        """
        if not 0 <= strength <= MAX_STRENGTH:
            raise ValueError(
                f"`strength` must lie in [0, {MAX_STRENGTH:g}]. "
                f"Received: strength={strength}"
            )
        with self._turn:
            if self._ended:
                raise RuntimeError("The demo has ended. Make another `Demo`.")
            before = self._seen
            loaded = self._load(model)
            seen = self._seen = self._look(content, model, loaded)
            scores, seconds = seen.scores, None
            if strength:
                start = time.perf_counter()
                scores = self._refined(loaded, seen, strength)
                seconds = time.perf_counter() - start
        return Answer(
            photo=seen.upload.pixels,
            labels=labels_of(scores),
            class_names=loaded.class_names,
            sent_size=seen.upload.sent_size,
            network_seconds=seen.seconds,
            network_ran=seen is not before,
            first_of_size=seen.first_of_size,
            crf_seconds=seconds,
        )

    def end(self, timeout: float) -> None:
        """Waits for the photo that is being segmented, and begins no other one.

        Those that wait for their turn are refused, as are all that come later.

        Args:
            timeout: Seconds to wait at most.
        """
        self._ended = True
        if self._turn.acquire(timeout=timeout):
            self._turn.release()

    def _load(self, name: str) -> Predictor:
        if name not in self._models:
            sources = {choice.name: choice.source for choice in self.choices}
            if name not in sources:
                raise ValueError(
                    f"`model` must be one of {', '.join(sources)}. "
                    f"Received: model={name!r}"
                )
            self._models[name] = load_model(sources[name])
        model = self._models[name]
        check_classes(model)
        return model

    def _look(self, content: bytes, name: str, model: Predictor) -> _Seen:
        key = hashlib.sha256(content).hexdigest(), name
        if self._seen is not None and self._seen.key == key:
            return self._seen
        upload = read_upload(content)
        start = time.perf_counter()
        scores = predict_logits(model, upload.pixels)
        seconds = time.perf_counter() - start
        size = name, upload.pixels.shape
        first = size not in self._sizes
        self._sizes.add(size)
        return _Seen(key, upload, scores, seconds, first)

    def _refined(
        self, model: Predictor, seen: _Seen, strength: float
    ) -> np.ndarray[Any, Any]:
        crf = _scaled(self._crf, strength)
        return refine_photo(model, seen.scores, seen.upload.pixels, crf)


def _scaled(crf: DenseCRF, strength: float) -> DenseCRF:
    if strength == 1:
        return crf
    given = crf.crf_parameters
    scaled = dataclasses.replace(
        given,
        w_bilateral=strength * given.w_bilateral,
        w_gaussian=strength * given.w_gaussian,
    )
    return DenseCRF(accuracy=crf.accuracy, **dataclasses.asdict(scaled))
