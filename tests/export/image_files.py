"""Image files as people, cameras and attackers send them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

# The size of every image that is whole, and the number of pixels allowed.
SIZE = 40, 30
MOST_PIXELS = 10_000


def pixels(mode: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """Smooth noise."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (4, 5, len(mode)), "uint8")
    return Image.fromarray(small.squeeze(), mode).resize(size)


def encoded(image: Image.Image, kind: str = "PNG", **kwargs: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **kwargs)
    return file.getvalue()


def sixteen_bits() -> Image.Image:
    return Image.fromarray(np.array(pixels("L")).astype("uint16") * 257)


def chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def with_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    """A PNG file with one more chunk behind its first."""
    return png[:33] + chunk(kind, content) + png[33:]


def jpeg_that_claims(height: int, width: int) -> bytes:
    start = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:start] + struct.pack(">HH", height, width) + JPEG[start + 4 :]


PNG = encoded(pixels("RGB"))
JPEG = encoded(pixels("RGB"), "JPEG", quality=95)

# Those get the labels that `segment` gives.
WHOLE = {
    "png": PNG,
    "jpeg": JPEG,
    "progressive": encoded(pixels("RGB"), "JPEG", quality=95, progressive=True),
    "grey": encoded(pixels("L")),
    "grey jpeg": encoded(pixels("L"), "JPEG", quality=95),
    "cmyk": encoded(pixels("RGB").convert("CMYK"), "JPEG", quality=95),
    "palette": encoded(pixels("RGB").convert("P")),
    "two colours": encoded(pixels("L").convert("1")),
    "16 bits": encoded(sixteen_bits()),
    "transparent": encoded(pixels("RGBA")),
    "transparent grey": encoded(pixels("LA")),
    "transparent in the palette": encoded(pixels("RGB").convert("P"), transparency=3),
    "16 colours": encoded(pixels("RGB").quantize(16)),
    "one pixel": encoded(pixels("RGB", (1, 1))),
    "one column": encoded(pixels("RGB", (1, 90))),
    "bytes behind the end": PNG + bytes(100),
}

# 64 MB of a colour profile in 64 kB; Pillow refuses it, libpng passes over it.
PROFILE_BOMB = with_chunk(PNG, b"iCCP", b"a\0\0" + zlib.compress(bytes(64 << 20), 9))

_NEITHER = "neither a JPEG nor a PNG"
_PIXELS = f"must have 1 to {MOST_PIXELS} pixels"
# Those get an error of this text.
BROKEN = {
    "empty": (b"", _NEITHER),
    "text": (b"<svg onload='alert(1)'/>", _NEITHER),
    "gif": (encoded(pixels("L"), "GIF"), _NEITHER),
    "bmp": (encoded(pixels("RGB"), "BMP"), _NEITHER),
    "webp": (encoded(pixels("RGB"), "WEBP"), _NEITHER),
    "header alone": (PNG[:20], _PIXELS),
    "cut short": (PNG[: len(PNG) // 2], "Invalid PNG data"),
    "cut short JPEG": (JPEG[:300], "Invalid JPEG data"),
    "flipped bit": (PNG[:20] + b"\x01" + PNG[21:], "Invalid PNG|" + _PIXELS),
    "noise behind JPEG's first bytes": (
        b"\xff\xd8\xff" + np.random.default_rng(0).bytes(500),
        "Invalid JPEG data",
    ),
    "too many pixels": (encoded(pixels("RGB", (120, 100))), _PIXELS),
    "png bomb": (PNG[:16] + struct.pack(">II", 2**31 - 1, 2**31 - 1), _PIXELS),
    "png whose size overflows": (PNG[:16] + b"\xff" * 8 + PNG[24:], _PIXELS),
    "png without width": (PNG[:16] + struct.pack(">II", 0, 30) + PNG[24:], _PIXELS),
    "jpeg bomb": (jpeg_that_claims(65500, 65500), _PIXELS),
    "jpeg without height": (jpeg_that_claims(0, 40), "Invalid JPEG data"),
}
