"""What the benchmarks share: rounds in which all take turns, and Markdown tables."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

ROUNDS = 5
# Quartiles further apart than this share of the median are marked in tables.
UNSTEADY = 0.15


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds of the rounds of one contestant."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """The distance of the quartiles, as a share of the median."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (high - low) / self.median

    def ratio(self, to: "Timing") -> float:
        """The median of the ratios of each round, which a busy machine moves least."""
        pairs = zip(self.seconds, to.seconds, strict=True)
        return statistics.median(mine / other for mine, other in pairs)

    def mark(self) -> str:
        """What a table adds to a number that is not steady."""
        return f" (±{self.spread:.0%})" if self.spread > UNSTEADY else ""


def clock(run: Callable[[], object]) -> float:
    """Seconds that a run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def processor_clock(run: Callable[[], object]) -> float:
    """Seconds that a run keeps processors busy, whatever else the machine does."""
    start = time.process_time()
    run()
    return time.process_time() - start


def take_turns(
    runs: Mapping[str, Callable[[], object]],
    *,
    rounds: int = ROUNDS,
    warm_ups: int = 1,
    measure: Callable[[Callable[[], object]], float] = clock,
) -> dict[str, Timing]:
    """Times runs one after the other, round by round.

    What else the machine does meets all of them alike. The first rounds warm up: they
    trace, compile and fill caches, and do not count.
    """
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for index in range(warm_ups + rounds):
        for name, run in runs.items():
            seconds = measure(run)
            if index >= warm_ups:
                taken[name].append(seconds)
    return {name: Timing(tuple(seconds)) for name, seconds in taken.items()}


def print_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a Markdown table, each row as soon as it is known."""
    for row in (titles, ["---"] * len(titles), *rows):
        print("|", " | ".join(map(str, row)), "|", flush=True)
