"""Do limbs follow?  How far a system looks for a joint of the target from where the source has it."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.ops.fill import fill_nearest
from posekit.ops.grids import identity_grid, norm_to_points, resize_grid
from posekit.ops.keypoints import JOINTS
from posekit.ops.sample import sample
from posekit.person import Pair, collate_pairs
from posekit.systems.base import Result, System
from posekit.systems.baselines import CopySource

_FAR = tuple(JOINTS.index(f"{side}_{joint}") for side in ("right", "left") for joint in ("elbow", "wrist", "ankle"))


def joint_error(
    system: System, pairs: Sequence[Pair], *, batch: int = 16, device: str | torch.device = "cpu"
) -> float | None:
    """Pixels between the source's joint and the place at which the system looks for the target's, a mean.

    The map of a system (E or the flow) is read where the target has a joint; the source has that joint somewhere, and
    the distance of the two is the error.  Elbows, wrists and ankles that both photographs show.  The source copied as
    it is looks where it is.  None for systems without such a map (Dense Pose Transfer moves colours; Deformable GANs
    moves activations by maps that are made of these very joints), and where no joint is shown twice.
    """
    system.to(device).eval()
    far = torch.tensor(_FAR, device=device)
    distances = []
    for start in range(0, len(pairs), batch):
        some = collate_pairs([pairs[i] for i in range(start, min(start + batch, len(pairs)))]).to(device)
        some.require("keypoints", "visibility", by="The joint error")
        with torch.inference_mode():
            places = _looked_up(system, some, system(some))
        if places is None:
            return None
        source, target = some.source, some.target
        looked = sample(places, target.keypoints[:, None, far].movedim(-1, 1))[:, :, 0].movedim(1, -1)  # b n 2
        apart = norm_to_points(looked, source.size) - norm_to_points(source.keypoints[:, far], source.size)
        shown = (torch.minimum(source.visibility, target.visibility)[:, far] == 2) & _inside(target.keypoints[:, far])
        distances.append(apart.norm(dim=-1)[shown])
    together = torch.cat(distances)
    return float(together.mean()) if len(together) else None


def _looked_up(system: System, pair: Pair, result: Result) -> Float[Tensor, "b 2 h w"] | None:
    """Where in the source every pixel of the target looks; beside the body the nearest body pixel's place."""
    if isinstance(system, CopySource):
        return identity_grid(*pair.source.size).to(pair.source.image).expand(len(pair.source.image), -1, -1, -1)
    if getattr(result, "flow", None) is not None:
        return resize_grid(result.flow, pair.source.size)
    E = getattr(result, "E", None)
    if E is None:
        return None
    return fill_nearest(E, pair.target.mask)


def _inside(points: Float[Tensor, "b n 2"]) -> Tensor:
    return (points.abs() < 1).all(-1)
