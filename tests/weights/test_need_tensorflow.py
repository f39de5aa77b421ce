"""Official files on a machine without TensorFlow."""

import pathlib
import sys

import pytest

from keras_deeplab.weights import load_official
from tests.weights import tf1_graphs as tf1
from tests.weights.test_tf1_parity import mobilenet_case

CASE = mobilenet_case(0.35, 16)
SAID = (
    r"^TensorFlow reads official checkpoints and graphs: `pip install tensorflow`, or "
    r"convert `source` once elsewhere with `keras-deeplab weights convert` \(.*\)\. "
    r"Received: source='.*'$"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tf1.Written:
    return CASE.written(tmp_path_factory.mktemp("official"))


@pytest.mark.parametrize("kind", ["checkpoint", "frozen"])
def test_official_file_without_tensorflow_is_refused_by_what_to_do(
    kind: str, written: tf1.Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    source: pathlib.Path = getattr(written, kind)
    model = CASE.model(crop_size=CASE.crop, **CASE.arguments)
    before = [weight.copy() for weight in model.get_weights()]
    # To the import, a module that is `None` is not there.
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=SAID) as caught:
        load_official(source, model)
    assert str(caught.value).endswith(f"Received: source={str(source)!r}")
    after = model.get_weights()
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
