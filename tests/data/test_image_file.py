import pathlib
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import read_photo
from keras_deeplab.data.image_file import decoding


def test_warnings_of_pillow_are_hidden_and_others_are_not(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.new("RGB", (15, 10)).save(tmp_path / "a.png")
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(tmp_path / "a.png").close()
    assert read_photo(tmp_path / "a.png").shape == (10, 15, 3)
    with pytest.warns(UserWarning, match="mine"), decoding("It", "Mend it."):
        warnings.warn("mine", stacklevel=1)


def test_filters_of_warnings_are_as_before_when_many_threads_have_read(
    tmp_path: pathlib.Path,
) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype("uint8")
    Image.fromarray(photo).save(tmp_path / "a.png")
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        photos = list(pool.map(read_photo, [tmp_path / "a.png"] * 200))
    assert list(warnings.filters) == before
    assert all(np.array_equal(found, photo) for found in photos)
