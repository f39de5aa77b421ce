import importlib
import pathlib
import sys

import pytest


@pytest.fixture
def rounds():
    return importlib.import_module("rounds")


def test_take_turns_when_warm_counts_whole_rounds_in_turn(rounds) -> None:
    called = []
    clock = iter(range(100))

    def measure(run) -> float:
        run()
        return float(next(clock))

    found = rounds.take_turns(
        {name: lambda name=name: called.append(name) for name in "ab"},
        rounds=2,
        warm_ups=1,
        measure=measure,
    )
    assert called == ["a", "b"] * 3
    assert found["a"].seconds == (2.0, 4.0)
    assert found["b"].seconds == (3.0, 5.0)


def test_clock_when_a_run_takes_a_while_tells_it(rounds) -> None:
    time = importlib.import_module("time")
    assert 0.02 <= rounds.clock(lambda: time.sleep(0.02)) < 1


def test_timing_when_a_round_is_slow_for_all_keeps_the_ratio(rounds) -> None:
    ours = rounds.Timing((1.0, 1.0, 10.0))
    theirs = rounds.Timing((2.0, 2.0, 30.0))
    assert theirs.ratio(ours) == 2
    assert theirs.median == 2


def test_mark_when_quartiles_are_far_apart_says_so(rounds) -> None:
    # Quartiles of 1 ... 5 are 2 and 4, of the median 3.
    unsteady = rounds.Timing((5.0, 1.0, 4.0, 2.0, 3.0))
    assert unsteady.spread == pytest.approx(2 / 3)
    assert unsteady.mark() == " (±67%)"
    assert rounds.Timing((1.0, 1.01, 1.02)).mark() == ""
    assert rounds.Timing((1.0,)).spread == 0


def test_print_table_when_given_rows_is_markdown(rounds, capsys) -> None:
    rounds.print_table(("a", "b"), [(1, "x"), (2, "y")])
    lines = ["| a | b |", "| --- | --- |", "| 1 | x |", "| 2 | y |"]
    assert capsys.readouterr().out.splitlines() == lines


MODULE = """
import os

class Built:
    def __init__(self, side):
        self.side = side
    def area(self):
        print("not an answer")
        os.write(1, b"nor this")
        return self.side ** 2
    def die(self):
        os._exit(3)

def build(side):
    if side < 0:
        raise ValueError("below 0\\nand more")
    return Built(side)
"""


def test_worker_when_asked_answers_in_its_own_process(tmp_path: pathlib.Path) -> None:
    process = importlib.import_module("process")
    (tmp_path / "squares.py").write_text(MODULE)
    variables = {"PYTHONPATH": str(tmp_path)}
    with process.Worker(sys.executable, "squares", variables) as worker:
        with pytest.raises(process.WorkerError, match=r"^ValueError: below 0$"):
            worker.ask("build", side=-1)
        worker.ask("build", side=3)
        answer = worker.ask("area")
        assert answer["result"] == 9
        assert 0 <= answer["seconds"] < 1
        assert answer["peak_bytes"] > 2**20
        with pytest.raises(process.WorkerError, match="code 3"):
            worker.ask("die")


def test_worker_when_its_library_is_missing_says_so() -> None:
    process = importlib.import_module("process")
    with (
        process.Worker(sys.executable, "no_such_peer") as worker,
        pytest.raises(process.WorkerError, match="no_such_peer"),
    ):
        worker.ask("build")
