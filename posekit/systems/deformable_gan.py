"""Deformable GANs for pose-based human image generation (Siarohin, Sangineto, Lathuiliere, Sebe; CVPR 2018), whole.

    P_S, P_N = heat maps of the joints of S and N                18 Gaussians each
    A_k, M_k = affine map and region of body part k              from the joints of both
    skips    = max over k of M_k (source activations at A_k)     on the four finest levels
    image    = decoder(skips, activations of P_N)                the new photograph
    d(S, P_S, image, P_N)                                        the discriminator's verdicts

It needs joints alone, no surface map.  Variants: ``baseline`` stacks everything into one encoder, plain skips, l1;
``dsc`` has the deformable skips; ``perceptual`` compares features in place of colours; ``full`` compares features with
their nearest neighbours.

The supplementary gives equations and weight of the nearest-neighbour loss; layers, regions, heat maps, the other
weights and the schedule (90 epochs of 1,000 batches) are those of the authors' public release.  It has six levels for
128 x 64 pixels and seven for 256 x 256, so that the coarsest maps are 4 x 2 and 4 x 4.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.losses.content import content_loss
from posekit.losses.cross_entropy_gan import cross_entropy_discriminator, cross_entropy_generator
from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.nets.deformable_hourglass import warp_activations
from posekit.nets.deformable_unet import DeformableUNet
from posekit.nets.pair_discriminator import PairDiscriminator
from posekit.nets.vgg import VGGFeatures
from posekit.ops.keypoints import JOINTS, heat_maps
from posekit.ops.part_affine import PartMaps, part_maps, warp_by_parts
from posekit.person import Pair, Person
from posekit.systems.base import Result, Stage, System, choose
from posekit.systems.deformable_gan_config import LAYER, READINGS, RECONSTRUCTION, VARIANTS, DeformableGANConfig
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.util.errors import InputError


@dataclass(frozen=True, kw_only=True)
class DeformableGANResult(Result):
    """Everything on the way from a source to a new photograph.

    | field    | shape     | meaning |
    |----------|-----------|---------|
    | P_S, P_N | b 18 h w  | heat maps of the joints of source and target |
    | parts    |           | A_k and M_k of the ten body parts (`PartMaps` of `ops.part_affine`); None for other skips |
    | E        | b 2 h w   | position in S of every body pixel of N, for skips by the surface, else None |
    | source   | list      | activations of the source's encoder, the finest level first |
    | skips    | list      | what the decoder sees of them: the four finest moved, or None where there are none |
    | target   | list      | activations of the encoder of P_N; empty for the baseline |
    | image    | b 3 h w   | the new photograph in [0, 1] |
    """

    P_S: Float[Tensor, "b 18 h w"]
    P_N: Float[Tensor, "b 18 h w"]
    parts: PartMaps | None = None
    E: Float[Tensor, "b 2 h w"] | None = None
    source: list[Float[Tensor, "b _ _ _"]]
    skips: list[Float[Tensor, "b _ _ _"] | None]
    target: list[Float[Tensor, "b _ _ _"]]


_FASHION = DeformableGANConfig()


class DeformableGAN(System):
    """Generator and discriminator; photographs enter the networks in [-1, 1].

    Channels: encoder of the source 21 = S 3 + P_S 18, encoder of the target 18 = P_N; the baseline's one encoder sees
    all 39.  Discriminator 42 = S 3 + P_S 18 + image 3 + P_N 18.
    """

    name = "deformable_gan"
    VARIANTS = VARIANTS
    PRESETS = {
        "fashion": _FASHION,
        "paper": _FASHION,
        "market": DeformableGANConfig(image_size=(128, 64), levels=6, window=3, batch_size=4),
        "laptop": DeformableGANConfig(
            image_size=128,
            width=16,
            levels=6,
            widest=4,
            d_width=8,
            window=3,
            reading="laptop",
            feature_width=16,
            steps=7_000,
            batch_size=4,
            lr=1e-3,
            decay=0.5,
        ),
    }
    inference_parts = ("generator",)

    def __init__(self, config: DeformableGANConfig | None = None, preset: str = "custom"):
        super().__init__(config or DeformableGANConfig(), preset)
        c, joints = self.config, len(JOINTS)
        stacked = c.variant == "baseline"
        if stacked and c.skip_kind != "plain":
            raise InputError(f"The baseline has one encoder, whose skips are plain, not {c.skip_kind}; try dsc.")
        source, target = (3 + 2 * joints, 0) if stacked else (3 + joints, joints)
        self.generator = DeformableUNet(source, target, c.width, c.levels, c.widest, c.skip_kind != "none")
        self.discriminator = PairDiscriminator(2 * (3 + joints), c.d_width)
        self._features: dict[str, VGGFeatures] = {}  # built at the first loss that needs them; a dict hides them
        self._surface = [TexelFill(TexelFillConfig(atlas_size=c.atlas_size))]  # a list hides it: it learns nothing

    def forward(self, pair: Pair) -> DeformableGANResult:
        """The new photograph of ``pair`` (a batch) and every intermediate.

        Raises InputError for a pair without joints, or whose photographs differ in size.
        """
        pair.require("keypoints", "visibility", by=self.name)
        source, target = pair.source, pair.target
        if source.size != target.size:
            raise InputError(f"Source and target must have one size, got {source.size} and {target.size}.")
        P_S, P_N = self._pose(source), self._pose(target)
        maps, move = self._geometry(pair)
        S = 2 * source.image - 1
        if self.config.variant == "baseline":
            made = self.generator(torch.cat([S, P_S, P_N], 1))
        else:
            made = self.generator(torch.cat([S, P_S], 1), P_N, move)
        return DeformableGANResult(
            P_S=P_S, P_N=P_N, **maps, source=made.source, skips=made.skips, target=made.target, image=made.image
        )

    def _pose(self, person: Person) -> Tensor:
        return heat_maps(person.keypoints, person.visibility, person.size, self.config.sigma)

    def _geometry(self, pair: Pair) -> tuple[dict, Callable[[Tensor], Tensor] | None]:
        """What the result says about the warp, and the function that moves activations; None to leave them."""
        source, target = pair.source, pair.target
        if self.config.skip_kind == "parts":
            joints = (source.keypoints, source.visibility, target.keypoints, target.visibility)
            parts = part_maps(*joints, source.size)
            return {"parts": parts}, lambda activations: warp_by_parts(activations, parts)
        if self.config.skip_kind == "surface":
            E = self._surface[0].to(source.image.device)(pair).E
            return {"E": E}, lambda a: warp_activations(a, E, target.mask, tuple(a.shape[-2:]))
        return {}, None

    def stages(self) -> list[Stage]:
        c, weights = self.config, READINGS[self.config.reading]
        return [
            Stage(
                name="training", parts=("generator",), critics=("discriminator",), steps=c.steps,
                weights={loss: weights[loss] for loss in (RECONSTRUCTION[c.variant], "adversarial")},
                batch_size=c.batch_size, lr=c.lr, critic_lr=c.d_lr, decay=c.decay,
            )
        ]  # fmt: skip

    def losses(
        self, pair: Pair, result: DeformableGANResult, names: Collection[str] | None = None
    ) -> dict[str, Tensor]:
        """Losses by name: l1, content, nearest_neighbour, adversarial; without names those of the variant."""
        known = tuple(READINGS["supplementary"])
        own = (RECONSTRUCTION[self.config.variant], "adversarial")
        wanted = own if names is None else [choose("loss", name, known) for name in names]
        made, truth = result.image, pair.target.image
        printed = self.config.reading == "supplementary"
        terms = {}
        for name in wanted:
            if name == "l1":
                terms[name] = (made - truth).abs().mean()
            elif name == "adversarial":
                terms[name] = cross_entropy_generator(self._judge(pair, result, made))
            else:
                layer = LAYER[name]
                ours, theirs = self._vgg(made, layer), self._vgg(truth, layer)
                if name == "content":
                    terms[name] = content_loss({layer: ours}, {layer: theirs}, (1.0,), mean=True)
                else:
                    terms[name] = nearest_neighbour_loss(ours, theirs, self.config.window, mean=not printed)
        return terms

    def critic_losses(self, pair: Pair, result: DeformableGANResult) -> dict[str, Tensor]:
        real, fake = self._judge(pair, result, pair.target.image), self._judge(pair, result, result.image.detach())
        return {"discriminator": cross_entropy_discriminator(real, fake)}

    def _judge(self, pair: Pair, result: DeformableGANResult, image: Tensor) -> Tensor:
        """Verdicts on ``image`` beside the source, each with its pose."""
        stacked = [2 * pair.source.image - 1, result.P_S, 2 * image - 1, result.P_N]
        return self.discriminator(torch.cat(stacked, 1))

    def notes(self) -> list[tuple[str, str]]:
        kind, width = self.config.feature_kind, self.config.feature_width
        features = f"random weights, width {width}" if kind == "random" else f"{kind}, ImageNet"
        if RECONSTRUCTION[self.config.variant] not in LAYER:
            features = "none"
        return [("skips_in_use", self.config.skip_kind), ("loss_features", features)]

    def _vgg(self, image: Tensor, layer: str) -> Tensor:
        """One feature map of ``image``."""
        if layer not in self._features:
            kind = self.config.feature_kind
            self._features[layer] = VGGFeatures(kind, (layer,), self.config.feature_width if kind == "random" else 64)
        return self._features[layer].to(image.device)(image)[layer]
