"""One table of several systems on the same pairs: what each is given, what it cost to train and costs to use, and how
good its photographs are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from posekit.evaluation.cost import WORDS as COSTS
from posekit.evaluation.cost import cost
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.joint_error import joint_error
from posekit.evaluation.measure import common_size
from posekit.evaluation.noisy import WORDS as NOISE
from posekit.evaluation.noisy import Noisy
from posekit.evaluation.table import Evaluation, aligned
from posekit.person import Pair
from posekit.systems.base import System
from posekit.util.errors import InputError
from posekit.util.files import write_json
from posekit.util.reading import read_json

LEARN_NOTHING = ("copy_source", "texel_fill", "texel_fill-mirror")
FACTS = {
    "given": "what the system needs beside the photograph, of source and target",
    "pairs_seen": "pairs in all batches of its training",
    "training_minutes": "by its log: of each stage the median step times the steps",
    "joint_error": "pixels between the source's elbow, wrist or ankle and where the system looks for the target's",
    **COSTS,
}


@dataclass(frozen=True)
class Comparison:
    """table: the photographs, measured.  facts: system -> name in `FACTS` -> value, None where it is not known."""

    table: Evaluation
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def save(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``evaluation.json`` and ``facts.json`` into a folder, each atomically."""
        folder = Path(folder)
        return self.table.save(folder / "evaluation.json"), write_json(folder / "facts.json", self.facts)

    @classmethod
    def load(cls, folder: str | Path) -> Comparison:
        """Read what `save` wrote."""
        table, path = Evaluation.load(Path(folder) / "evaluation.json"), Path(folder) / "facts.json"
        try:
            facts = read_json(path)
            if set(facts) != set(table.values) or not all(set(own) <= set(FACTS) for own in facts.values()):
                raise ValueError("other systems or facts than those of the evaluation beside it")
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{path} is not a comparison saved by posekit ({error}).") from error
        return cls(table, facts)

    def __str__(self) -> str:
        """The table of the photographs, then that of the facts: systems in columns."""
        systems = list(self.table.values)
        lines = [["", *systems]]
        for name in FACTS:
            values = [self.facts[system].get(name) for system in systems]
            lines.append([name.replace("_", " "), *map(fact_text, values)])
        return "\n".join([str(self.table), "", *aligned(lines)])


def compare(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    *,
    trained: Mapping[str, tuple[int, float] | None] | None = None,
    noise: float = 0.0,
    device: str | torch.device = "cpu",
    progress: bool = False,
    **how: Any,
) -> Comparison:
    """Measure every system on every pair, and what it costs.

    Args:
        systems: by the name they get in the table.
        trained: of each system that has learnt, pairs seen and minutes (`posekit.reference.training_of`).
        noise: level of the noise on maps and joints that the systems are given, see `posekit.evaluation.noisy.Noisy`.
        how: more arguments of `posekit.evaluation.evaluate.evaluate`.

    Raises InputError where systems are made for photographs of different sizes: their numbers cannot be compared.
    """
    common_size(systems)
    given = {name: Noisy(system, noise) if noise else system for name, system in systems.items()}
    table = evaluate(given, pairs, device=device, progress=progress, **how)
    if noise:
        protocol = dataclasses.replace(table.protocol, more={**table.protocol.more, "noise": f"{noise:g}; {NOISE}"})
        table = dataclasses.replace(table, protocol=protocol)
    one, facts = pairs[0].batched(), {}
    has_joints = all(p.keypoints is not None for p in (one.source, one.target))
    for name, system in systems.items():
        seen, minutes = (trained or {}).get(name) or (None, None)
        costs = dataclasses.asdict(cost(system, one, device=device))
        joints = joint_error(given[name], pairs, device=device) if has_joints else None
        learnt = {"pairs_seen": seen, "training_minutes": minutes}
        facts[name] = {"given": _given(system), **learnt, "joint_error": joints, **costs}
    return Comparison(table, facts)


def _given(system: System) -> str:
    """What a system is told of source and target, beside the source's photograph."""
    told = [_told(needs) for needs in (system.needs, system.needs_of_target)]
    return told[0] if told[0] == told[1] else f"{told[0]} of S, {told[1]} of N"


def _told(needs: Collection[str]) -> str:
    words = [
        word for word, fields in (("maps", {"uv", "part", "chart"}), ("joints", {"keypoints"})) if fields & set(needs)
    ]
    return " and ".join(words) or "nothing"


def fact_text(value: Any) -> str:
    """A fact as the tables show it; "-" where it is not known."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"
