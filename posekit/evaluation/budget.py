"""Error budget of the coordinate-based system: what would each step cost if the steps before it made no mistake?

    arms = budget(system)                       systems by name, for `posekit.evaluation.evaluate`
    table = evaluate(arms, pairs)               head, hands and the rest apart

Each arm goes the way from C to the photograph with one thing replaced by the truth; the difference between two
neighbouring arms is what that step costs.  "W of ..." stops before g: W on the body, and the true background off it,
which no arm is asked for.

| arm            | D                             | T                              | W               | then |
|----------------|-------------------------------|--------------------------------|-----------------|------|
| D of f         | as f gives it                 | S[D]                           | T[M_N]          | g    |
| as it is       | with the system's corrections | S[D]                           | T[M_N]          | g    |
| T of the truth | as it is                      | where N shows it, N's; or S[D] | T[M_N]          | g    |
| W of the truth | as it is                      | as it is                       | N on the body   | g    |
| W of T         | as it is                      | S[D]                           | T[M_N]          |      |
| W of true T    | as it is                      | where N shows it, N's; or S[D] | T[M_N]          |      |
"""

import torch

from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Pair
from posekit.systems.base import Result, System
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.util.errors import InputError

ARMS = ("D of f", "as it is", "T of the truth", "W of the truth", "W of T", "W of true T")


def budget(system: CoordinateInpainting) -> dict[str, System]:
    """The arms, in order.  InputError unless the system has a D."""
    if not isinstance(system, CoordinateInpainting) or system.config.variant not in ("full", "no_deform"):
        raise InputError(
            "The error budget is that of the coordinate-based system with coordinates: the variants full and "
            f"no_deform; got {system.name}, {system.config.variant}."
        )
    return {arm: _Arm(system, arm) for arm in ARMS}


class _Arm(System):
    """The system with one thing replaced by the truth."""

    def __init__(self, system: CoordinateInpainting, arm: str):
        super().__init__(system.config)
        self.name = arm
        self.system = system

    def forward(self, pair: Pair) -> Result:
        system, target = self.system, pair.target
        maps = dict(vars(system(pair, image=False, correct=self.name != "D of f")))
        if self.name in ("T of the truth", "W of true T"):
            seen = splat(target.image, target.uv, maps["T"].shape[-2:], target.mask)
            maps["T"] = torch.where(seen.known > 0, seen.values, maps["T"])
            maps["W"] = sample(maps["T"], target.uv, padding="border") * target.mask
        if self.name == "W of the truth":
            maps["W"] = target.image * target.mask
        if self.name in ("W of T", "W of true T"):
            return Result(image=maps["W"] + target.image * (1 - target.mask))
        return Result(image=system.refine(pair, W=maps["W"], E=maps["E"]))
