"""Runs a TFLite file by MediaPipe's ImageSegmenter.

    python mediapipe_worker.py FILE OUT.npz PHOTO...

Writes `labels0` and `confidences0` of the first photo, and so on, and the `names`.
"""

import sys

import numpy as np


def main(path: str, out: str, *photos: str) -> None:
    # Not a requirement of the project, nor in its environment.
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_path=path),
        output_category_mask=True,
        output_confidence_masks=True,
    )
    with vision.ImageSegmenter.create_from_options(options) as segmenter:
        found = {"names": np.array(segmenter.labels)}
        for index, photo in enumerate(photos):
            result = segmenter.segment(mediapipe.Image.create_from_file(photo))
            masks = [mask.numpy_view().squeeze() for mask in result.confidence_masks]
            labels = result.category_mask.numpy_view().squeeze().copy()
            found[f"labels{index}"] = labels
            found[f"confidences{index}"] = np.stack(masks, axis=-1)
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
