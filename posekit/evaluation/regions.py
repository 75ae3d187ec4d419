"""Where a photograph is measured apart: head, hands and the rest of the body; what the source shows, and what it hides.

All four papers argue about the same question: does a new photograph keep what was seen, and is what had to be invented
plausible?  A mean over the whole photograph answers neither: most of its pixels are background.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Pair

FEWEST = 25  # pixels; a pair with fewer in a region says nothing about it
WORDS = {
    "head, hands, rest": "of the target's body: the head, the hands, the other pixels",
    "seen, unseen": "pixels of the target's body whose texel some pixel of the source's body touches, and the others",
    "regions": f"pairs with fewer than {FEWEST} pixels of a region are left out; its perceptual distance is the mean "
    "over its places in the map of the whole photograph",
}


def regions_of(pair: Pair) -> dict[str, Float[Tensor, "b 1 h w"]]:
    """Masks in the target's frame by name: head, hands, rest, seen, unseen; those that the pair has maps for.

    pair: a batch.  head, hands and rest need these masks of the target and its mask of the body; seen and unseen need
    the surface maps of both, in one atlas.
    """
    source, target = pair.source, pair.target
    masks = {}
    if target.mask is not None and target.head is not None and target.hands is not None:
        head, hands = target.head.float(), target.hands.float()
        masks |= {"head": head, "hands": hands, "rest": target.mask * (1 - head) * (1 - hands)}
    maps = (source.uv, source.mask, target.uv, target.mask)
    if all(m is not None for m in maps) and source.atlas == target.atlas:
        seen = source_shows(pair)
        masks |= {"seen": target.mask * seen, "unseen": target.mask * (1 - seen)}
    return masks


def source_shows(pair: Pair) -> Float[Tensor, "b 1 h w"]:
    """1 where the texel of a pixel of the target lies on one that a pixel of the source touches.

    In an atlas as large as the source: a larger one has gaps between the pixels' texels.
    """
    source, target = pair.source, pair.target
    known = splat(torch.ones_like(source.mask), source.uv, source.size, source.mask).known
    return (sample(known, target.uv) > 0.5).float()
