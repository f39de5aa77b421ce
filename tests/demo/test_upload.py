import io

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import read_photo
from keras_deeplab.demo import UploadError, read_upload, upload
from tests.demo.conftest import encoded


def test_photo_is_read_as_read_photo_reads_it(photo: np.ndarray, png: bytes) -> None:
    found = read_upload(png)
    np.testing.assert_array_equal(found.pixels, photo)
    assert found.sent_size == (24, 40)
    # Upright, and of transparency that shows the page.
    file = io.BytesIO()
    image = Image.fromarray(photo)
    image.putalpha(128)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(file, "PNG", exif=exif)
    expected = read_photo(Image.open(io.BytesIO(file.getvalue())))
    assert expected.shape == (40, 24, 3)
    np.testing.assert_array_equal(read_upload(file.getvalue()).pixels, expected)


def test_large_photo_is_reduced_in_its_proportions() -> None:
    found = read_upload(encoded(np.zeros((512, 2048, 3), "uint8")))
    assert found.pixels.shape == (256, upload.MAX_SIDE, 3)
    assert found.sent_size == (512, 2048)


def bomb() -> bytes:
    # 100 megapixels of nothing: few bytes, which are never unpacked.
    file = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"The file is empty\."),
        (b"no photo", r"The file is not an image\. Give a whole JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "The file is not an image"),
        (encoded(np.zeros((99, 99, 3), "uint8"))[:80], "The file cannot be decoded"),
        (bomb(), r"10000 x 10000 pixels\. 64 megapixels at most"),
        (bytes(upload.MAX_BYTES + 1), "The file is too large: 32 MB at most"),
    ],
)
def test_file_that_is_not_taken_is_told_why(content: bytes, message: str) -> None:
    with pytest.raises(UploadError, match=message):
        read_upload(content)


def test_photo_that_is_too_large_is_not_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unpack(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(upload, "read_photo", unpack)
    with pytest.raises(UploadError, match="64 megapixels"):
        read_upload(bomb())
