"""Pictures for the notebook on full training: curves of a log, snapshots, a restart, a leak, verdicts.

All functions that draw return a new matplotlib Figure and change nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from posekit_lab.pictures import BLUE, GREY, ORANGE, draw_curves, series, show
from torch import Tensor

from posekit.data.studio import StudioPeople
from posekit.plots import picture
from posekit_course.color_vs_coordinate.figures import grid_of, new_figure
from posekit_course.deformable_skips.figures import draw_recorded, held_out_pairs
from posekit_course.full_training.failure_figures import draw_failures, draw_scores, montage
from posekit_course.full_training.probes import Leak, Snapshots

__all__ = [
    "draw_curves",
    "series",
    "draw_failures",
    "draw_recorded",
    "draw_scores",
    "grid_of",
    "held_out_pairs",
    "montage",
    "new_figure",
    "picture",
    "show",
]

Records = Sequence[Mapping[str, Any]]


def prepare_training() -> None:
    """Render and compile what the notebook uses, before it is timed."""
    for split in ("train", "val"):
        StudioPeople(200, views=4, size=64, split=split, progress=False)
    held_out_pairs(128)


def draw_restart(whole: Records, broken: Records, resumed: Records, loss: str, saved: int) -> Figure:
    """One loss of three logs: the uninterrupted run, what was on the disk after the crash, and after the restart.

    saved: total step of the checkpoint that the restart went on from.  Open circles: the records after it that were on
    the disk, and are written again.
    """
    figure, axes = new_figure(10.5, 2.9, 1, 3)
    steps, level = series(whole, loss)
    titles = ("never interrupted", "after the crash", "restarted, at the end")
    logs = zip(axes[0], (whole, broken, resumed), titles, (GREY, ORANGE, BLUE), (False, True, True), strict=True)
    for axis, records, title, colour, plug in logs:
        axis.plot(steps, level, color="#D0D0D0", linewidth=6, solid_capstyle="round", label="the uninterrupted run")
        x, y = (np.array(values) for values in series(records, loss))
        axis.plot(x, y, "o-", color=colour, markersize=5)
        if plug:
            twice = (x > saved) & (x <= broken[-1]["total_step"])
            axis.plot(x[twice], y[twice], "o", color=colour, markerfacecolor="white", markersize=6)
            axis.axvline(saved + 0.5, color="black", linestyle=":", linewidth=1, label="checkpoint")
        axis.set(title=title, xlim=(steps[0] - 0.5, steps[-1] + 0.5), xlabel="step")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0, 0].set_ylabel(loss.replace("_", " "))
    grey, _, ahead, checkpoint = axes[0, 1].lines
    handles = [grey, checkpoint]
    if len(ahead.get_xdata()):
        words = "ahead of the checkpoint: dropped, and written again"
        handles.append(Line2D([], [], marker="o", linestyle="", color="black", markerfacecolor="white", label=words))
    figure.legend(handles=handles, loc="outside lower center", ncol=3, fontsize=9.5, frameon=False)
    return figure


def draw_strip(snapshots: Snapshots, scale: int = 2) -> Figure:
    """The snapshots of a pair, a column each, seven side by side.

    A column is the picture inside where there is one, and the photograph made of it.
    """
    taken = list(snapshots.kept.items())
    titles = ["source", *_strip_titles([key for key, _ in taken]), "truth"]
    depth = len(taken[0][1])
    names = (snapshots.inside, "made") if depth > 1 else ()
    rows = []
    for line in range(depth):
        columns = [snapshots.pair.source.image, *(pictures[line] for _, pictures in taken), snapshots.pair.target.image]
        rows.append([picture(column) for column in columns])
    return grid_of(titles, rows, scale=scale, names=names, across=7)


def _strip_titles(keys: Sequence[tuple[str, int]]) -> list[str]:
    """The step of each snapshot, under the name of its stage at the first one of the stage."""
    named: set[str] = set()
    titles = []
    for stage, step in keys:
        titles.append(f"{'' if stage in named else stage}\nstep {step}")
        named.add(stage)
    return titles


# ------------------------------------------------------------------------------------------------ data, and its leak


def draw_people(rows: Mapping[str, Sequence[Tensor]]) -> Figure:
    """Rows of photographs (3 h w), each row with its name above the first one."""
    titled = [(name if n == 0 else "", image) for name, line in rows.items() for n, image in enumerate(line)]
    return montage(titled, len(next(iter(rows.values()))))


def draw_leak(leak: Leak, shown: int = 4) -> Figure:
    """Errors of the memory under both splits, a line for each person; and whom it remembered, from best to worst.

    Shown people are spread evenly over the order of the errors; those taken for somebody else are orange, and the
    nearest of them takes a place if none has one.
    """
    figure, axes = new_figure(10.5, 4.2, 2, shown + 3)
    grid = axes[0, 0].get_gridspec()
    for axis in axes[:, :3].flat:
        axis.remove()
    left = figure.add_subplot(grid[:, :3])
    chosen = leak.chosen["by photograph"]
    right = np.array([a.identity == b.identity for a, b in zip(leak.source, chosen, strict=True)])
    pairs = np.stack([leak.by_person, leak.by_photograph])
    for errors, known in zip(pairs.T, right, strict=True):
        left.plot([0, 1], errors, "-", color=GREY if known else ORANGE, alpha=0.5 if known else 0.9, linewidth=0.8)
    left.plot([0, 1], pairs.mean(1), "o-", color=BLUE, linewidth=2.5, markersize=8)
    for x, mean in enumerate(pairs.mean(1)):
        left.annotate(f"{mean:.3f}", (x, mean), (12, 6), textcoords="offset points", fontsize=10, color=BLUE)
    left.set_xticks([0, 1], ["split by person", "split by photograph"], fontsize=10)
    left.set(xlim=(-0.4, 1.6), ylim=(0, None), ylabel="error where only the target looks")
    left.spines[["top", "right"]].set_visible(False)
    if not right.all():
        words = f"orange: taken for another\n({(~right).sum()} of {len(right)})"
        left.text(0.98, 0.04, words, transform=left.transAxes, fontsize=10, color=ORANGE, ha="right")
    order = np.argsort(leak.by_photograph)
    places = np.linspace(0, len(order) - 1, min(shown, len(order))).round().astype(int)
    wrong = np.flatnonzero(~right[order])
    if len(wrong) and right[order[places]].all():
        apart = np.abs(places[:, None] - wrong)
        place, nearest = np.unravel_index(apart.argmin(), apart.shape)
        places[place] = wrong[nearest]
    for axis in axes[:, 3 + len(places) :].flat:
        axis.set_visible(False)
    for (top, bottom), i in zip(axes[:, 3:].T, order[places], strict=False):
        show(top, picture(leak.source[i].image), f"error {leak.by_photograph[i]:.2f}")
        show(bottom, picture(chosen[i].image), "" if right[i] else "another person")
        bottom.title.set_color(ORANGE)
    axes[0, 3].set_ylabel("tested source", fontsize=11)
    axes[1, 3].set_ylabel("remembered", fontsize=11)
    return figure


# ------------------------------------------------------------------------------------------------- the losses of a GAN


def draw_chance(losses: Mapping[str, tuple[np.ndarray, np.ndarray, float]]) -> Figure:
    """Loss of a discriminator that gives the same verdict for everything; the best such verdict is marked.

    losses: name -> (verdicts d, its loss at each, the generator's loss at the best verdict).
    """
    figure, axes = new_figure(10.5, 2.8, 1, len(losses))
    for axis, (name, (d, loss, generator)) in zip(axes[0], losses.items(), strict=True):
        axis.plot(d, loss, color=BLUE)
        best = int(np.argmin(loss))
        if np.ptp(loss) > 1e-4:
            axis.plot(d[best], loss[best], "o", color=ORANGE)
            words = f"d = {d[best]:.2f}\nD loses {loss[best]:.3f}\nG loses {generator:.3f}"
        else:
            words = f"D loses {loss[best]:.3f}, whatever d;\nG loses 1 - d"
        axis.text(0.5, 0.93, words, transform=axis.transAxes, ha="center", va="top", fontsize=10)
        axis.set(title=name, xlabel="verdict d on everything", ylim=(0, 2.6))
    axes[0, 0].set_ylabel("loss of D")
    return figure


def draw_verdicts(curves: Sequence[tuple[float, float]], restart: int | None, chance: tuple[float, float]) -> Figure:
    """Losses of D and G while the pictures stay the same.  chance: of D and of G where D cannot tell."""
    figure, axes = new_figure(10.5, 2.9, 1, 2)
    for axis, values, name, level in zip(axes[0], np.array(curves).T, ("D", "G"), chance, strict=True):
        parts = [range(len(values))] if restart is None else [range(restart), range(restart, len(values))]
        for part in parts:
            axis.plot(list(part), values[list(part)], ".-", color=BLUE if name == "D" else ORANGE)
        axis.axhline(level, color=GREY, linestyle="--", linewidth=1)
        axis.text(len(values) - 1, level, "chance", fontsize=9, color=GREY, ha="right", va="bottom")
        if restart is not None:
            axis.axvline(restart - 0.5, color="black", linestyle=":", linewidth=1)
            axis.text(restart, axis.get_ylim()[1], " a new D", fontsize=9, va="top")
        axis.set(title=f"loss of {name}", xlabel="steps of D; the pictures never change")
    return figure


def draw_reading(records: Records, picture_loss: str, chance: tuple[float, float]) -> Figure:
    """The adversarial stage of a log: D, G and a loss of the pictures over the steps, and G against the pictures."""
    own = [r for r in records if "adversarial" in r["losses"] and "discriminator" in r["losses"]]
    steps = [r["step"] for r in own]
    D, G, P = (np.array([r["losses"][k] for r in own]) for k in ("discriminator", "adversarial", picture_loss))
    figure, axes = new_figure(10.5, 3.0, 1, 3)
    for axis, values, name, level in ((axes[0, 0], D, "D", chance[0]), (axes[0, 1], G, "G", chance[1])):
        axis.plot(steps, values, color=BLUE if name == "D" else ORANGE)
        axis.axhline(level, color=GREY, linestyle="--", linewidth=1)
        axis.text(steps[-1], level, "chance", fontsize=9, color=GREY, ha="right", va="bottom")
        axis.set(title=f"loss of {name}", xlabel="step")
    dots = axes[0, 2].scatter(G, P, c=steps, cmap="viridis", s=18)
    axes[0, 2].set(title=f"{picture_loss} of the pictures against G", xlabel="loss of G", ylabel=picture_loss)
    figure.colorbar(dots, ax=axes[0, 2]).set_label("step", fontsize=9)
    return figure
