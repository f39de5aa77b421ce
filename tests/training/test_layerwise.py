"""The optimizers against updates written out in NumPy."""

import contextlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.layers import AtrousConv, ConvBlock
from keras_deeplab.training import (
    LayerwiseAdamW,
    LayerwiseSGD,
    PolyDecay,
    SegmentationCrossEntropy,
    classifier_multipliers,
)

PATHS = (
    "body/kernel",
    "body/bias",
    "body/depthwise/kernel",
    "body/gamma",
    "logits/kernel",
    "logits/bias",
)
# For each of the above: the multiplier, and whether it decays.
SETTINGS = ((1, 1), (2, 0), (1, 0), (1, 0), (10, 1), (20, 0))
MULTIPLIERS = {**classifier_multipliers(), r"bias$": 2}

Array = np.ndarray
Both = LayerwiseSGD | LayerwiseAdamW
every_optimizer = pytest.mark.parametrize("cls", [LayerwiseSGD, LayerwiseAdamW])


class Variables:
    """Variables of given paths, and gradients for a few steps."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.start = [rng.normal(size=3).astype("float32") for _ in PATHS]
        self.gradients = [[rng.normal(size=3) for _ in PATHS] for _ in range(5)]

    def after(self, optimizer: Both) -> list[Array]:
        variables = []
        for path, value in zip(PATHS, self.start, strict=True):
            *scopes, name = path.split("/")
            with contextlib.ExitStack() as stack:
                for scope in scopes:
                    stack.enter_context(keras.name_scope(scope))
                variables.append(keras.Variable(value, name=name))
        assert [variable.path for variable in variables] == list(PATHS)
        optimizer.build(variables)
        for gradients in self.gradients:
            tensors = [keras.ops.convert_to_tensor(g, "float32") for g in gradients]
            optimizer.apply(tensors)
        return [np.array(variable) for variable in variables]


def sgd(rates: list[float], momentum: float, decay: float, nesterov: bool) -> list:
    """A step of `after` for one variable: w -= rate m, m = mu m + g + decay w."""
    given, found = Variables(), []
    for index, (multiplier, decays) in enumerate(SETTINGS):
        w, velocity = given.start[index].astype("float64"), 0.0
        for gradients, rate in zip(given.gradients, rates, strict=True):
            g = gradients[index] + decay * decays * w
            velocity = momentum * velocity - rate * multiplier * g
            step = momentum * velocity - rate * multiplier * g if nesterov else velocity
            w = w + step
        found.append(w)
    return found


def adam_w(rates: list[float], decay: float) -> list[Array]:
    given, found = Variables(), []
    for index, (multiplier, decays) in enumerate(SETTINGS):
        w, m, v = given.start[index].astype("float64"), 0.0, 0.0
        for step, (gradients, rate) in enumerate(
            zip(given.gradients, rates, strict=True), start=1
        ):
            g = gradients[index]
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            mean, size = m / (1 - 0.9**step), np.sqrt(v / (1 - 0.999**step))
            w = w - rate * multiplier * (mean / (size + 1e-7) + decay * decays * w)
        found.append(w)
    return found


POLY = [0.1 * (1 - step / 8) ** 0.9 for step in range(5)]
COMMON = {"multipliers": MULTIPLIERS, "weight_decay": 0.05}
CASES: dict[str, tuple[Callable[[], Both], list[Array]]] = {
    "sgd": (
        lambda: LayerwiseSGD(0.1, momentum=0.0, **COMMON),
        sgd([0.1] * 5, 0.0, 0.05, False),
    ),
    "momentum": (
        lambda: LayerwiseSGD(PolyDecay(0.1, 8), **COMMON),
        sgd(POLY, 0.9, 0.05, False),
    ),
    "nesterov": (
        lambda: LayerwiseSGD(0.1, nesterov=True, **COMMON),
        sgd([0.1] * 5, 0.9, 0.05, True),
    ),
    "adam_w": (
        lambda: LayerwiseAdamW(PolyDecay(0.1, 8), **COMMON),
        adam_w(POLY, 0.05),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_five_updates_equal_those_by_hand(name: str) -> None:
    make, expected = CASES[name]
    found = Variables().after(make())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_optimizer_made_again_from_its_configuration_updates_alike(name: str) -> None:
    optimizer = CASES[name][0]()
    saved = json.loads(json.dumps(keras.optimizers.serialize(optimizer)))
    assert saved["registered_name"] == f"keras_deeplab>{type(optimizer).__name__}"
    revived = keras.optimizers.deserialize(saved)
    assert revived.get_config() == optimizer.get_config()
    given = Variables()
    np.testing.assert_array_equal(given.after(revived), given.after(optimizer))


def test_updates_without_settings_are_those_of_keras() -> None:
    given = Variables()
    for ours, theirs in (
        (LayerwiseSGD(0.1), keras.optimizers.SGD(0.1, momentum=0.9)),
        (LayerwiseAdamW(0.1, weight_decay=0), keras.optimizers.Adam(0.1)),
    ):
        np.testing.assert_array_equal(given.after(ours), given.after(theirs))


def test_weight_decay_alone_shrinks_only_what_decays() -> None:
    given = Variables()
    given.gradients = [[np.zeros(3) for _ in PATHS]]
    found = given.after(LayerwiseSGD(0.1, weight_decay=0.5))
    shrunk = [
        w * (0.95 if s[1] else 1) for w, s in zip(given.start, SETTINGS, strict=True)
    ]
    np.testing.assert_allclose(found, shrunk, rtol=1e-6)
    decayed = given.after(LayerwiseSGD(0.1, weight_decay=0.5, undecayed=()))
    np.testing.assert_allclose(decayed, np.multiply(given.start, 0.95), rtol=1e-6)


@every_optimizer
def test_accumulated_gradients_decay_once(cls: type[Both]) -> None:
    given, twice = Variables(), Variables()
    twice.gradients = [g for g in given.gradients for _ in range(2)]
    accumulating = cls(0.1, **COMMON, gradient_accumulation_steps=2)
    np.testing.assert_allclose(
        twice.after(accumulating), given.after(cls(0.1, **COMMON)), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("kwargs", "mention"),
    [
        ({"weight_decay": -1}, "`weight_decay`.*weight_decay=-1"),
        ({"multipliers": {"x": -1}}, "`multipliers`.*multipliers=-1"),
        ({"multipliers": {"(": 1}}, r"`multipliers`.*expressions.*'\('"),
        ({"undecayed": ["("]}, r"`undecayed`.*expressions.*'\('"),
    ],
)
@every_optimizer
def test_arguments_out_of_range_are_refused_by_name(
    cls: type[Both], kwargs: dict[str, Any], mention: str
) -> None:
    with pytest.raises(ValueError, match=mention):
        cls(0.1, **kwargs)


def test_multiplier_that_matches_nothing_is_refused_and_nothing_built() -> None:
    optimizer = LayerwiseSGD(0.1, multipliers={"logits": 1, "asp/": 2})
    with pytest.raises(ValueError, match=r"logits/bias.*'asp/'"):
        Variables().after(optimizer)
    assert not optimizer.built


MODELS = {
    "v1": (keras_deeplab.DeepLabV1, {"filters": 4, "stage_filters": (2, 2, 2, 2, 2)}),
    "v2": (
        keras_deeplab.DeepLabV2,
        {"backbone": "vgg16", "hidden_filters": 4, "stage_filters": (2, 2, 2, 2, 2)},
    ),
    "v3": (keras_deeplab.DeepLabV3, {"backbone": "mobilenet_v2", "alpha": 0.35}),
    "lraspp": (keras_deeplab.LRASPP, {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_classifier_of_each_family_is_found_and_kernels_decay(name: str) -> None:
    make, kwargs = MODELS[name]
    model = make(classes=3, **kwargs)
    optimizer = LayerwiseSGD(
        0.1, multipliers=classifier_multipliers(), weight_decay=0.5
    )
    optimizer.build(model.trainable_variables)
    for variable in model.trainable_variables:
        multiplier = float(optimizer.rate_and_decay(variable, 1.0)[0])
        decay = optimizer.rate_and_decay(variable, 1.0)[1]
        last = variable.name if variable.shape[-1] == 3 else None
        assert multiplier == {"kernel": 10, "bias": 20, None: 1}[last], variable.path
        depthwise = len(variable.shape) == 4 and variable.shape[-1] == 1
        assert decay == 0.5 * (len(variable.shape) == 4 and not depthwise)


def small_model() -> keras.Model:
    """A network without batch norm, where images do not meet."""
    inputs = keras.Input((None, None, 3))
    x = ConvBlock(6, rate=2, batch_norm=False, name="body")(inputs)
    x = ConvBlock(6, separable=True, batch_norm=False, name="more")(x)
    return keras.Model(inputs, AtrousConv(3, 1, name="logits")(x))


def photos(count: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(count, 17, 17, 3)).astype("float32")
    return images, rng.integers(0, 3, (count, 17, 17)).astype("uint8")


def optimizer_of(cls: type[Both], **kwargs: Any) -> Both:
    rate = 0.05 if cls is LayerwiseSGD else 0.001
    multipliers = classifier_multipliers()
    return cls(rate, multipliers=multipliers, weight_decay=0.01, **kwargs)


def fitted(model: keras.Model, optimizer: Any, **kwargs: Any) -> keras.Model:
    model.compile(optimizer, SegmentationCrossEntropy())
    model.fit(*photos(4), shuffle=False, verbose=0, **kwargs)
    return model


def check_alike(model: keras.Model, other: keras.Model, atol: float = 1e-6) -> None:
    for found, expected in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(found, expected, atol=atol, err_msg=found.path)


def moved(model: keras.Model, other: keras.Model) -> float:
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return max(np.abs(a - b).max() for a, b in pairs)


@every_optimizer
def test_accumulation_over_two_halves_equals_the_whole_batch(cls: type[Both]) -> None:
    start, whole, halves = small_model(), small_model(), small_model()
    for model in (whole, halves):
        model.set_weights(start.get_weights())
    fitted(whole, optimizer_of(cls), batch_size=4, epochs=3)
    steps = optimizer_of(cls, gradient_accumulation_steps=2)
    fitted(halves, steps, batch_size=2, epochs=3)
    assert moved(whole, start) > 1e-3
    check_alike(halves, whole, atol=1e-5)


@every_optimizer
def test_training_from_a_saved_file_goes_on_as_without_a_break(
    cls: type[Both], tmp_path: pathlib.Path
) -> None:
    through, broken = small_model(), small_model()
    broken.set_weights(through.get_weights())
    fitted(through, optimizer_of(cls), epochs=4)
    fitted(broken, optimizer_of(cls), epochs=2)
    broken.save(tmp_path / "model.keras")
    revived = keras.saving.load_model(tmp_path / "model.keras")
    revived.fit(*photos(4), shuffle=False, verbose=0, epochs=2)
    check_alike(revived, through)
    assert moved(broken, through) > 1e-3


def test_moving_average_of_the_weights_is_that_of_every_step() -> None:
    averaged, plain = small_model(), small_model()
    plain.set_weights(averaged.get_weights())
    kept: list[list[Array]] = []
    copy = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: kept.append(plain.get_weights())
    )
    fitted(plain, optimizer_of(LayerwiseSGD), batch_size=2, callbacks=[copy], epochs=2)
    ema = optimizer_of(LayerwiseSGD, use_ema=True, ema_momentum=0.6)
    fitted(averaged, ema, batch_size=2, epochs=2)
    expected = kept[0]
    for weights in kept[1:]:
        expected = [0.6 * e + 0.4 * w for e, w in zip(expected, weights, strict=True)]
    for found, value in zip(averaged.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, value, atol=1e-6)
    assert moved(averaged, plain) > 1e-3


@every_optimizer
def test_half_precision_with_loss_scaling_arrives_near_full_precision(
    cls: type[Both], tmp_path: pathlib.Path
) -> None:
    full = small_model()
    start = full.get_weights()
    fitted(full, optimizer_of(cls), epochs=3)
    assert (
        max(np.abs(a - b).max() for a, b in zip(full.get_weights(), start, strict=True))
        > 0.02
    )
    keras.config.set_dtype_policy("mixed_float16")
    half = small_model()
    half.set_weights(start)
    fitted(half, optimizer_of(cls), epochs=3)
    assert isinstance(half.optimizer, keras.optimizers.LossScaleOptimizer)
    assert int(half.optimizer.inner_optimizer.iterations) == 3
    check_alike(half, full, atol=0.002)
    half.save(tmp_path / "half.keras")
    revived = keras.saving.load_model(tmp_path / "half.keras")
    inner = revived.optimizer.inner_optimizer
    assert inner.get_config() == half.optimizer.inner_optimizer.get_config()


def test_schedule_with_accumulation_counts_batches() -> None:
    rates = []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: rates.append(
            float(model.optimizer.learning_rate)
        )
    )
    model = small_model()
    optimizer = LayerwiseSGD(PolyDecay(0.1, 4, power=1), gradient_accumulation_steps=2)
    fitted(model, optimizer, batch_size=1, callbacks=[note])
    assert rates == pytest.approx([0.075, 0.05, 0.025, 0.0])
