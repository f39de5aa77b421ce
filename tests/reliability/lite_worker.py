"""Runs a `.tflite` file again and again, with random bytes changed each time.

`python FILE TFLITE COUNT`: prints how many were refused and how many answered. What
crashes LiteRT ends the process; the last line of stderr tells which change it was.
"""

import json
import pathlib
import random
import sys

import numpy as np

from keras_deeplab.export import LiteModel
from keras_deeplab.inference import segment
from tests.reliability.clearly import outcome

PHOTO = np.zeros((5, 4, 3), "uint8")


def changed(whole: bytes, chance: random.Random) -> bytes:
    content = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content[: chance.choice([len(content)] * 3 + [len(content) // 2])])


def main() -> None:
    whole = pathlib.Path(sys.argv[1])
    spoiled = whole.with_name("changed.tflite")
    counts = {"refused": 0, "answered": 0}
    for seed in range(int(sys.argv[2])):
        sys.stderr.write(f"{seed}\n")
        spoiled.write_bytes(changed(whole.read_bytes(), random.Random(seed)))
        labels, refusal = outcome(lambda: segment(LiteModel(spoiled), PHOTO))
        assert labels is not None or "`" in refusal or str(spoiled) in refusal, refusal
        counts["refused" if labels is None else "answered"] += 1
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main()
