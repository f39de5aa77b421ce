"""Who trains together, as the environment variable `TF_CONFIG` tells each worker."""

import dataclasses
import json
import os
import re
from typing import Any

VARIABLE = "TF_CONFIG"
EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The workers that train together.

    Attributes:
        addresses: `host:port` of each worker, the chief first.
        worker: Number of this one, from 0.
    """

    addresses: tuple[str, ...]
    worker: int

    @property
    def workers(self) -> int:
        """How many there are."""
        return len(self.addresses)


def read_cluster() -> Cluster:
    """Reads `TF_CONFIG`, and checks it: TensorFlow would wait for a wrong one forever.

    The roles are `worker` and, if wanted, one `chief`; there are no parameter servers
    in this kind of training. An `evaluator` is none of the workers, and refused.

    Raises:
        ValueError: If the variable is missing or is not such a cluster.
    """
    try:
        given = json.loads(os.environ.get(VARIABLE, ""))
    except json.JSONDecodeError as error:
        raise _refusal(f"must be JSON ({error})") from error
    cluster, task = _part(given, "cluster"), _part(given, "task")
    roles = {role: _addresses(cluster, role) for role in ("chief", "worker")}
    _check_roles(cluster, roles)
    place = task.get("type"), task.get("index")
    places = [(role, index) for role in roles for index in range(len(roles[role]))]
    if place not in places:
        raise _refusal(f"must have a task that is in its cluster, one of {places}")
    return Cluster((*roles["chief"], *roles["worker"]), places.index(place))


def _part(given: Any, name: str) -> dict[str, Any]:
    part = given.get(name) if isinstance(given, dict) else None
    if not isinstance(part, dict):
        raise _refusal(f"must be an object that has an object {name!r}")
    return part


def _addresses(cluster: dict[str, Any], role: str) -> list[str]:
    found = cluster.get(role, [])
    if not isinstance(found, list):
        raise _refusal(f"must list the addresses of the {role}")
    for address in found:
        if not isinstance(address, str) or not re.fullmatch(r".+:\d+", address):
            raise _refusal(f"must hold addresses 'host:port', not {address!r}")
    return found


def _check_roles(cluster: dict[str, Any], roles: dict[str, list[str]]) -> None:
    if other := set(cluster) - set(roles):
        raise _refusal(f"must have no roles but chief and worker, not {sorted(other)}")
    addresses = [*roles["chief"], *roles["worker"]]
    if not addresses or len(roles["chief"]) > 1:
        raise _refusal("must have at least one worker, and at most one chief")
    if len(set(addresses)) < len(addresses):
        raise _refusal("must have another address for each worker")


def _refusal(what: str) -> ValueError:
    return ValueError(
        f"`{VARIABLE}`, the environment variable that strategy 'multiworker' reads, "
        f"{what}. An example, for the first of two workers: {EXAMPLE}. "
        f"Received: {VARIABLE}={os.environ.get(VARIABLE)}"
    )
