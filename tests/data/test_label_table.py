import numpy as np
import pytest

from keras_deeplab.data.label_table import LabelTable


def test_labels_without_a_map_are_the_stored_values() -> None:
    stored = np.array([[0, 2, 255]], "uint8")
    assert LabelTable(3).labels_of(stored).tolist() == stored.tolist()


def test_labels_with_a_map_are_looked_up() -> None:
    stored = np.array([[1, 60000, 0]], "uint16")
    labels = LabelTable(2, 255, {1: 0, 60000: 1, 0: 255}).labels_of(stored)
    assert labels.tolist() == [[0, 1, 255]]


def test_labels_above_15_bits_are_kept() -> None:
    stored = np.array([[40000]], "uint16")
    assert LabelTable(2, 40000).labels_of(stored).tolist() == [[40000]]


@pytest.mark.parametrize("stored_as", ["uint8", "uint16"])
@pytest.mark.parametrize(
    ("table", "dtype"),
    [
        (LabelTable(3), "uint8"),
        (LabelTable(256, None), "uint8"),
        (LabelTable(257, None), "uint16"),
        (LabelTable(3, 256), "uint16"),
        (LabelTable(3, 255, {7: 0, 9: 255, 0: 2}), "uint8"),
        (LabelTable(3, 300, {7: 0, 9: 300, 200: 2}), "uint16"),
    ],
)
def test_each_value_has_its_label_or_is_refused_alone(
    table: LabelTable, dtype: str, stored_as: str
) -> None:
    for value in range(256 if stored_as == "uint8" else 400):
        stored = np.array([[next(iter(table.entries)), value]], stored_as)
        if value in table.entries:
            labels = table.labels_of(stored)
            assert labels.tolist()[0][1] == table.entries[value]
            assert labels.dtype == dtype == table.dtype
        else:
            with pytest.raises(ValueError, match=rf"^holds {value}, but"):
                table.labels_of(stored)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (LabelTable(3), r"holds 3, 7, but labels go from 0 to 2, and 255 is ignored$"),
        (LabelTable(3, None), r"holds 3, 7, 255, but labels go from 0 to 2$"),
        (LabelTable(3, 255, {0: 0, 3: 1, 7: 2}), "holds 255, but .* knows 0, 3, 7$"),
    ],
)
def test_values_that_are_no_labels_are_named(table: LabelTable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table.labels_of(np.array([0, 3, 3, 7, 255], "uint8"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "`classes` .*classes=0"),
        ((3, 2), r"`ignore_label` must be above the classes.*ignore_label=2"),
        ((3, 1 << 16), "ignore_label=65536"),
        ((3, 255, {0: 3}), r"`label_map` .* to 0\.\.2 or.*label_map={0: 3}"),
        ((3, None, {0: 255}), "label_map={0: 255}"),
        ((3, 255, {-1: 0}), "label_map={-1: 0}"),
    ],
)
def test_tables_that_make_no_sense_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LabelTable(*arguments)
