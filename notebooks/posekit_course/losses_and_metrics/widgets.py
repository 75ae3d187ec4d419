"""Live figures on losses and metrics: the best answer to shifted stripes, a spoilt photograph, the margin of a study.

The drawing functions are pure: the same settings give the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import ipywidgets as W
from matplotlib.figure import Figure
from PIL import Image
from posekit_lab.pictures import BLUE, GREY, ORANGE
from scipy.stats import binomtest

from posekit.person import Person
from posekit_course.live import Live, live
from posekit_course.losses_and_metrics import figures, judges, probes

PERIOD, SIDE = 12, 60  # pixels: of the stripes, and of their picture
COUNTS = (20, 50, 100, 200, 500, 1000, 4000)


def render_answers(width: int, reach: int) -> Figure:
    """Stripes that may lie up to ``reach`` pixels to either side: mean and median as pictures, and along a row."""
    stripes = probes.upright_stripes(width, PERIOD, SIDE)
    possible = probes.possible_pictures(stripes, reach)
    mean, median = possible.mean(0, keepdim=True), possible.median(0, keepdim=True).values
    figure, (axes,) = figures.new_figure(9.6, 2.4, 1, 4)
    for axis, (title, image) in zip(axes, (("one of them", possible[:1]), ("mean", mean), ("median", median)),
                                    strict=False):  # fmt: skip
        figures.show(axis, figures.picture(image), title)
    middle = slice(PERIOD, -PERIOD)
    for image, colour, label in ((possible[:1], GREY, "one"), (mean, BLUE, "mean"), (median, ORANGE, "median")):
        axes[3].step(range(SIDE - 2 * PERIOD), image[0, 0, 0, middle].numpy(), color=colour, label=label, where="mid")
    axes[3].set_ylim(0, 1)
    axes[3].set_xlabel("along a row", fontsize=9.5)
    axes[3].legend(fontsize=8.5, frameon=False, loc="lower right", ncol=3, columnspacing=0.8, handlelength=1)
    return figure


def _answers_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_answers`."""
    slow = {"continuous_update": False}
    return {
        "width": W.IntSlider(6, min=1, max=8, description="width", **slow),
        "reach": W.IntSlider(2, min=0, max=5, description="shift up to", **slow),
    }


def render_spoilt(failure: str, strength: float, *, person: Person, yardstick: Mapping[str, float]) -> Figure:
    """A photograph, the same with a failure of this strength, where they differ, and what every judge says.

    yardstick: judge -> badness of the full blur.
    """
    made = judges.spoil_photo(person, failure, strength)
    scores = judges.beside_yardstick(judges.judge_photo(made, person), yardstick)
    figure, (axes,) = figures.new_figure(11.0, 3.1, 1, 4)
    figures.show(axes[0], figures.picture(person.image), "truth")
    figures.show(axes[1], figures.picture(made), f"{failure}, {strength:.0%}")
    figures.show(axes[2], figures.picture(1 - (3 * (made - person.image).abs()).clamp(0, 1)), "difference, 3 times")
    figures.draw_judge_bars(scores, axes[3])
    return figure


def _spoilt_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_spoilt`."""
    return {
        "failure": W.Dropdown(options=list(judges.SPOILT), value="face smeared", description="failure"),
        "strength": W.FloatSlider(1.0, min=0.25, max=1.0, step=0.25, description="strength", continuous_update=False),
    }


def render_margin(count: int, share: float) -> Figure:
    """Wilson's 95 % interval of ``share`` for several numbers of judgements; the chosen number stands out."""
    figure, ((axis,),) = figures.new_figure(7.0, 2.7)
    for place, n in enumerate(COUNTS):
        hits = round(share * n)
        interval = binomtest(hits, n).proportion_ci(0.95, method="wilson")
        chosen = n == count
        axis.vlines(place, 100 * interval.low, 100 * interval.high, color=ORANGE if chosen else GREY, linewidth=5)
        axis.plot(place, 100 * hits / n, "o", color="black", markersize=4)
        if chosen:
            axis.set_title(
                f"{hits} of {n:,}: {hits / n:.0%}, interval {interval.low:.1%} to {interval.high:.1%}", fontsize=11
            )
    axis.axhline(50, color="black", linewidth=1, linestyle=":")
    axis.set_xticks(range(len(COUNTS)), [f"{n:,}" for n in COUNTS], fontsize=10)
    axis.set_ylim(0, 100)
    axis.set_xlabel("judgements", fontsize=10)
    axis.set_ylabel("per cent", fontsize=10)
    return figure


def _margin_controls() -> dict[str, W.ValueWidget]:
    """The controls of `render_margin`."""
    return {
        "count": W.SelectionSlider(options=list(COUNTS), value=200, description="judgements"),
        "share": W.FloatSlider(0.6, min=0.1, max=0.9, step=0.1, description="share", continuous_update=False),
    }


def _small(draw: Callable[..., Figure]) -> Callable[..., Image.Image]:
    """The same drawing as a picture in fewer bytes, for the notebook that keeps it."""
    return lambda **settings: draw(**settings).as_image(smallest=True)


def possible_answers() -> Live:
    """Stripes, and the best single answers to all their shifts."""
    return live(_small(render_answers), **_answers_controls())


def spoilt_photo(person: Person) -> Live:
    """A failure and its strength, under every judge."""
    yardstick = judges.judge_photo(judges.spoil_photo(person, judges.YARDSTICK), person)
    return live(_small(partial(render_spoilt, person=person, yardstick=yardstick)), **_spoilt_controls())


def study_margin() -> Live:
    """Judgements and their interval."""
    return live(_small(render_margin), **_margin_controls())
