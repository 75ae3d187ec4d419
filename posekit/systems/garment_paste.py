"""Garment transfer without learning: the clothes' texture on the target's surface, head and hands pasted over it.

It is the baseline for the variant ``garments`` of `posekit.systems.coordinate_inpainting`.
"""

import dataclasses

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.person import Pair
from posekit.systems.base import System
from posekit.systems.coordinate_results import CoordinateResult
from posekit.systems.cut_out import kept_of, laid_on_white
from posekit.systems.texel_fill import TexelFill, TexelFillConfig


class GarmentPaste(System):
    """W of `TexelFill` on white, under N': the target's own head, hair and hands.  Nothing is learnt.

    Where the source wears short sleeves, the arms keep the skin of the source.
    """

    name = "garment_paste"
    PRESETS = {"laptop": TexelFillConfig(atlas_size=128), "paper": TexelFillConfig(atlas_size=256)}
    needs = ("uv", "mask")

    def __init__(self, config: TexelFillConfig | None = None, preset: str = "custom"):
        super().__init__(config or TexelFillConfig(), preset)
        self.fill = TexelFill(self.config)

    @property
    def size(self) -> None:
        """Any size will do."""
        return None

    def wanted(self, pair: Pair) -> Float[Tensor, "b 3 h w"]:
        return laid_on_white(pair.target)

    def forward(self, pair: Pair) -> CoordinateResult:
        """Every map of ``pair`` (a batch), clothes from its source, pose, head and hands from its target."""
        result, kept = self.fill(pair), kept_of(pair.target)
        dressed = result.W + (1 - pair.target.mask)
        return dataclasses.replace(result, image=torch.where(kept > 0, pair.target.image, dressed))
