"""How far the pixels of a label map are from its boundaries."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def squared_boundary_distances(labels: Array, limit: int) -> Array:
    """Measures how far each pixel is from the nearest one of another label.

    Exact Euclidean distances, in two passes: down each column, then across the rows.
    In a row's pixel at a distance of `step` either another label begins at once, or its
    own column tells how far that is; there is no other case. What lies beyond the edge
    of the map is no boundary.

    Args:
        labels: Integers, `(H, W)`. A label to ignore is a label like any other.
        limit: Distance up to which the answer has to be exact, at least 1.

    Returns:
        Integer squared distances, `(H, W)`: the exact one up to `limit ** 2`, or any
        larger number.

    Examples:
        >>> squared_boundary_distances(np.array([[0, 0, 0, 1]]), limit=2).tolist()
        [[9, 4, 1, 1]]
    """
    above = _distances_above(labels, limit)
    below = _distances_above(labels[::-1], limit)[::-1]
    # The largest sum of two squares is below twice (limit + 1) squared.
    kind = "int32" if limit < 2**15 else "int64"
    columns = np.minimum(above, below).astype(kind) ** 2
    nearest = columns.copy()
    for step in range(1, min(limit, labels.shape[1] - 1) + 1):
        left, right = np.s_[:, :-step], np.s_[:, step:]
        same = labels[left] == labels[right]
        for here, there in ((left, right), (right, left)):
            found = np.where(same, columns[there], 0) + step**2
            np.minimum(nearest[here], found, out=nearest[here])
    return nearest


def _distances_above(labels: Array, limit: int) -> Array:
    """Up each column: rows to the nearest other label, at most `limit + 1`."""
    far = np.int32(limit + 1)
    distances = np.full(labels.shape, far)
    for row in range(1, len(labels)):
        changed = labels[row] != labels[row - 1]
        further = np.minimum(distances[row - 1] + 1, far)
        distances[row] = np.where(changed, 1, further)
    return distances
