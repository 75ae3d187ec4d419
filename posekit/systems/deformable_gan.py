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
from posekit.nets.vgg import FEATURES, LossFeatures
from posekit.ops.keypoints import JOINTS, heat_maps
from posekit.ops.part_affine import PartMaps, part_maps, warp_by_parts
from posekit.person import Pair, Person
from posekit.systems.base import Result, Stage, System, check_rates, choose
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.util.errors import InputError

# What is compared with the target, and the layer of VGG that it is compared in.
RECONSTRUCTION = {"baseline": "l1", "dsc": "l1", "perceptual": "content", "full": "nearest_neighbour"}
LAYER = {"content": "relu2_1", "nearest_neighbour": "relu1_2"}
VARIANTS = tuple(RECONSTRUCTION)
SKIPS = ("none", "plain", "parts", "surface")

# reading -> loss -> weight
READINGS = {
    # The release's 100 for l1 is on images in [-1, 1].  The nearest-neighbour loss is the sum over pixels and channels
    # of the supplementary, equation (5); the release averages over pixels.
    "supplementary": {"l1": 200.0, "content": 0.5, "nearest_neighbour": 0.01, "adversarial": 1.0},
    # Ours, for small networks without pretrained features: all losses are means.  In the first 200 steps the weighted
    # adversarial term's gradient in the image is about a tenth of that of the l1 or the nearest-neighbour term.
    "laptop": {"l1": 4.0, "content": 1.0, "nearest_neighbour": 1.0, "adversarial": 0.003},
}


@dataclass(frozen=True)
class DeformableGANConfig:
    """Settings.

    | field         | meaning |
    |---------------|---------|
    | variant       | baseline, dsc, perceptual or full |
    | skips         | what the decoder sees of the source's four finest levels: none, plain (unmoved), parts (moved by |
    |               | an affine map for each body part), surface (moved by the nearest known texel of the surface |
    |               | maps, which must be there); "auto" takes plain for the baseline, else parts |
    | image_size    | side in pixels, or (height, width); multiples of 2^(levels - 1) |
    | width, levels | channels of the finest level, which double from level to level, and number of levels |
    | widest        | no level has more than this many times ``width`` |
    | d_width       | channels of the discriminator's first layer |
    | sigma         | of the heat maps, in pixels |
    | window        | side of the nearest-neighbour search in features |
    | reading       | supplementary or laptop: the weights of the losses, and whether they are sums or means |
    | features      | edge_vgg16, vgg16, vgg19 or random; "auto" takes the one the reading stands for |
    | feature_width | channels of the first scale of random features |
    | atlas_size    | texels along an edge, for skips by the surface |
    | steps, batch_size, lr, d_lr, decay | of the one stage of training, see `Stage` |
    """

    variant: str = "full"
    skips: str = "auto"
    image_size: int | tuple[int, int] | list[int] = 256
    width: int = 64
    levels: int = 7
    widest: int = 8
    d_width: int = 64
    sigma: float = 6.0
    window: int = 5
    reading: str = "supplementary"
    features: str = "auto"
    feature_width: int = 64
    atlas_size: int = 128
    steps: int = 90_000
    batch_size: int = 2
    lr: float = 2e-4
    d_lr: float = 2e-4
    decay: float = 0.0

    def __post_init__(self):
        choose("variant", self.variant, VARIANTS)
        choose("kind of skips", self.skips, (*SKIPS, "auto"))
        choose("reading", self.reading, READINGS)
        choose("kind of features", self.features, (*FEATURES, "auto"))
        if isinstance(self.image_size, list):  # JSON has no tuples
            object.__setattr__(self, "image_size", tuple(self.image_size))
        step = 2 ** (self.levels - 1)
        if any(side < step or side % step for side in self.size):
            raise InputError(
                f"image_size must be made of multiples of {step} for {self.levels} levels, got {self.image_size}."
            )
        check_rates(self, "lr", "d_lr", "sigma")

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photographs."""
        return self.image_size if isinstance(self.image_size, tuple) else (self.image_size, self.image_size)

    @property
    def skip_kind(self) -> str:
        """The skips in use: none, plain, parts or surface."""
        if self.skips != "auto":
            return self.skips
        return "plain" if self.variant == "baseline" else "parts"

    @property
    def feature_kind(self) -> str:
        """The features in use: edge_vgg16, vgg16, vgg19 or random."""
        if self.features != "auto":
            return self.features
        return "random" if self.reading == "laptop" else "vgg19"


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
    OURS = dict.fromkeys(("paper", "fashion", "market"), ("decay",))  # the rest is the text's or the release's

    def __init__(self, config: DeformableGANConfig | None = None, preset: str = "custom"):
        super().__init__(config or DeformableGANConfig(), preset)
        c, joints = self.config, len(JOINTS)
        stacked = c.variant == "baseline"
        if stacked and c.skip_kind != "plain":
            raise InputError(f"The baseline has one encoder, whose skips are plain, not {c.skip_kind}; try dsc.")
        source, target = (3 + 2 * joints, 0) if stacked else (3 + joints, joints)
        self.generator = DeformableUNet(source, target, c.width, c.levels, c.widest, c.skip_kind != "none")
        self.discriminator = PairDiscriminator(2 * (3 + joints), c.d_width)
        self._features = LossFeatures(c.feature_kind, c.feature_width)
        self._surface = [TexelFill(TexelFillConfig(atlas_size=c.atlas_size))]  # a list hides it: it learns nothing

    def forward(self, pair: Pair) -> DeformableGANResult:
        """The new photograph of ``pair`` (a batch) and every intermediate.

        Raises InputError for a pair without joints, or whose photographs differ in size.
        """
        self.check(pair)
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

    @property
    def needs(self) -> tuple[str, ...]:
        """Joints, and surface maps for skips by the surface."""
        return ("keypoints", "visibility") + (("uv", "mask") if self.config.skip_kind == "surface" else ())

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
                ours, theirs = (self._features(image, (layer,))[layer] for image in (made, truth))
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
        compared = RECONSTRUCTION[self.config.variant] in LAYER
        return [("skips_in_use", self.config.skip_kind), ("loss_features", str(self._features) if compared else "none")]
