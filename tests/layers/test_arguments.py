from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from keras_deeplab.layers import arguments


def test_sizes_of_one_or_two_integers_are_a_height_and_a_width() -> None:
    assert arguments.size_of(size=None) is None
    assert arguments.size_of(size=33) == (33, 33)
    # As JSON gives it back.
    assert arguments.size_of(size=[33, 65]) == (33, 65)


def test_rate_of_a_pair_is_one_number_where_both_agree() -> None:
    assert arguments.rate_of(rate=6) == 6
    assert arguments.rate_of(rate=[6, 6]) == 6
    assert arguments.rate_of(rate=[1, 6]) == (1, 6)
    with pytest.raises(ValueError, match=r"one for the width\. Received: rate=None"):
        arguments.rate_of(rate=None)


def test_rates_of_any_sequence_are_a_tuple() -> None:
    assert arguments.rates_of(rates=[6, 12]) == (6, 12)
    assert arguments.rates_of(rates=()) == ()


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", True, None])
def test_value_that_is_no_positive_integer_is_named_in_the_error(value: Any) -> None:
    message = rf"`count` must be an integer of at least 1\. Received: count={value!r}"
    with pytest.raises(ValueError, match=message):
        arguments.positive(count=value)


def test_numpy_integers_become_plain_ones() -> None:
    for found in (
        arguments.positive(count=np.int64(3)),
        arguments.rates_of(rates=np.array([3]))[0],
        (arguments.size_of(size=np.int32(3)) or (0,))[0],
    ):
        assert type(found) is int
        assert found == 3


@pytest.mark.parametrize("value", [1, -0.1, "0.5", None])
def test_value_that_is_no_fraction_is_named_in_the_error(value: Any) -> None:
    with pytest.raises(ValueError, match=rf"`share` .*Received: share={value!r}"):
        arguments.fraction(share=value)


def test_image_data_format_other_than_channels_last_is_refused() -> None:
    arguments.check_channels_last()
    keras.config.set_image_data_format("channels_first")
    message = (
        r"format 'channels_last' only\. Call `keras\.config\.set_image_data_format\("
        r"'channels_last'\)`\. Received: image_data_format='channels_first'"
    )
    with pytest.raises(ValueError, match=message):
        arguments.check_channels_last()


@pytest.mark.parametrize("given", [-0.1, float("nan"), float("inf"), "1", None, True])
@pytest.mark.parametrize("check", [arguments.not_negative, arguments.above_zero])
def test_number_that_is_none_or_negative_is_refused_by_name(
    check: Callable[..., float], given: Any
) -> None:
    with pytest.raises(ValueError, match=rf"`rate` .*rate={given!r}"):
        check(rate=given)


def test_number_of_any_kind_becomes_a_float() -> None:
    for given in (2, 2.0, np.float32(2)):
        for check in (arguments.not_negative, arguments.above_zero):
            assert check(rate=given) == 2
            assert type(check(rate=given)) is float
    assert arguments.not_negative(rate=0) == 0
    with pytest.raises(ValueError, match=r"`rate` must be above 0.*rate=0"):
        arguments.above_zero(rate=0)
