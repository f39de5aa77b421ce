import keras
import numpy as np
import pytest

from keras_deeplab.training import StopOnNaN

GOOD = np.ones((8, 1), "float32")


def model(rate: float = 0.1, **kwargs: int) -> keras.Model:
    made = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")]
    )
    made.compile(keras.optimizers.SGD(rate), "mse", **kwargs)
    return made


def spoiled(batch: int) -> np.ndarray:
    x = GOOD.copy()
    x[batch] = np.nan
    return x


def after(steps: int) -> list[np.ndarray]:
    """The weights after that many steps on good batches."""
    made = model()
    if steps:
        made.fit(GOOD[:steps], GOOD[:steps], batch_size=1, verbose=0)
    return made.get_weights()


def test_loss_that_is_nan_stops_with_the_step_the_files_and_good_weights() -> None:
    made = model()
    stop = StopOnNaN(keep_every=2, files=lambda epoch, batch: [f"{epoch}_{batch}.jpg"])
    with pytest.raises(FloatingPointError) as error:
        made.fit(
            spoiled(5), GOOD, batch_size=1, shuffle=False, verbose=0, callbacks=[stop]
        )
    assert "loss is nan after step 6 (epoch 0, batch 5)" in str(error.value)
    assert "weights of step 4 again" in str(error.value)
    assert "['0_5.jpg']" in str(error.value)
    for found, expected in zip(made.get_weights(), after(4), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_loss_that_is_nan_in_a_later_epoch_names_it() -> None:
    made = model()
    batches = iter([*np.split(GOOD, 8), *np.split(spoiled(2), 8)])

    def dataset():  # type: ignore[no-untyped-def]
        for x in batches:
            yield x, GOOD[:1]

    with pytest.raises(FloatingPointError, match=r"step 11 \(epoch 1, batch 2\)"):
        made.fit(
            dataset(),
            shuffle=False,
            steps_per_epoch=8,
            epochs=2,
            verbose=0,
            callbacks=[StopOnNaN()],
        )
    for found, expected in zip(made.get_weights(), after(0), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_steps_of_one_execution_are_all_counted() -> None:
    made = model(steps_per_execution=2)
    with pytest.raises(FloatingPointError, match=r"step 6 .*batch 5.* of step 4 "):
        made.fit(
            spoiled(4),
            GOOD,
            batch_size=1,
            shuffle=False,
            verbose=0,
            callbacks=[StopOnNaN(keep_every=3)],
        )
    for found, expected in zip(made.get_weights(), after(4), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_update_that_spoils_the_weights_is_found_when_they_are_copied() -> None:
    # The loss is taken before the update, and is still fine.
    made = model(rate=float("inf"))
    with pytest.raises(FloatingPointError, match=r"not finite: .*kernel.* step 1 "):
        made.fit(GOOD, GOOD, verbose=0, callbacks=[StopOnNaN(keep_every=1)])
    assert all(np.isfinite(weight).all() for weight in made.get_weights())


def test_training_from_spoiled_weights_is_refused_before_the_first_step() -> None:
    made = model()
    made.set_weights([np.full((1, 1), np.nan), np.zeros(1)])
    with pytest.raises(FloatingPointError, match=r"step 0 .*as they were"):
        made.fit(GOOD, GOOD, verbose=0, callbacks=[StopOnNaN()])


def test_training_that_goes_well_is_left_alone() -> None:
    made = model()
    made.fit(GOOD, GOOD, batch_size=1, verbose=0, callbacks=[StopOnNaN(keep_every=1)])
    for found, expected in zip(made.get_weights(), after(8), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_number_of_batches_below_1_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`keep_every`.*keep_every=0"):
        StopOnNaN(keep_every=0)
