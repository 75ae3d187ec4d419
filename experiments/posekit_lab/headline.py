"""The tables of all systems on the same held-out people, from the kept comparison.

posekit compare -o experiments/results/compare            # measures: evaluation.json and facts.json
python -m posekit_lab.headline                            # writes the short table into README.md, the long one into
                                                          # docs/measurements.md, each between its markers
"""

from __future__ import annotations

import sys
from pathlib import Path

from posekit.evaluation.compare import FACTS, Comparison, fact_text
from posekit.evaluation.table import MetricRow
from posekit.util.errors import InputError
from posekit.util.files import write_text
from posekit_lab.results import RESULTS
from posekit_lab.runtimes import between_markers
from posekit_lab.source import ROOT

FOLDER = RESULTS / "compare"
BEGIN, END = "<!-- systems: begin -->", "<!-- systems: end -->"
TITLES = {
    "copy_source": "the source as it is",
    "texel_fill": "nearest texel",
    "texel_fill-mirror": "mirrored, then nearest texel",
    "deformable_gan-laptop": "Deformable GANs",
    "spatial_transformation-laptop": "one spatial transformation",
    "dense_pose_transfer-laptop": "Dense Pose Transfer",
    "coordinate_inpainting-laptop-keypoints": "coordinate-based, target by joints",
    "coordinate_inpainting-laptop": "coordinate-based inpainting",
}
SHORT = {"ssim": "SSIM", "sliced_wasserstein": "sliced Wasserstein", "perceptual": "perceptual"}
SHORT |= {"gradient_energy_ratio": "sharpness", "head.l1": "head, l1", "pose_error": "pose, % off"}
DECIMALS = {"sliced_wasserstein": 4, "gradient_energy_ratio": 2, "pose_error": 1, "pose_found": 2}


def short_table(made: Comparison) -> str:
    """Systems in rows; what each is given, a few measures, the minutes of training: markdown."""
    lines = [["system", "is given", *SHORT.values(), "training, min"]]
    for system in _ordered(made):
        facts = made.facts[system]
        numbers = [_number(made, system, metric) for metric in SHORT]
        minutes = facts["training_minutes"]
        lines.append([TITLES[system], facts["given"], *numbers, "none" if minutes is None else f"{minutes:.0f}"])
    return _markdown(lines)


def long_table(made: Comparison) -> str:
    """Every measure with its interval, and every fact; systems in columns: markdown."""
    systems = _ordered(made)
    lines = [["", *(TITLES[system] for system in systems)]]
    metrics = list(dict.fromkeys(row.metric for row in made.table.rows))
    for metric in metrics:
        lines.append([metric, *(_with_interval(made, system, metric) for system in systems)])
    for fact in FACTS:
        lines.append([fact.replace("_", " "), *(fact_text(made.facts[system].get(fact)) for system in systems)])
    return _markdown(lines)


def _ordered(made: Comparison) -> list[str]:
    unknown = sorted(set(made.facts) - set(TITLES))
    if unknown:
        raise InputError(f"{FOLDER} compares {unknown[0]}, which has no title in posekit_lab.headline; add one.")
    return [system for system in TITLES if system in made.facts]


def _row(made: Comparison, system: str, metric: str) -> MetricRow | None:
    """None for a measure that the system does not have, such as warped.l1."""
    return next((row for row in made.table.rows if (row.system, row.metric) == (system, metric)), None)


def _number(made: Comparison, system: str, metric: str) -> str:
    row = _row(made, system, metric)
    return "-" if row is None or row.mean is None else f"{row.mean:.{DECIMALS.get(metric, 3)}f}"


def _with_interval(made: Comparison, system: str, metric: str) -> str:
    row, digits = _row(made, system, metric), DECIMALS.get(metric.rpartition(".")[2], 3)
    if row is None or row.mean is None:
        return "-" if row is None else "missing"
    mean = f"{row.mean:.{digits}f}"
    return mean if row.low is None else f"{mean} [{row.low:.{digits}f}, {row.high:.{digits}f}]"  # None: one person


def _markdown(lines: list[list[str]]) -> str:
    head, *rows = ("| " + " | ".join(line) + " |" for line in lines)
    return "\n".join([head, "|" + "---|" * len(lines[0]), *rows])


def main(readme: Path = ROOT / "README.md", page: Path = ROOT / "docs" / "measurements.md") -> int:
    """Write both tables; returns the exit code."""
    try:
        made = Comparison.load(FOLDER)
        for path, table in ((readme, short_table(made)), (page, long_table(made))):
            write_text(path, between_markers(path.read_text(encoding="utf-8"), table, BEGIN, END))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
