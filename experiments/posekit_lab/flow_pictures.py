"""A system whose photograph is its flow alone: the source's own pixels, moved, on grey.

Appendix C of *Pose transfer by a single spatial transformation* enlarges a training set for re-identification this
way: no refinement, and "all the background regions are replaced with gray".  What is background the paper does not say;
here it is what the flow brings from beside the body of the source.
"""

import torch

from posekit.ops.grids import resize_grid
from posekit.ops.sample import sample
from posekit.person import Pair
from posekit.systems.base import Result, System
from posekit.systems.spatial_transformation import SpatialTransformation
from posekit.util.errors import InputError

GREY = 0.5


class FlowAlone(System):
    """A trained system with a flow, of which only the flow is used; the source needs its silhouette (mask)."""

    def __init__(self, system: System):
        if not isinstance(system, SpatialTransformation):
            raise InputError(f"{system.name} has no flow of its own; take a spatial_transformation.")
        super().__init__(system.config, system.preset)
        self.name = system.name
        self.needs = (*system.needs, "mask")
        self.system = system

    @property
    def needs_of_target(self) -> tuple[str, ...]:
        """The joints alone."""
        return self.system.needs

    def forward(self, pair: Pair) -> Result:
        """The moved pixels; ``pair`` is a batch."""
        result = self.system(pair)
        flow = resize_grid(result.flow, pair.target.size)
        body = sample(pair.source.mask, flow)
        return Result(image=torch.where(body > 0.5, result.warped, GREY))
