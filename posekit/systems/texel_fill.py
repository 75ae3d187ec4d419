"""Texture transfer without learning: the coordinate-based geometry, with unknown texels copied from known ones.

    C     = splat of the pixel positions of S through M_S       partial coordinate texture
    D     = C completed from the nearest known texel, or first from the body's other half
    T     = S[D]                                                colour texture
    W, E  = T[M_N], D[M_N]                                      colours and coordinates in the target frame
    image = W on the body, over the flat background of S

It is the baseline for `posekit.systems.coordinate_inpainting`, whose f and g it replaces by copying, and it works in
any atlas, also where no network was trained.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.ops.fill import fill_mirror, fill_nearest
from posekit.ops.grids import identity_grid
from posekit.ops.outline import background, close_gaps, trim_mask
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Pair
from posekit.systems.base import System, choose
from posekit.systems.coordinate_results import CoordinateResult
from posekit.util.errors import InputError

VARIANTS = ("nearest", "mirror")


@dataclass(frozen=True)
class TexelFillConfig:
    """Settings.

    - variant: nearest, or mirror (from the other half of the body first).
    - atlas_size: texels along an edge.
    - trim: body pixels this near to the background are not taken.  Where an estimated map overshoots the outline they
      show background, which the fill would spread over all that the source does not show.  0 for exact maps.
    - atlas: maps of another one are refused; "" takes any.  Name it beside a mirror table, which fits one atlas only.
    """

    variant: str = "nearest"
    atlas_size: int = 256
    trim: int = 0
    atlas: str = ""

    def __post_init__(self):
        choose("variant", self.variant, VARIANTS)
        if self.atlas_size < 1:
            raise InputError(f"atlas_size must be at least 1 texel, got {self.atlas_size}.")
        if self.trim < 0:
            raise InputError(f"trim is a number of pixels, 0 or more, got {self.trim}.")


class TexelFill(System):
    """Copy colours along the surface; nothing is learnt.

    mirror: ``2 a a``, the mirror table of the atlas that the maps use (see `posekit.ops.fill.fill_mirror`); the variant
    "mirror" needs it.  Gaps between splatted pixels are closed before it is asked: neighbours in the photograph lie
    about ``atlas_size`` / (its shorter side) texels apart, and what is between them is theirs, not the other half's.
    """

    name = "texel_fill"
    VARIANTS = VARIANTS
    PRESETS = {"paper": TexelFillConfig(atlas_size=256), "laptop": TexelFillConfig(atlas_size=128)}
    needs = ("uv", "mask")

    def __init__(
        self,
        config: TexelFillConfig | None = None,
        preset: str = "custom",
        *,
        mirror: Float[Tensor, "2 a a"] | None = None,
    ):
        super().__init__(config or TexelFillConfig(), preset)
        self.register_buffer("mirror", mirror, persistent=False)

    def forward(self, pair: Pair) -> CoordinateResult:
        """Every map of ``pair`` (a batch) and the new photograph, with the symbols of the coordinate-based system."""
        source, target = pair.source, pair.target
        self.check(pair)
        S, t = source.image, self.config.atlas_size
        b, _, h, w = S.shape
        grid = identity_grid(h, w, dtype=S.dtype, device=S.device).expand(b, 2, h, w)
        texels = splat(torch.cat([grid, S], 1), source.uv, (t, t), trim_mask(source.mask, self.config.trim))
        C, observed, known = texels.values[:, :2], texels.values[:, 2:], texels.known
        D = self._complete(C, known, math.ceil(t / min(source.size)))
        T = sample(S, D, padding="border")
        W = sample(T, target.uv, padding="border") * target.mask
        E = sample(D, target.uv, padding="border") * target.mask
        image = W + background(S, source.mask)[..., None, None] * (1 - target.mask)
        return CoordinateResult(C=C, known=known, observed=observed, D=D, T=T, W=W, E=E, image=image)

    def _complete(self, C: Tensor, known: Tensor, gap: int) -> Tensor:
        if self.config.variant == "mirror":
            if self.mirror is None:
                raise InputError(
                    "The variant 'mirror' needs the mirror table of its atlas; build the system with "
                    "TexelFill(config, mirror=table)."
                )
            closed = close_gaps(known, gap)
            C, known = fill_mirror(fill_nearest(C, known) * closed, closed, self.mirror)
        return fill_nearest(C, known)
