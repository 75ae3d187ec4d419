"""A new photograph put back into the one that gave the pose: the background is there again."""

import torch
from jaxtyping import Float
from scipy import ndimage
from torch import Tensor

from posekit.ops.fill import fill_nearest
from posekit.ops.grids import identity_grid
from posekit.ops.sample import sample
from posekit.photo.find_person import FoundPerson
from posekit.photo.photographed import GROUND, window_of
from posekit.photo.regions import shrunk
from posekit.util.errors import InputError

_WIDER = 2  # pixels of the new photograph by which the old silhouette is widened before it is taken out
_KEY = (0.1, 0.25)  # difference from the plain ground: up to the first a pixel is ground, from the second on person


def put_back(
    made: Float[Tensor, "3 s s"], body: Float[Tensor, "1 s s"], image: Float[Tensor, "3 h w"], pose: FoundPerson
) -> Float[Tensor, "3 h2 w2"]:
    """The person of ``made`` in the place of the person whose pose they have.

    made: a square photograph on the plain ground, in the window of that person (`photographed.window_of`).  body: the
    mask of their map, as `photographed` gives it.  image, pose: the photograph that gave the pose, and who was found
    in it.

    The new person is what lies on the map, and inside the old silhouette what differs from the plain ground: hair has
    no map.  The background is made as coarse as the person, so that a pixel of ``made`` stays a pixel; one that is
    coarser already stays as it is.  Where only the old person was, the nearest background is repeated.
    """
    if made.shape[-1] != made.shape[-2] or made.shape[-2:] != body.shape[-2:]:
        raise InputError(
            f"put_back expected a square photograph and a mask of its size, got {tuple(made.shape)} and "
            f"{tuple(body.shape)}."
        )
    window = window_of(pose)
    share = made.shape[-1] / window.side
    behind, old = shrunk(image, share), shrunk(pose.silhouette, share)
    taken = ndimage.binary_dilation((old[0] > 0.1).numpy(), iterations=_WIDER)
    taken = torch.from_numpy(taken)[None, None].to(behind)
    if bool((taken < 1).any()):
        behind = fill_nearest(behind[None], 1 - taken)[0]
    inside = sample(shrunk(pose.silhouette, share)[None], window.grid(made.shape[-1])[None])[0]
    key = ((made - GROUND).abs().amax(0, keepdim=True) - _KEY[0]) / (_KEY[1] - _KEY[0])
    shown = torch.maximum(body, inside * key.clamp(0, 1))
    grid = (identity_grid(*behind.shape[-2:]) - window.middle[:, None, None]) / window.half[:, None, None]
    person = sample(shrunk(torch.cat([made, shown]), 1 / max(share, 1))[None], grid[None])[0]
    return (person[:3] * person[3:] + behind * (1 - person[3:])).clamp(0, 1)
