"""A whole training, from a recipe and data to a folder of results."""

import contextlib
import importlib.util
import json
import os
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_deeplab.models import Segmenter
from keras_deeplab.training.batches import Batches
from keras_deeplab.training.build import build_model, compile_model, rebuild_model
from keras_deeplab.training.checkpoints import Checkpoint
from keras_deeplab.training.class_weights import median_frequency_weights
from keras_deeplab.training.find_data import Splits, find_data
from keras_deeplab.training.recipe import Recipe
from keras_deeplab.training.recipes import find_recipe
from keras_deeplab.training.recorder import Recorder
from keras_deeplab.training.replicas import Replicas
from keras_deeplab.training.report import (
    describe_command,
    describe_data,
    describe_files,
    describe_recipe,
    describe_versions,
)
from keras_deeplab.training.run_folder import RunFolder
from keras_deeplab.training.stop_on_nan import StopOnNaN
from keras_deeplab.training.strategy import make_strategy

# No checksum of 32 bits.
_REFUSED = -1


def train(
    recipe: str | Recipe,
    data: str | os.PathLike[str] | Splits,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    cache: bool = False,
    workers: int = 1,
    strategy: str | Replicas = "none",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    command: Sequence[str] | None = None,
    verbose: Any = "auto",
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Trains a model and writes all that is left of it into a folder.

    `best.keras` and `last.keras` hold the model of the best and of the last evaluation,
    with averaged weights if the recipe has them; `history.csv`, `curves.png`,
    `samples.png` and `report.json` tell how it went, `recipe.json` and `report.json`
    how to repeat it. Where it begins with the weights of a whole model, the report has
    their scores too. With TensorFlow, and the package tensorboard installed,
    `tensorboard/` has the same for TensorBoard.

    Killed at any time, the same call with `resume=True` goes on after the last whole
    epoch, and arrives at the weights of a training that was not killed: bit by bit on
    a CPU, and within rounding on a GPU, which adds up in any order. The seeds of
    Python, NumPy and Keras are set to the recipe's.

    Args:
        recipe: A recipe, or its name in `RECIPES`.
        data: The data, or a folder; see `find_data`.
        out: The folder to write; new or empty, unless `resume` is set.
        resume: Whether to go on with the training in `out`, if there is one.
        cache: Whether decoded photos are kept in memory: about 5 bytes a pixel.
        workers: Threads that make batches, on other backends than TensorFlow.
        strategy: A name for `make_strategy`, or what it made, to train on several
            devices or machines, which share each batch. With several workers all call
            this with the same `out`, in a folder that they share, and the chief, which
            alone scores and writes, returns the report of it all; the others return
            what they knew at the beginning.
        callbacks: Further callbacks of `fit`. With several workers they run on each,
            and the scores are in the logs of the chief alone.
        command: The command to repeat, for the report; `None` for the process's own.
        verbose: As in `fit`.
        say: Told what is done, one sentence at a time.

    Returns:
        The content of `report.json`.

    Raises:
        ValueError: If `out` is not empty, its training is another one, the data do
            not suit the recipe, a field of it is out of range, or the replicas cannot
            share its batches.
        OSError: If a file cannot be read or written, or `out` lies on a disk that
            knows no locks; a `BlockingIOError` if another process trains in `out`, and
            a `ConnectionError` if another worker is gone.
        FloatingPointError: If the loss or a weight is not finite. The message names
            the step, the files of its batch and the last good checkpoint.
    """
    # Before anything else: TensorFlow connects the workers when it begins.
    replicas = make_strategy(strategy) if isinstance(strategy, str) else strategy
    recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
    replicas.share(recipe.batch_size)
    say = say if say is not None and replicas.is_chief else _silent
    splits = data if isinstance(data, Splits) else find_data(recipe, data)
    folder = RunFolder(Path(out))
    # Of several workers the chief checks when the others can be told.
    if replicas.workers == 1:
        folder.check(recipe, resume=resume)
    checkpoint = folder.checkpoints.newest() if resume else None
    keras.utils.set_random_seed(recipe.seed)
    class_weights = _class_weights(recipe, splits)
    with replicas:
        model = _model(recipe, splits, checkpoint)
        batches = Batches(splits.train, recipe, model, cache=cache, workers=workers)
        trained = compile_model(
            model,
            recipe,
            steps_per_epoch=batches.steps,
            ignore_label=splits.train.ignore_label,
            class_weights=class_weights,
        )
    recorder = Recorder(
        folder,
        recipe,
        model,
        splits.val,
        epochs=recipe.total_epochs(batches.steps),
        facts={
            "recipe": describe_recipe(recipe, splits),
            **describe_command(command),
            "versions": describe_versions(),
            "data": describe_data(splits),
            "files": describe_files(splits),
            "class_weights": class_weights,
            "steps_per_epoch": batches.steps,
            "replicas": replicas.count,
            "parameters": model.count_params(),
        },
    )
    with contextlib.ExitStack() as held:
        try:
            if checkpoint is not None:
                recorder.restore(trained, checkpoint)
            if replicas.is_chief:
                held.enter_context(folder.begin(recipe, resume=resume))
        except (OSError, ValueError):
            # The others wait for this step, and then end as well.
            replicas.agree(_REFUSED)
            raise
        _check_same_start(replicas, recorder, folder)
        if checkpoint is not None:
            say(f"Going on after epoch {recorder.done} of {recorder.epochs}")
        if replicas.is_chief:
            recorder.write_report()
        if recorder.done < recorder.epochs:
            on_chief = replicas.on_chief([recorder, *_tensorboard(folder)])
            # What comes after the recorder sees its scores in the logs.
            after = [*on_chief, *callbacks]
            verbose = verbose if replicas.is_chief else 0
            _fit(trained, batches, recorder, replicas, after, verbose)
    return recorder.report


def _model(recipe: Recipe, splits: Splits, checkpoint: Checkpoint | None) -> Segmenter:
    if checkpoint is None:
        return build_model(recipe, splits.train)
    return rebuild_model(recipe, checkpoint.facts["config"])


def _check_same_start(
    replicas: Replicas, recorder: Recorder, folder: RunFolder
) -> None:
    start = recorder.report
    told = [start[key] for key in ("recipe", "data", "epochs_done")]
    # Never that of a refusal.
    if not replicas.agree(zlib.crc32(json.dumps(told).encode())):
        raise ValueError(
            "All workers must train the same, in an `out` that they share: another one "
            "has another recipe, other data or another checkpoint, or may not write "
            f"there. Received: out={folder.path}, after epoch {recorder.done}"
        )


def _fit(
    trained: keras.Model,
    batches: Batches,
    recorder: Recorder,
    replicas: Replicas,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: Any,
) -> None:
    arguments, needed = batches.from_epoch(recorder.done)
    try:
        trained.fit(
            **arguments,
            initial_epoch=recorder.done,
            epochs=recorder.epochs,
            shuffle=False,
            verbose=verbose,
            callbacks=[*needed, StopOnNaN(files=batches.files), *callbacks],
        )
    except FloatingPointError as error:
        good = recorder.last_good or "none"
        raise FloatingPointError(
            f"{error} The last good checkpoint: {good}."
        ) from error
    except Exception as error:
        if not replicas.is_lost_worker(error):
            raise
        raise ConnectionError(
            f"Another worker is gone. Start all of them again with `resume`. ({error})"
        ) from error


def _class_weights(recipe: Recipe, splits: Splits) -> list[float] | None:
    if recipe.class_weights is None:
        return None
    return median_frequency_weights(
        splits.train, power=recipe.class_weight_power, limits=recipe.class_weight_range
    )


def _tensorboard(folder: RunFolder) -> list[keras.callbacks.Callback]:
    # TensorFlow writes its files with the help of a package that it does not bring.
    there = importlib.util.find_spec("tensorboard") is not None
    if keras.backend.backend() != "tensorflow" or not there:
        return []
    return [keras.callbacks.TensorBoard(folder.tensorboard, write_graph=False)]


def _silent(message: str) -> None:
    pass
