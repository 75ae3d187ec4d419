"""Files of 68 points of a face, `.pts`, as 300-VW keeps one for every frame of a video.

    version: 1
    n_points:  68
    {
    512.3 288.9
    ...
    }

A line is x and y in pixels, counted from 1 as Matlab does: the centre of the first pixel is (1, 1).
"""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from posekit.util.errors import InputError
from posekit.util.reading import read_text

POINTS = 68
_MOST = 100_000  # bytes; such a file has some 1,300
_LAYOUT = re.compile(r"version:\s*\d+\s+n_points:\s*(\d{1,9})\s*\{(.*)\}\s*", re.DOTALL)


def read_points_file(path: str | Path) -> Float[np.ndarray, "68 2"]:
    """(x, y) of the 68 points in pixels, the centre of the first pixel at (0, 0).  Raises InputError."""
    path = Path(path)
    try:
        text = read_text(path, _MOST, "ascii")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as a file of points (.pts): {why}.") from error
    layout = _LAYOUT.fullmatch(text.strip())
    if layout is None:
        raise InputError(f"{path} is no file of points: 'version: 1', 'n_points: 68' and lines of x and y in braces.")
    words = layout[2].split()
    try:
        numbers = np.array([float(word) for word in words])
    except ValueError as error:
        raise InputError(f"{path} has something else than numbers in its braces: {error}.") from error
    if int(layout[1]) != POINTS or numbers.size != 2 * POINTS:
        raise InputError(f"{path} should hold {POINTS} points, says {layout[1]} and holds {numbers.size / 2:g}.")
    if not np.isfinite(numbers).all():
        raise InputError(f"{path} holds a point that is no place; leave the frame out.")
    return numbers.reshape(POINTS, 2) - 1
