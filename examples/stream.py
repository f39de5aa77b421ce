"""Segments a stream of frames: overlay frames, and how many a second.

    python examples/stream.py WEIGHTS SOURCE OUT [--size 257] [--frames 100]

`SOURCE` is a folder of frames, an animated GIF, WebP or PNG, or, with OpenCV (`pip
install opencv-python-headless`), a video file or the number of a camera, such as 0.
`OUT` is a folder for the frames as `000000.jpg`, ..., or a file `.gif`. Prints a line
for each frame: its number, and the frames a second of the last ten.
"""

import argparse
import itertools
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageSequence, UnidentifiedImageError

import keras_deeplab
from keras_deeplab import inference
from keras_deeplab.inference.overlay import background_of, blend_labels


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights")
    parser.add_argument("source", help="folder, animation, video, or camera number")
    parser.add_argument("out", type=Path, help="folder, or file .gif")
    parser.add_argument("--size", type=int, help="longer side that the model sees")
    parser.add_argument("--output-stride", type=int, choices=(8, 16, 32))
    parser.add_argument("--frames", type=int, help="stop after so many")
    options = parser.parse_args(argv)

    model = keras_deeplab.load_model(options.weights)
    plan = inference.InferencePlan(output_stride=options.output_stride)
    background = background_of(model.class_names)

    def overlays() -> Iterator[Image.Image]:
        frames = itertools.islice(frames_of(options.source), options.frames)
        for frame in told_of(frames):
            photo = inference.read_photo(frame)
            labels = keras_deeplab.segment(model, photo, size=options.size, plan=plan)
            yield blend_labels(photo, labels, background)

    write(overlays(), options.out)


def frames_of(source: str) -> Iterator[Any]:
    """Photos or arrays, whatever they come from."""
    if Path(source).is_dir():
        yield from inference.list_photos([source])
        return
    try:
        # Of each frame Pillow keeps no more than it needs for the next.
        with Image.open(source) as animation:
            for frame in ImageSequence.Iterator(animation):
                yield frame.convert("RGB")
    except (FileNotFoundError, UnidentifiedImageError):
        yield from video_frames(source)


def video_frames(source: str) -> Iterator[Any]:
    if not source.isdecimal() and not Path(source).is_file():
        raise SystemExit(f"There is no folder, file or camera {source}.")
    try:
        import cv2
    except ImportError:
        raise SystemExit(
            f"{source} is a camera or a video, which needs OpenCV: `pip install "
            "opencv-python-headless`. Folders of frames and animated GIFs need nothing."
        ) from None
    video = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    if not video.isOpened():
        raise SystemExit(f"OpenCV cannot open {source}.")
    try:
        while (frame := video.read()[1]) is not None:
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        video.release()


def told_of(frames: Iterator[Any]) -> Iterator[Any]:
    """Passes frames on and prints how fast they go."""
    times = deque([time.perf_counter()], maxlen=11)
    for number, frame in enumerate(frames):
        yield frame
        times.append(time.perf_counter())
        rate = (len(times) - 1) / (times[-1] - times[0])
        print(f"frame {number}: {rate:.1f} fps", flush=True)


def write(pictures: Iterator[Image.Image], out: Path) -> None:
    if out.suffix == ".gif":
        first = next(pictures)
        first.save(out, save_all=True, append_images=pictures, duration=100, loop=0)
        return
    out.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        picture.save(out / f"{number:06}.jpg", quality=90)


if __name__ == "__main__":
    main()
