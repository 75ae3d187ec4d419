"""The atlases that surface maps are positions in, by name, and the mirror table of each."""

from jaxtyping import Float
from torch import Tensor

from posekit.data.chart_tiles import tile_mirror
from posekit.data.smpl_atlas import smpl_mirror
from posekit.studio.body.head_atlas import head_mirror
from posekit.studio.body.surface_tables import mirror_table
from posekit.util.errors import InputError

ATLASES = {
    "smpl": "of the SMPL body model, as in the maps of coordinate-based inpainting (`posekit.data.smpl_atlas`)",
    "tiles": "the 24 charts of DensePose beside each other (`posekit.data.chart_tiles`)",
    "studio": "of the rendered people",
    "head": "of their heads alone, in close-ups (`posekit.studio.body.head_atlas`)",
}


def mirror_of(atlas: str, size: int) -> Float[Tensor, "2 a a"]:
    """For each texel of an atlas the (u, v) of its left-right mirror; of "tiles" with ``size`` texels along an edge.

    Raises InputError for an unknown atlas, and for "smpl" where its table was not built on this machine.
    """
    if atlas == "smpl":
        return smpl_mirror()
    if atlas == "tiles":
        return tile_mirror(size)
    if atlas == "head":
        return head_mirror()
    if atlas != "studio":
        raise InputError(f"There is no atlas {atlas!r} with a mirror table; known: {', '.join(ATLASES)}.")
    return mirror_table()
