"""Live figures on training: the curve of a run as its log grows; failures of any strength under every metric."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as W
from matplotlib.figure import Figure
from PIL import Image

from posekit.person import Pair
from posekit.systems.base import Stage, System
from posekit.training.runlog import read_log
from posekit_course.full_training import figures
from posekit_course.full_training.failures import CHANGED, FAILURES, HARMLESS, Failures, badness, measure
from posekit_course.live import Live, live, to_png


class LiveCurve:
    """The curve of a run, drawn again as its log grows: ``fit(..., folder, on_step=curve)``.

        curve = LiveCurve(folder, total).show()     a picture appears in the cell, and then follows the training

    It knows nothing but the file, so it goes on where a restarted run goes on.  In a saved notebook stands the last
    picture.

    Args:
        folder: of the run.  total: steps in all.  seconds: between two pictures at the least.
    """

    def __init__(self, folder: str | Path, total: int | None = None, seconds: float = 2.0):
        self.path, self.total, self.seconds = Path(folder) / "log.jsonl", total, seconds
        self._handle: Any = None
        self._drawn = float("-inf")

    def figure(self) -> Figure:
        """The curve of the log as it is now."""
        records = read_log(self.path)[1] if self.path.is_file() else []
        return figures.draw_curves(records, self.total)

    def show(self) -> LiveCurve:
        """Put the picture into the cell that runs."""
        from IPython.display import display

        self._handle = display(self._bundle(), raw=True, display_id=True)
        return self

    def __call__(self, system: System | None = None, stage: Stage | None = None, done: int = 0) -> None:
        """A step is done: draw again if the picture is old."""
        if self._handle is not None and time.monotonic() - self._drawn >= self.seconds:
            self.update()

    def update(self) -> None:
        """Draw again."""
        if self._handle is not None:
            self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, Any]:
        self._drawn = time.monotonic()
        return {"image/png": to_png(self.figure().as_image(smallest=True)), "text/plain": "<curve of a run>"}


def render_failure(
    failure: str, strength: float, failures: Failures, harmless: dict[str, float], sample: int
) -> Figure:
    """A true photograph, the same with a failure of this strength, where they differ, and what every metric says.

    failures: of the batch that ``sample`` is in.  harmless: metric -> badness of the shift by one pixel there.
    """
    made = failures.spoil(failure, strength)[sample : sample + 1]
    one = failures.batch[sample].batched()
    bad = {name: float(badness(name, values)[0]) for name, values in measure(made, one).items()}
    figure, (axes,) = figures.new_figure(10.5, 2.9, 1, 4)
    difference = (made - one.target.image).abs()[0]
    figures.show(axes[0], figures.picture(one.target.image), "truth")
    figures.show(axes[1], figures.picture(made), f"{failure}, {strength:.0%}")
    figures.show(axes[2], figures.picture(1 - (3 * difference).clamp(0, 1)), "difference, 3 times")
    figures.draw_scores(axes[3], {name: bad[name] / harmless[name] for name in bad})
    return figure


def failure_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_failure`."""
    options = [name for name in FAILURES if name != HARMLESS]
    return {
        "failure": W.Dropdown(options=options, value=CHANGED[1], description="failure"),
        "strength": W.FloatSlider(1.0, min=0.0, max=1.0, step=0.25, description="strength"),
    }


def harmless_badness(failures: Failures, sample: int) -> dict[str, float]:
    """Metric -> badness of a sample's truth, shifted by one pixel."""
    shifted = failures.spoil(HARMLESS)[sample : sample + 1]
    return {name: float(badness(name, v)[0]) for name, v in measure(shifted, failures.batch[sample].batched()).items()}


def failure(batch: Pair, sample: int = 0) -> Live:
    """A failure and its strength, on one sample of a batch."""
    failures = Failures(batch)
    draw = partial(render_failure, failures=failures, harmless=harmless_badness(failures, sample), sample=sample)

    def small(**settings: Any) -> Image.Image:
        return draw(**settings).as_image()

    return live(small, **failure_controls())
