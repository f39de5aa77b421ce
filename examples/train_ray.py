"""Trains on a folder of photos and masks, by as many workers as a Ray cluster gives.

    python examples/train_ray.py DATA OUT.keras --workers 2

`DATA` has photos in `images/`, masks in `masks/` and `classes.txt`, one name a line; it
and `OUT` lie where every worker finds them. `RAY_ADDRESS` names the cluster; without
it Ray starts on this machine. One worker needs no Ray (`pip install
'keras-deeplab[ray]'`), and comes to the same weights. Ray keeps its logs beside `OUT`.
"""

import argparse
import os
from collections.abc import Sequence
from typing import Any

SIZE = 65


def train(settings: dict[str, Any]) -> None:
    """What every worker does; Ray Train has set `TF_CONFIG`."""
    import keras

    from keras_deeplab import LRASPP, data, metrics, training

    together = settings["workers"] > 1
    # First of all: TensorFlow connects the workers before it does anything else.
    replicas = training.make_strategy("multiworker" if together else "none")
    keras.utils.set_random_seed(0)
    folder = data.load_folder(settings["data"])
    classes = len(folder.class_names)
    with replicas:
        model = LRASPP(
            "mobilenet_v3_small",
            alpha=settings["alpha"],
            classes=classes,
            input_shape=(SIZE, SIZE, 3),
            include_preprocessing=True,
        )
        model.compile(
            training.LayerwiseSGD(0.01),
            training.SegmentationCrossEntropy(),
            metrics=[metrics.MeanIoU(classes)],
        )
    batch_size = settings["batch_size"]
    batches = data.make_dataset(
        folder,
        batch_size=batch_size,
        crop_size=SIZE,
        augment=data.Augmentation(),
        seed=0,
        repeat=True,
    )
    steps = max(len(folder.pairs) // batch_size, 1)
    print(f"{replicas.count} replicas of {replicas.share(batch_size)} images each")
    model.fit(
        batches,
        epochs=settings["epochs"],
        steps_per_epoch=steps,
        shuffle=False,
        verbose=2 if replicas.is_chief else 0,
    )
    if replicas.is_chief:
        model.save(settings["out"])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    # A worker has another working directory.
    parser.add_argument("data", type=os.path.abspath)
    parser.add_argument("out", type=os.path.abspath)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gpu", action="store_true", help="a GPU for each worker")
    parser.add_argument("--batch-size", type=int, default=16, help="of all workers")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--alpha", type=float, default=1.0)
    settings = vars(parser.parse_args(argv))
    if settings["workers"] == 1:
        train(settings)
        return

    from ray.train import RunConfig, ScalingConfig
    from ray.train.tensorflow import TensorflowTrainer

    TensorflowTrainer(
        train,
        train_loop_config=settings,
        scaling_config=ScalingConfig(
            num_workers=settings["workers"], use_gpu=settings["gpu"]
        ),
        run_config=RunConfig(storage_path=os.path.dirname(settings["out"])),
    ).fit()


if __name__ == "__main__":
    main()
