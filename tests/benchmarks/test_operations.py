import importlib

import pytest
import tensorflow as tf

FOUND = {
    "ours": {"Conv": (3, 0.6), "Add": (9, 0.002), "Pad": (2, 0.398)},
    "theirs": {"Conv": (2, 0.5), "Norm": (4, 0.2), "Add": (1, 0.001)},
}


def test_rows_when_kinds_differ_have_all_of_either_as_shares_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = importlib.import_module("operations")
    monkeypatch.setattr(module, "OURS", "ours")
    assert list(module.rows(FOUND)) == [
        ("Conv", "3: 0.600", "2: 0.500"),
        ("Pad", "2: 0.398", "0: 0.000"),
        ("Norm", "0: 0.000", "4: 0.200"),
        ("others", "0.002", "0.001"),
        ("all", "1.000", "0.701"),
    ]


def test_measure_when_a_function_runs_counts_its_operations_once_a_round() -> None:
    weights = tf.random.normal((200, 200))

    @tf.function
    def run() -> tf.Tensor:
        return tf.sort(tf.cumsum(tf.sort(weights)) + tf.cumsum(weights, 1))

    run()
    kinds = importlib.import_module("op_seconds").measure(run, rounds=3)
    assert kinds["Cumsum"][0] == 2
    assert 0 < kinds["Cumsum"][1] < 1
