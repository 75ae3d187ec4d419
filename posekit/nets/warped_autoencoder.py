"""The refinement network R: features of the source, moved by the flow, decoded to a photograph.

Source: Pose Transfer Using a Single Spatial Transformation, section 3.2 and appendices A and E.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.batch_norm import BatchNorm2d
from posekit.ops.grids import resize_grid
from posekit.ops.sample import sample
from posekit.util.errors import InputError


class _Residual(nn.Module):
    """x + conv(ReLU(BN(conv(ReLU(BN(x)))))) with 3 x 3 convolutions, as in the first-order motion model."""

    def __init__(self, channels: int):
        super().__init__()
        self.norms = nn.ModuleList(BatchNorm2d(channels) for _ in range(2))
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        y = x
        for norm, conv in zip(self.norms, self.convs, strict=True):
            y = conv(F.relu(norm(y)))
        return x + y


class _Encoder(nn.Sequential):
    """Two 3 x 3 convolutions, each with BatchNorm, ReLU and 2 x 2 averaging: ``b 3 h w`` to ``b width h/4 w/4``."""

    def __init__(self, width: int):
        layers: list[nn.Module] = []
        for a, b in ((3, width // 2), (width // 2, width)):
            layers += [nn.Conv2d(a, b, 3, padding=1, bias=False), BatchNorm2d(b), nn.ReLU(), nn.AvgPool2d(2)]
        super().__init__(*layers)


class _Decoder(nn.Module):
    """Six residual blocks, then twice: bilinear upsampling, 3 x 3 convolution, BatchNorm, ReLU; 7 x 7 convolution.

    ``width`` channels, then 1/2 and 1/4 of them, then RGB through a sigmoid.  ``skip_channels`` more come in before
    the residual blocks, after each upsampling and before the last convolution (appendix E); 0 in the published model.
    """

    def __init__(self, width: int, skip_channels: int = 0):
        super().__init__()
        w, k = width, skip_channels
        self.enter = nn.Conv2d(w + k, w, 3, padding=1) if k else nn.Identity()
        self.residual = nn.Sequential(*(_Residual(w) for _ in range(6)))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a + skip, b, 3, padding=1, bias=False), BatchNorm2d(b), nn.ReLU())
            for a, b, skip in ((w, w // 2, 0), (w // 2, w // 4, k))
        )
        self.last = nn.Conv2d(w // 4 + k, 3, 7, padding=3)

    def forward(
        self, features: Float[Tensor, "b c h w"], skips: list[Float[Tensor, "b k _ _"]] | None = None
    ) -> Float[Tensor, "b 3 H W"]:
        """``skips``: pictures of a quarter, half and the whole of the size, where the decoder was built for them."""

        def join(x: Tensor, level: int) -> Tensor:
            return x if skips is None else torch.cat([x, skips[level].to(x.dtype)], 1)

        x = self.residual(self.enter(join(features, 0)))
        for level, block in enumerate(self.up, 1):
            x = join(block(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)), level)
        return torch.sigmoid(self.last(x).float())


class WarpedAutoencoder(nn.Module):
    """Encode the source photograph, sample the features where the flow says, decode; nothing goes around the flow.

    Args:
        width: channels of the warped features, a multiple of 4: 256 x 64 x 64 at the published size.
        skips: give the decoder the warped photograph at three scales too (appendix E: a variant that fails).

    The paper states the numbers of convolutions, residual blocks and upsamplings, BatchNorm after upsampling and the
    256 x 64 x 64; kernels, the other channels and the order inside a residual block are ours, after the first-order
    motion model (Siarohin et al. 2019).
    """

    def __init__(self, width: int = 256, skips: bool = False):
        super().__init__()
        if width < 4 or width % 4:
            raise InputError(f"The width of the refinement network must be a positive multiple of 4, got {width}.")
        self.skips = skips
        self.encoder = _Encoder(width)
        self.decoder = _Decoder(width, 3 if skips else 0)

    def forward(self, image: Float[Tensor, "b 3 h w"], flow: Float[Tensor, "b 2 h2 w2"]) -> Float[Tensor, "b 3 H W"]:
        """The photograph in [0, 1], four times as large as the flow: y = D_ref(T(E_ref(image), flow))."""
        if image.shape[-1] % 4 or image.shape[-2] % 4:
            h, w = image.shape[-2:]
            raise InputError(f"The sides of a photograph must be multiples of 4, got {h} x {w}.")
        flow = flow.float()
        with torch.autocast(image.device.type, enabled=False):
            skips = warped_pyramid(image, flow) if self.skips else None
        features = self.encoder(image)
        with torch.autocast(image.device.type, enabled=False):
            warped = sample(features.float(), flow, padding="border")
        return self.decoder(warped, skips)


def warped_pyramid(image: Float[Tensor, "b 3 h w"], flow: Float[Tensor, "b 2 h2 w2"]) -> list[Float[Tensor, "b 3 _ _"]]:
    """The photograph at a quarter, half and all of its size, each sampled where the flow says."""
    h, w = flow.shape[-2:]
    return [sample(F.avg_pool2d(image, 4 // k), resize_grid(flow, (k * h, k * w)), padding="border") for k in (1, 2, 4)]
