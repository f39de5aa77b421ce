"""Puts a server under load; prints what failed, and how long the answers took.

    python examples/serving/load.py PHOTO... --server localhost:8501 --requests 200

Each of `--concurrency` callers waits for its answer before it asks again.
"""

import argparse
import dataclasses
import itertools
import pathlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from client import ServingError, ask_grpc, ask_rest, upright_file


@dataclasses.dataclass(frozen=True)
class Load:
    """What came back, and the seconds that each request and all of them took."""

    answers: list[bytes | ServingError]
    seconds: list[float]
    total: float

    def summary(self) -> str:
        middle, most = np.percentile(self.seconds, (50, 95))
        return (
            f"{len(self.answers)} requests, {len(self.errors)} errors, "
            f"{len(self.answers) / self.total:.1f} a second, "
            f"p50 {1000 * middle:.0f} ms, p95 {1000 * most:.0f} ms"
        )

    @property
    def errors(self) -> list[ServingError]:
        return [answer for answer in self.answers if isinstance(answer, ServingError)]


def put_load(
    ask: Callable[[bytes], bytes], photos: Sequence[bytes], concurrency: int
) -> Load:
    """Asks for every photo, by so many callers at a time."""

    def timed(photo: bytes) -> tuple[bytes | ServingError, float]:
        start = time.perf_counter()
        answer: bytes | ServingError
        try:
            answer = ask(photo)
        except ServingError as error:
            answer = error
        return answer, time.perf_counter() - start

    start = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as callers:
        answers, seconds = zip(*callers.map(timed, photos), strict=True)
    return Load(list(answers), list(seconds), time.perf_counter() - start)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=pathlib.Path, nargs="+")
    parser.add_argument("--server", default="localhost:8501", metavar="HOST:PORT")
    parser.add_argument("--grpc", action="store_true", help="instead of REST")
    parser.add_argument("--model", default="street", help="its name at the server")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=8)
    arguments = parser.parse_args(argv)

    ask = ask_grpc if arguments.grpc else ask_rest
    files = itertools.cycle(map(upright_file, arguments.photos))
    load = put_load(
        lambda photo: ask(arguments.server, arguments.model, photo),
        list(itertools.islice(files, arguments.requests)),
        arguments.concurrency,
    )
    print(f"{arguments.concurrency} callers: {load.summary()}")
    if load.errors:
        print(f"The first error: {load.errors[0]}")


if __name__ == "__main__":
    main()
