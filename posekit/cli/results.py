"""What the commands that make one photograph share: sizes that fit, and the files that are written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from posekit.util.errors import InputError

MADE = "Made by posekit from another photograph; nobody was photographed like this."

if TYPE_CHECKING:
    from torch import Tensor

    from posekit.person import Person
    from posekit.systems.base import Result, System


def check_size(system: System, person: Person, photo: str | os.PathLike, advice: str) -> None:
    """InputError where a system is made for photographs of another size; advice: what to do, {0} being the size."""
    if system.size is not None and person.size != system.size:
        (h, w), (ph, pw) = system.size, person.size
        raise InputError(
            f"These weights work on photographs of {h} x {w} pixels, {photo} has {ph} x {pw}; {advice.format(h)}."
        )


def write_result(
    out: str | os.PathLike,
    panel: str | os.PathLike | None,
    source: Person,
    target: Person,
    result: Result,
    image: Tensor | None = None,
) -> Result:
    """Write the photograph, and where ``panel`` names a file, a picture of every intermediate.

    image: 3 h w, what is written in place of the result's photograph.
    """
    from posekit.data.photo import write_photo
    from posekit.plots import draw_panel, save_figure, steps_of

    write_photo(out, result.image[0] if image is None else image, note=MADE)
    if panel is not None:
        save_figure(panel, draw_panel(steps_of(source.batched(), result, target.batched()), size=2.2))
    return result
