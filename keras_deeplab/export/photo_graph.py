"""From the bytes of an image file to those of its label map, inside a graph."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_deeplab._types import Tensor
from keras_deeplab.export.label_strips import labels_by_rows
from keras_deeplab.models import Segmenter

_PNG = b"\x89PNG\r\n\x1a\n"
# Where a PNG file holds its width and height, four bytes each.
_PNG_SIZE = 16


@dataclasses.dataclass(frozen=True)
class PhotoGraph:
    """Segments image files of any size, as `keras_deeplab.segment` does.

    Differences: a photo is not turned upright, since the label map is to fit the file's
    own pixels; a colour that a PNG file declares transparent is seen; and TensorFlow's
    Lanczos rounds otherwise than Pillow's.

    Args:
        model: The model, whose input and crop say how a photo is laid out.
        logits: RGB pixels of 0 to 255, float32 `(1, height, width, 3)`, to logits of
            the same size.
        most_pixels: The largest image that is decoded.
    """

    model: Segmenter
    logits: Callable[[Tensor], Tensor]
    most_pixels: int

    def labels_png(self, content: Tensor) -> Tensor:
        """The bytes of a PNG file of labels, of the bytes of a JPEG or PNG file.

        It has 8 bits a pixel up to 256 classes, or else 16.
        """
        photo = decode_photo(content, self.most_pixels)
        size = tf.shape(photo)[:2]
        canvas, content_size = self.laid_out(photo)
        logits = self.logits(canvas)
        logits = logits[:, : content_size[0], : content_size[1]]
        labels = labels_by_rows(logits[0], size)
        if labels.dtype == tf.int32:
            # PNG files hold 8 or 16 bits.
            labels = tf.cast(labels, tf.uint16)
        return tf.io.encode_png(labels[..., None])

    def laid_out(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """The model's input, before preprocessing, and the photo's size in it."""
        size = tf.shape(photo)[:2]
        fixed = self.model.input_shape[1:3]
        if self.model.resize_mode == "stretch" and None not in fixed:
            # Sampled at half-pixel centres, without averaging.
            stretched = tf.image.resize(photo, fixed, "bilinear")
            return _bytes_of(stretched)[None], tf.constant(fixed)
        content_size = self._scaled_down(size)
        small = tf.cond(
            tf.reduce_all(content_size == size),
            lambda: tf.cast(photo, tf.float32),
            lambda: _bytes_of(
                tf.image.resize(photo, content_size, "lanczos3", antialias=True)
            ),
        )
        return self._padded(small, content_size), content_size

    def _scaled_down(self, size: Tensor) -> Tensor:
        crop = self.model.crop_size
        most = float(max(crop)) if crop else math.inf
        limits = [min(side or most, most) for side in self.model.input_shape[1:3]]
        exact = tf.cast(size, tf.float64)
        limit = tf.constant(limits, tf.float64)
        factor = tf.minimum(tf.reduce_min(limit / exact), 1.0)
        return tf.maximum(tf.cast(tf.round(exact * factor), tf.int32), 1)

    def _padded(self, photo: Tensor, size: Tensor) -> Tensor:
        sides = []
        for axis, side in enumerate(self.model.input_shape[1:3]):
            crop = self.model.crop_size[axis] if self.model.crop_size else 1
            padded = _canvas_side(size[axis], crop, self.model.output_stride)
            sides.append(padded if side is None else side)
        mean = tf.constant(self.model.pad_pixel, tf.float32)
        # Padding is zero, and zero is to be the mean.
        gap = tf.stack(sides) - size
        pads = tf.stack([[0, gap[0]], [0, gap[1]], [0, 0]])
        padded = tf.pad(photo - mean, pads) + mean
        return tf.ensure_shape(padded[None], (1, *self.model.input_shape[1:]))


def decode_photo(content: Tensor, most_pixels: int) -> Tensor:
    """Decodes a JPEG or PNG file, after a look at the size that it claims.

    Args:
        content: A string, the file.
        most_pixels: The largest image to decode.

    Returns:
        uint8 RGB, `(height, width, 3)`. A file that is neither, is cut short or claims
        more pixels makes the graph fail with `InvalidArgumentError`.
    """
    jpeg = tf.image.is_jpeg(content)
    png = tf.strings.substr(content, 0, len(_PNG)) == tf.constant(_PNG)
    known = tf.debugging.Assert(
        tf.logical_or(jpeg, png), ["The image is neither a JPEG nor a PNG file."]
    )
    with tf.control_dependencies([known]):
        size = tf.cond(
            jpeg,
            lambda: tf.image.extract_jpeg_shape(content, tf.int64)[:2],
            lambda: _png_size(content),
        )
    fits = tf.debugging.Assert(
        # Without the product of the two, which may leave the range of integers.
        tf.logical_and(
            tf.reduce_all(size > 0), size[0] <= most_pixels // tf.maximum(size[1], 1)
        ),
        [f"The image must have 1 to {most_pixels} pixels. Its height and width:", size],
    )
    with tf.control_dependencies([fits]):
        photo = tf.cond(
            jpeg,
            # As exact as Pillow; TensorFlow's default is not.
            lambda: tf.io.decode_jpeg(content, 3, dct_method="INTEGER_ACCURATE"),
            lambda: _png_photo(content),
        )
    return tf.ensure_shape(photo, (None, None, 3))


def _png_photo(content: Tensor) -> Tensor:
    # With the channels of the file: TensorFlow makes four of them wrongly where a
    # channel has fewer than 8 bits.
    pixels = tf.io.decode_png(content)
    height, width, channels = tf.unstack(tf.shape(pixels))
    colors = channels - (channels + 1) % 2
    color = tf.broadcast_to(pixels[..., :colors], (height, width, 3))
    return tf.cond(
        colors == channels,
        lambda: color,
        lambda: _on_white(color, pixels[..., colors:]),
    )


def _on_white(color: Tensor, alpha: Tensor) -> Tensor:
    """Puts what is transparent on white, as `inference.read_photo` does."""
    # 16 bits, not 32: the photo may be large. No sum goes beyond 255 * 255 + 127.
    opacity = tf.cast(alpha, tf.uint16)
    white = 255 * (255 - opacity)
    return tf.cast((tf.cast(color, tf.uint16) * opacity + white + 127) // 255, tf.uint8)


def _png_size(content: Tensor) -> Tensor:
    # What is too short for a size has the size 0 and is refused.
    header = tf.strings.substr(
        tf.strings.join([content, tf.constant(bytes(_PNG_SIZE + 8))]), _PNG_SIZE, 8
    )
    numbers = tf.cast(tf.io.decode_raw(header, tf.uint8), tf.int64)
    width, height = tf.unstack(
        tf.reduce_sum(
            tf.reshape(numbers, (2, 4)) * [2**24, 2**16, 2**8, 1],
            axis=1,
        )
    )
    return tf.stack([height, width])


def _bytes_of(pixels: Tensor) -> Tensor:
    """Float pixels as 8 bits would hold them."""
    return tf.clip_by_value(tf.round(pixels), 0.0, 255.0)


def _canvas_side(content: Tensor, crop: int, output_stride: int) -> Any:
    # As `inference.frame_for` does it.
    aligned = -(-(content - 1) // output_stride) * output_stride + 1
    return tf.where(content <= crop, crop, aligned)
