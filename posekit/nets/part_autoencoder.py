"""The inpainting autoencoder of Dense Pose Transfer: one texture for each body part, completed together.

Source: N. Neverova, R. A. Gueler, I. Kokkinos, Dense Pose Transfer, section 3.2 and appendix A, Table 6.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from posekit.util.errors import InputError

NORMS = ("instance", "part")


class PartAutoencoder(nn.Module):
    """Charts ``b p 3 t t`` in [-1, 1], 0 where nothing is known, to completed charts of the same shape.

    Every part has an encoder and a decoder of its own, because what a hand looks like says little about a thigh; what
    they know of each other goes through one vector G of the whole body, which stands beside every code:

    | layers            | kernel / stride | channels of a part (in units of ``width``) | side   |
    |-------------------|-----------------|--------------------------------------------|--------|
    | 4 convolutions    | 3 / 2           | 1, 1, 2, 4                                 | t / 16 |
    | context           | two linear      | all codes to ``context``, to ``context``   |        |
    | 4 deconvolutions  | 3 / 2           | 2, 1, 1 after (4 width + context), then 3  | t      |

    Each layer is the linear operation, then ReLU, then a norm without parameters.  Table 6 says InstanceNorm, over the
    texels of each channel.  It takes away whatever is the same everywhere in a channel, and G is the same everywhere:
    the level of no channel of a part that is not seen follows G then.  norm="part" runs over all channels and texels of
    a part instead, which leaves the channels' levels to each other.  Two more readings: the last deconvolution has
    neither ReLU nor norm, because ReLU would leave no colour below the middle, and the norm no absolute one; and the
    second linear layer gives G as it is ("transform it again into an embedding").  The norm of the context runs over
    its numbers.

    The parts are groups of one convolution, not 24 of them.  At 24 parts, width 32, context 256 and charts of 256:
    102,496 parameters in an encoder, 249,827 in a decoder, 201,392,640 in the context, 209,848,392 in all.

    Args:
        parts: number of charts.
        width: channels of the first layer of a part.
        context: numbers in G.
        side: texels along an edge of a chart, a multiple of 16 of at least 32.
        extra: more 3 x 3 convolutions for every part, stride 1, behind its encoder (appendix A: deeper ones overfit).
        pooled: mean of each code over ``pooled`` x ``pooled`` fields on its way into G; None, as published, takes
            every number of it, so that the layer fits one size of chart alone and holds 96 % of all parameters.
        norm: instance, as published, or part.
    """

    def __init__(
        self,
        parts: int = 24,
        width: int = 32,
        context: int = 256,
        side: int = 256,
        pooled: int | None = None,
        extra: int = 0,
        norm: str = "instance",
    ):
        super().__init__()
        if parts < 1 or width < 1 or context < 2:
            raise InputError(f"parts and width are 1 or more and context 2 or more, got {parts}, {width}, {context}.")
        if extra < 0:
            raise InputError(f"extra is a number of layers, 0 or more, got {extra}.")
        if side < 32 or side % 16:
            raise InputError(f"Charts have sides that are multiples of 16, of at least 32 texels; got {side}.")
        if pooled is not None and not 1 <= pooled <= side // 16:
            raise InputError(f"pooled is from 1 to side / 16 = {side // 16}, or None, got {pooled}.")
        if norm not in NORMS:
            raise InputError(f"norm must be one of {', '.join(NORMS)}; got {norm!r}.")
        self.parts, self.side, self.pooled, self.norm = parts, side, pooled, norm
        w, deep = width, 4 * width
        down = {"kernel_size": 3, "stride": 2, "padding": 1, "groups": parts}
        self.encoder = nn.ModuleList(
            nn.Conv2d(parts * a, parts * b, **down) for a, b in ((3, w), (w, w), (w, 2 * w), (2 * w, deep))
        )
        for _ in range(extra):
            self.encoder.append(nn.Conv2d(parts * deep, parts * deep, 3, padding=1, groups=parts))
        self.gather = nn.Linear(parts * deep * (pooled or side // 16) ** 2, context)
        self.spread = nn.Linear(context, context)
        self.decoder = nn.ModuleList(
            nn.ConvTranspose2d(parts * a, parts * b, output_padding=1, **down)
            for a, b in ((deep + context, 2 * w), (2 * w, w), (w, w), (w, 3))
        )

    def forward(self, charts: Float[Tensor, "b p 3 t t"]) -> Float[Tensor, "b p 3 t t"]:
        if charts.shape[1:] != (self.parts, 3, self.side, self.side):
            raise InputError(
                f"This autoencoder completes {self.parts} charts of {self.side} x {self.side} texels, got "
                f"{tuple(charts.shape)}."
            )
        codes = self.encode(charts)
        return self.decode(codes, self.embed(codes))

    def encode(self, charts: Float[Tensor, "b p 3 t t"]) -> Float[Tensor, "b p c s s"]:
        """The codes E_i of the parts."""
        x = charts.flatten(1, 2)
        for conv in self.encoder:
            x = self._normed(conv(x))
        return x.unflatten(1, (self.parts, -1))

    def embed(self, codes: Float[Tensor, "b p c s s"]) -> Float[Tensor, "b g"]:
        """G: what the parts know of each other."""
        x = codes.flatten(1, 2)
        if self.pooled is not None:
            x = F.adaptive_avg_pool2d(x, self.pooled)
        x = F.relu(self.gather(x.flatten(1)))
        return self.spread(F.layer_norm(x, x.shape[1:]))

    def decode(self, codes: Float[Tensor, "b p c s s"], G: Float[Tensor, "b g"]) -> Float[Tensor, "b p 3 t t"]:
        """The completed charts, each from its code beside G."""
        everywhere = G[:, None, :, None, None].expand(-1, self.parts, -1, *codes.shape[-2:])
        x = torch.cat([codes, everywhere.to(codes.dtype)], 2).flatten(1, 2)
        *hidden, last = self.decoder
        for conv in hidden:
            x = self._normed(conv(x))
        made = last(x).unflatten(1, (self.parts, 3))
        return made.to(torch.promote_types(made.dtype, torch.float32))  # under autocast colours come in bfloat16

    def _normed(self, x: Tensor) -> Tensor:
        """ReLU, then the norm, in the order of Table 6."""
        x = F.relu(x)
        if self.norm == "instance":
            return F.instance_norm(x)
        return F.group_norm(x, self.parts)  # the channels of a part are a group
