"""The refinement network g: two encoders, residual blocks, and a decoder with skips warped by the map E.

Source: Coordinate-based Texture Inpainting, supplementary material, Tables 2 and 3.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from posekit.nets.padding import reflect_pad
from posekit.ops.grids import identity_grid, resize_grid, resize_mask
from posekit.ops.sample import sample
from posekit.util.errors import InputError


class _Block(nn.Module):
    """Reflection padding, spectrally normalised convolution, InstanceNorm without parameters, LeakyReLU(0.01)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1):
        super().__init__()
        self.padding = (kernel - 1) // 2
        self.conv = spectral_norm(nn.Conv2d(in_channels, out_channels, kernel, stride))
        self.norm = nn.InstanceNorm2d(out_channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d H W"]:
        return F.leaky_relu(self.norm(self.conv(reflect_pad(x, self.padding))), 0.01)


class DeformableHourglass(nn.Module):
    """Translates maps into a photograph; activations of the source reach the decoder through the warp E.

    Both encoders keep three scales: full (5 x 5), half and quarter (3 x 3, stride 2), all ``width`` channels wide.
    Six residual blocks follow the target encoder, r1 = B(t3), r2 = B(t3 + r1), r3 = B(r1 + r2), ... r6 = B(r4 + r5);
    the decoder starts from r5 + r6.  Each decoder block sees [previous, target skip, warped source skip].

    The supplementary prints "batch normalization" (section 1.1.2).  The published number of trainable parameters leaves
    no room for an affine one, and the authors' released code uses InstanceNorm, which is taken.  Its consequence: with
    reflection padding, a constant added to a whole channel of the input changes nothing.  So the absolute colour of the
    photograph does not come from S; it comes from W, whose colours stand beside zeros off the body.

    Width 256 with 8 source and 10 target channels has 11,332,611 parameters and 50,373 entries of spectral-norm
    vectors, together the published 11,382,984.

    Args:
        target_channels: channels aligned with the target photograph.
        source_channels: channels aligned with the source photograph; 0 builds one encoder and no warped skips.
        out_channels: channels of the output, in [0, 1].
        width: channels of every block.
    """

    def __init__(
        self, target_channels: int = 10, source_channels: int | None = 8, out_channels: int = 3, width: int = 256
    ):
        super().__init__()
        if width < 1:
            raise InputError(f"The width of the refinement network must be positive, got {width}.")
        self.target = _encoder(target_channels, width)
        self.source = _encoder(source_channels, width) if source_channels else None
        self.residual = nn.ModuleList(_Block(width, width) for _ in range(6))
        skips = 3 if self.source is not None else 2
        self.decoder = nn.ModuleList(_Block(skips * width, width) for _ in range(3))
        self.last = spectral_norm(nn.Conv2d(width, out_channels, 3))

    def forward(
        self,
        target: Float[Tensor, "b c h w"],
        source: Float[Tensor, "b d h2 w2"] | None = None,
        warp: Float[Tensor, "b 2 h w"] | None = None,
        mask: Float[Tensor, "b 1 h w"] | None = None,
    ) -> Float[Tensor, "b e h w"]:
        """The new photograph, values in [0, 1].

        Args:
            target: maps aligned with the target; sides are multiples of 4.
            source: maps aligned with the source photograph.
            warp: E, the position in the source of every body pixel of the target.
            mask: 1 where E is defined.
        """
        if target.shape[-1] % 4 or target.shape[-2] % 4:
            h, w = target.shape[-2:]
            raise InputError(f"The sides of a photograph must be multiples of 4, got {h} x {w}.")
        if (self.source is None) != (source is None) or (source is None) != (warp is None or mask is None):
            raise InputError(
                "A refinement network with a source encoder needs source, warp and mask together; "
                "one without takes none of them."
            )
        targets = _activations(self.target, target)
        sources = [] if source is None else _activations(self.source, source)

        before, x = targets[-1], self.residual[0](targets[-1])  # t3, r1
        for block in self.residual[1:]:
            before, x = x, block(before + x)  # r(k) = B(r(k-2) + r(k-1)), r0 = t3
        x = before + x  # r5 + r6

        for level, block in zip((2, 1, 0), self.decoder, strict=True):
            skips = [targets[level]]
            if sources:
                skips.append(warp_activations(sources[level], warp, mask, targets[level].shape[-2:]))
            x = block(torch.cat([x, *skips], dim=1))
            if level:
                x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return torch.sigmoid(self.last(reflect_pad(x, 1)))


def warp_activations(
    activations: Float[Tensor, "b c h w"],
    warp: Float[Tensor, "b 2 H W"],
    mask: Float[Tensor, "b 1 H W"],
    size: tuple[int, int],
) -> Float[Tensor, "b c h2 w2"]:
    """The deformable skip: source activations brought into the target frame at ``size`` (height, width).

    Body pixels sample the activations at E, the others at their own position (the identity grid).  E is resized
    bilinearly over the pixels where it is defined, the mask by nearest neighbour.  Coordinates stay float32.

    | case                    | result                        |
    |-------------------------|-------------------------------|
    | E is the identity grid  | the activations (resized)     |
    | mask is empty           | the same, whatever E is       |
    """
    warp, mask = warp.float(), mask.float()
    if tuple(warp.shape[-2:]) == tuple(size):
        inside = mask > 0.5
    else:
        weight = F.interpolate(mask, size=size, mode="bilinear", align_corners=False)
        warp = resize_grid(warp * mask, size) / weight.clamp(min=1e-6)
        inside = (resize_mask(mask, size) > 0.5) & (weight > 0)
    grid = identity_grid(*size, dtype=torch.float32, device=warp.device)
    with torch.autocast(warp.device.type, enabled=False):
        return sample(activations.float(), torch.where(inside, warp, grid), padding="border").to(activations.dtype)


def _encoder(channels: int, width: int) -> nn.ModuleList:
    """Activations at full, half and quarter size."""
    return nn.ModuleList(
        [_Block(channels, width, kernel=5), _Block(width, width, stride=2), _Block(width, width, stride=2)]
    )


def _activations(encoder: nn.ModuleList, x: Tensor) -> list[Tensor]:
    activations = []
    for block in encoder:
        x = block(x)
        activations.append(x)
    return activations
