"""The generator of Deformable GANs: a U-Net with an encoder for each picture and skips that can be deformed.

Sources: Deformable GANs for Pose-based Human Image Generation, and the authors' public release for the layers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.picture_norm import PictureNorm
from posekit.util.errors import InputError

DEFORMABLE = 4  # the finest levels, whose source activations are moved
DROPOUT_BLOCKS = 3  # of the decoder, from the coarsest
Levels = list[Float[Tensor, "b _ _ _"]]


@dataclass(frozen=True)
class UNetResult:
    """image ``b 3 h w`` in [0, 1], and activations from the finest level to the coarsest.

    source: of the encoder of the source photograph.  skips: the same as the decoder sees them, the four finest moved,
    or None where it does not.  target: of the encoder of the target pose; empty with one encoder.
    """

    image: Float[Tensor, "b 3 h w"]
    source: Levels
    skips: list[Float[Tensor, "b _ _ _"] | None]
    target: Levels


class _Encoder(nn.Module):
    """Activations at full size, half, quarter, ...: a 3 x 3 convolution, then 4 x 4 convolutions with stride 2.

    Every further level is LeakyReLU(0.2), convolution without bias, `PictureNorm`; the coarsest has no norm.
    Activations are kept before the nonlinearity.

    Args:
        channels: of the input.
        widths: channels of the levels, the finest first.
    """

    def __init__(self, channels: int, widths: tuple[int, ...]):
        super().__init__()
        self.first = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        for level, (a, b) in enumerate(zip(widths[:-1], widths[1:], strict=True), 1):
            block = [nn.LeakyReLU(0.2), nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False)]
            if level < len(widths) - 1:
                block.append(PictureNorm())
            self.down.append(nn.Sequential(*block))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Levels:
        levels = [self.first(x)]
        for block in self.down:
            levels.append(block(levels[-1]))
        return levels


class _Decoder(nn.Module):
    """Mirrors the encoder: transposed 4 x 4 convolutions with stride 2, at last a 3 x 3 convolution and tanh.

    Every block is ReLU, transposed convolution without bias, `PictureNorm`, and Dropout(0.5) in the three coarsest
    blocks.  The block of a level sees the block before and the skips of its level, and is as wide as the encoder there.

    Args:
        skips: channels of all skips of each level together, the finest level first.
        widths: of the encoder.
    """

    def __init__(self, skips: tuple[int, ...], widths: tuple[int, ...]):
        super().__init__()
        self.up, before = nn.ModuleList(), 0
        for nth, level in enumerate(range(len(widths) - 1, 0, -1)):
            convolution = nn.ConvTranspose2d(before + skips[level], widths[level], 4, stride=2, padding=1, bias=False)
            block = [nn.ReLU(), convolution, PictureNorm()]
            if nth < DROPOUT_BLOCKS:
                block.append(nn.Dropout(0.5))
            self.up.append(nn.Sequential(*block))
            before = widths[level]
        self.last = nn.Conv2d(before + skips[0], 3, 3, padding=1)

    def forward(self, skips: Levels) -> Float[Tensor, "b 3 h w"]:
        x = self.up[0](skips[-1])
        for block, skip in zip(self.up[1:], skips[-2:0:-1], strict=True):
            x = block(torch.cat([x, skip], 1))
        return torch.tanh(self.last(torch.relu(torch.cat([x, skips[0]], 1))))


class DeformableUNet(nn.Module):
    """Source maps and target maps to a photograph in [0, 1].

    Args:
        source_channels: channels aligned with the source photograph.
        target_channels: channels aligned with the target; 0 builds one encoder, for everything stacked.
        width: channels of the finest level; they double with every level.
        levels: of the pyramid; sides are multiples of 2^(levels - 1).
        widest: no level has more than this many times ``width``.
        source_skips: whether the decoder sees source activations of the four finest levels.
    """

    def __init__(
        self,
        source_channels: int,
        target_channels: int,
        width: int = 64,
        levels: int = 7,
        widest: int = 8,
        source_skips: bool = True,
    ):
        super().__init__()
        if width < 1 or levels < DEFORMABLE + 1:
            raise InputError(
                f"The U-Net needs a width of at least 1 and at least {DEFORMABLE + 1} levels, got {width} and {levels}."
            )
        if not (target_channels or source_skips):
            raise InputError("A U-Net with one encoder needs its skips; without them take two encoders.")
        widths = tuple(width * min(2**level, widest) for level in range(levels))
        self.levels, self.source_skips = levels, source_skips
        self.source = _Encoder(source_channels, widths)
        self.target = _Encoder(target_channels, widths) if target_channels else None
        seen = [(source_skips or level >= DEFORMABLE) + bool(target_channels) for level in range(levels)]
        self.decoder = _Decoder(tuple(n * w for n, w in zip(seen, widths, strict=True)), widths)

    def forward(
        self,
        source: Float[Tensor, "b c h w"],
        target: Float[Tensor, "b d h w"] | None = None,
        move: Callable[[Tensor], Tensor] | None = None,
    ) -> UNetResult:
        """``move`` brings activations of the source into the target's frame; None leaves them where they are.

        Raises InputError for sides that cannot be halved, and when ``target`` does not fit the number of encoders.
        """
        step = 2 ** (self.levels - 1)
        h, w = source.shape[-2:]
        if h % step or w % step:
            raise InputError(f"The sides of a photograph must be multiples of {step}, got {h} x {w}.")
        if (self.target is None) != (target is None):
            raise InputError(
                "A U-Net with two encoders needs source and target maps, one with one encoder only source."
            )
        sources = self.source(source)
        targets = [None] * self.levels if target is None else self.target(target)
        skips = [self._skip(level, activation, move) for level, activation in enumerate(sources)]
        seen = [[x for x in pair if x is not None] for pair in zip(skips, targets, strict=True)]
        image = (self.decoder([torch.cat(activations, 1) for activations in seen]) + 1) / 2
        return UNetResult(image, sources, skips, [] if target is None else targets)

    def _skip(self, level: int, activation: Tensor, move: Callable[[Tensor], Tensor] | None) -> Tensor | None:
        """What the decoder sees of the source at a level."""
        if level >= DEFORMABLE:
            return activation
        if not self.source_skips:
            return None
        return activation if move is None else move(activation)
