"""The source moved by a flow from joints, without learning: what a learnt flow has to beat.

    parts        ten affine maps, joined by soft masks: the form of FOMM and MRAA, with given joints in place of learnt
                 points, and the joints' regions in place of a network's masks
    thin_plate   a spline through the joints: the form of TPSMM, one spline in place of several

Source: Pose transfer using a single spatial transformation, Table 1, which compares flows by sampling the source with
them directly.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from posekit.ops.part_affine import part_maps
from posekit.ops.part_flow import part_flow
from posekit.ops.sample import sample
from posekit.ops.thin_plate import thin_plate_flow
from posekit.person import Pair
from posekit.systems.base import Result, System, choose
from posekit.util.errors import InputError

VARIANTS = ("parts", "thin_plate")


@dataclass(frozen=True)
class JointFlowConfig:
    """Settings.

    variant: "parts" or "thin_plate".  sigma: parts: blur of the masks, in pixels.  smooth: thin_plate: how far the
    spline may miss the joints, 0 not at all; the joints of one side of the face lie within a pixel of each other, and
    a spline that meets them all folds there.
    """

    variant: str = "parts"
    sigma: float = 2.0
    smooth: float = 0.01

    def __post_init__(self) -> None:
        choose("variant", self.variant, VARIANTS)
        if not (self.sigma >= 0 and self.smooth >= 0):
            raise InputError(f"sigma and smooth are 0 or more; got {self.sigma} and {self.smooth}.")


@dataclass(frozen=True, kw_only=True)
class JointFlowResult(Result):
    """flow: where in the source every pixel looks, ``b 2 h w``.  warped: the source there, which is the image too."""

    flow: Float[Tensor, "b 2 h w"]
    warped: Float[Tensor, "b 3 h w"]


class JointFlow(System):
    """Joints of both photographs in, a flow, and the source sampled with it."""

    name = "joint_flow"
    PRESETS = {"laptop": JointFlowConfig(), "paper": JointFlowConfig()}
    VARIANTS = VARIANTS
    needs = ("keypoints", "visibility")

    def __init__(self, config: JointFlowConfig | None = None, preset: str = "laptop"):
        super().__init__(config or JointFlowConfig(), preset)

    def forward(self, pair: Pair) -> JointFlowResult:
        self.check(pair)
        s, t = pair.source, pair.target
        if self.config.variant == "parts":
            maps = part_maps(s.keypoints, s.visibility, t.keypoints, t.visibility, t.size)
            flow = part_flow(maps, self.config.sigma)
        else:
            there = (s.visibility > 0) & (t.visibility > 0)
            there = there & s.keypoints.isfinite().all(-1) & t.keypoints.isfinite().all(-1)
            places = (p.keypoints.nan_to_num(0, 0, 0) for p in (s, t))
            flow = thin_plate_flow(*places, there, t.size, self.config.smooth)
        warped = sample(s.image, flow, padding="border")
        return JointFlowResult(image=warped, flow=flow, warped=warped)
