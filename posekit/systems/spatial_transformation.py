"""Pose transfer using a single spatial transformation, whole: one flow moves what is seen and invents what is not.

    p_s, p_t = heat maps of the joints
    z_s, z_t = M(p_s), M(p_t)                         features of unit length
    Q        = filtered, normalised correlation       (1) (9) (2)
    flow     = C_l(Q)                                 where in the source every target pixel looks
    warped   = source[flow]
    image    = R(source, flow)                        encoder, features[flow], decoder

Two tasks take turns, a step each.  *Affine*: for a random affine map A, the pose p_st(x) = p_t(A x) stands in for the
source.  As p_t(x) = p_st(A^-1 x), the flow from p_st to p_t must be s_f(x) = A^-1 x:

    L_aff = || W(p_st, p_t) - s_f ||_1                                                                        (7)

*Reconstruction*: the photograph made from a real pair must look like the target, (5), and real, (6).

No surface map is needed anywhere: photographs and joints are enough.  Variants: ``no_affine`` leaves the first task out
(Table 4), ``no_refinement`` makes ``warped`` the photograph (Table 3), ``with_skips`` shows R's decoder the warped
photograph at three scales (appendix E).  ``depth`` is that of Table 2.  ``correctness`` is not the paper's: it has
the form of a rival in Table 1, the same M and C_l, trained as GFLA trains its flows, by the sampling correctness of
features at two scales, without affine task and refinement.
"""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.losses.bounded_gan import bounded_discriminator, bounded_generator
from posekit.losses.lsgan import judge
from posekit.losses.perceptual import pyramid_loss
from posekit.losses.sampling_correctness import sampling_correctness
from posekit.nets.flow_head import FlowHead
from posekit.nets.patch_discriminator import PatchDiscriminator
from posekit.nets.pose_features import PoseFeatures
from posekit.nets.vgg import LossFeatures
from posekit.nets.warped_autoencoder import WarpedAutoencoder
from posekit.ops.affine import AffineRanges, affine_flow, invert, random_affine
from posekit.ops.correlation import matching
from posekit.ops.grids import resize_grid
from posekit.ops.keypoints import JOINTS, heat_maps
from posekit.ops.sample import sample
from posekit.person import Pair, Person
from posekit.systems.base import Result, Stage, System, check_rates, choose
from posekit.util.errors import InputError

VARIANTS = ("full", "no_affine", "no_refinement", "with_skips", "correctness")
FLOW_ALONE = ("no_refinement", "correctness")  # the warped source is the photograph
MATCHED = ("relu3_1", "relu4_1")  # whose features the sampling correctness compares, at a quarter and an eighth
LAYERS = tuple(f"relu{i}_1" for i in range(1, 6))  # of the first-order motion model's perceptual loss


@dataclass(frozen=True)
class SpatialTransformationConfig:
    """Settings.

    | field                | meaning |
    |----------------------|---------|
    | variant              | full, no_affine, no_refinement, with_skips or correctness |
    | image_size           | side of the photographs, a multiple of 4; poses are compared at a quarter of it |
    | depth                | layers of C_l, 1 to 6 |
    | channels             | of the features that M compares |
    | pose_width, flow_width, refine_width | channels inside M, of the first layer of C_l, of R's warped features |
    | sigma                | of the heat maps, pixels |
    | angle, scale, shear, translation | ranges of the random affine maps (`posekit.ops.affine.AffineRanges`) |
    | affine_weight        | of (7), a sum over the flow's numbers as it is printed; ours are positions in [-1, 1], |
    |                      | the paper's run over the pixels 1 to 64, where this weight acts 32 times as strongly |
    | perceptual_weight    | of (5), a sum over layers and scales of mean differences |
    | l1_weight            | of the mean difference of colours, which the paper does without |
    | gan_weight           | of (6) |
    | features             | of the perceptual loss: edge_vgg16, vgg19 or random |
    | feature_width        | channels of the first scale of random features |
    | scales               | resolutions the perceptual loss looks at |
    | flow_steps, gan_steps | steps of the two stages; every other one is the affine task's, so that of the printed |
    |                      | "100 epochs", read as epochs of turns, each task has 50 |
    | batch_size           | pairs a step |
    | lr                   | Adam's rate in the first stage |
    | decoder_lr, other_lr | in the second: of R's decoder and the discriminator, of all before it |
    | decay                | the rates fall to 0 over this last share of each stage |
    """

    variant: str = "full"
    image_size: int = 256
    depth: int = 6
    channels: int = 35
    pose_width: int = 64
    flow_width: int = 128
    refine_width: int = 256
    sigma: float = 6.0
    angle: float = AffineRanges.angle
    scale: float = AffineRanges.scale
    shear: float = AffineRanges.shear
    translation: float = AffineRanges.translation
    affine_weight: float = 0.001
    perceptual_weight: float = 1.0
    l1_weight: float = 0.0
    gan_weight: float = 0.1
    features: str = "vgg19"
    feature_width: int = 64
    scales: int = 4
    flow_steps: int = 1_456_600  # 100 epochs of 101,966 pairs, 7 a step; 200 more follow
    gan_steps: int = 2_913_300
    batch_size: int = 7
    lr: float = 1e-6
    decoder_lr: float = 1e-4
    other_lr: float = 1e-8
    decay: float = 0.0

    def __post_init__(self):
        choose("variant", self.variant, VARIANTS)
        choose("kind of features", self.features, ("edge_vgg16", "vgg19", "random"))
        if self.image_size < 16 or self.image_size % 4:
            raise InputError(f"image_size must be a multiple of 4 of at least 16, got {self.image_size}.")
        if self.scales < 1 or self.image_size // 2 ** (self.scales + 3) < 1:
            raise InputError(
                f"The perceptual loss at {self.scales} scales needs images of {2 ** (max(self.scales, 1) + 3)} pixels "
                f"or more, got {self.image_size}; use at least 1 scale and fewer than this."
            )
        check_rates(self, "sigma", "lr", "decoder_lr", "other_lr")
        weights = (self.affine_weight, self.perceptual_weight, self.l1_weight, self.gan_weight)
        if min(weights) < 0 or self.perceptual_weight + self.l1_weight <= 0:
            raise InputError(
                f"Loss weights are 0 or more, and perceptual_weight or l1_weight above 0, got affine, perceptual, l1, "
                f"gan: {weights}."
            )
        self.ranges  # noqa: B018  # checks itself

    @property
    def ranges(self) -> AffineRanges:
        """How far the random affine maps may go."""
        return AffineRanges(self.angle, self.scale, self.shear, self.translation)


@dataclass(frozen=True, kw_only=True)
class SpatialResult(Result):
    """Everything on the way from two poses to a photograph; None where it was not asked for.

    | field    | shape        | meaning |
    |----------|--------------|---------|
    | p_s, p_t | b 18 h w     | heat maps of the source's and the target's joints |
    | z_s, z_t | b m h/4 w/4  | their features, unit length at every pixel |
    | Q        | b n h/4 w/4  | filtered, normalised correlation; channel i w/4 + j is the source pixel (i, j) |
    | flow     | b 2 h/4 w/4  | (x, y) in the source at which every target pixel looks |
    | warped   | b 3 h w      | the source sampled with the flow, resized bilinearly |
    | image    | b 3 h w      | the new photograph in [0, 1] |
    | A        | b 2 3        | affine task: the random map |
    | p_st     | b 18 h w     | affine task: the pose that stands in for the source, p_t(A x) |
    | s_f      | b 2 h/4 w/4  | affine task: the flow from p_st to p_t, A^-1 x |
    | f_st     | b 2 h/4 w/4  | affine task: the flow that was estimated |
    """

    p_s: Float[Tensor, "b 18 h w"] | None = None
    p_t: Float[Tensor, "b 18 h w"] | None = None
    z_s: Float[Tensor, "b m h4 w4"] | None = None
    z_t: Float[Tensor, "b m h4 w4"] | None = None
    Q: Float[Tensor, "b n h4 w4"] | None = None
    flow: Float[Tensor, "b 2 h4 w4"] | None = None
    warped: Float[Tensor, "b 3 h w"] | None = None
    A: Float[Tensor, "b 2 3"] | None = None
    p_st: Float[Tensor, "b 18 h w"] | None = None
    s_f: Float[Tensor, "b 2 h4 w4"] | None = None
    f_st: Float[Tensor, "b 2 h4 w4"] | None = None


class SpatialTransformation(System):
    """The warping module M and C_l, the refinement network R, and the discriminator, which is shown the target pose.

    The paper does not describe its discriminator; this is the patch discriminator of the coordinate-based system with
    21 channels: colours and heat maps.
    """

    name = "spatial_transformation"
    VARIANTS = VARIANTS
    PRESETS = {
        "paper": SpatialTransformationConfig(),
        "laptop": SpatialTransformationConfig(
            image_size=128,
            pose_width=32,
            flow_width=64,
            refine_width=48,
            affine_weight=0.005,
            perceptual_weight=0.05,  # at weight 1, random features left waves in the photographs
            l1_weight=5.0,
            gan_weight=0.02,
            features="random",
            feature_width=8,
            flow_steps=4_000,
            gan_steps=1_500,
            batch_size=4,
            lr=2e-3,
            decoder_lr=5e-4,
            other_lr=1e-5,
            decay=0.5,
        ),
    }
    inference_parts = ("M", "C_l", "R")
    needs = ("keypoints", "visibility")
    # What the text leaves open: widths inside M, heat maps, the ranges of A; it counts epochs, the steps are ours.
    OURS = {
        "paper": ("pose_width", "sigma", "angle", "scale", "shear", "translation", "flow_steps", "gan_steps", "decay")
    }

    def __init__(self, config: SpatialTransformationConfig | None = None, preset: str = "custom"):
        super().__init__(config or SpatialTransformationConfig(), preset)
        c = self.config
        self.M = PoseFeatures(len(JOINTS), c.channels, c.pose_width)
        self.C_l = FlowHead((c.image_size // 4) ** 2, c.depth, c.flow_width)
        if c.variant not in FLOW_ALONE:
            self.R = WarpedAutoencoder(c.refine_width, skips=c.variant == "with_skips")
            self.discriminator = PatchDiscriminator(3 + len(JOINTS))
        self._features = LossFeatures(c.features, c.feature_width)

    def forward(self, pair: Pair) -> SpatialResult:
        """The new photograph of ``pair`` (a batch), its flow, and what they were made from."""
        self.check(pair)
        p_s, p_t, S = self.pose(pair.source), self.pose(pair.target), pair.source.image
        z_s, z_t, Q, flow = self.estimate(p_s, p_t)
        warped = sample(S, resize_grid(flow, pair.target.size), padding="border")
        image = warped if self.config.variant in FLOW_ALONE else self.R(S, flow)
        return SpatialResult(p_s=p_s, p_t=p_t, z_s=z_s, z_t=z_t, Q=Q, flow=flow, warped=warped, image=image)

    def pose(self, person: Person) -> Float[Tensor, "b 18 h w"]:
        """The heat maps of a batch of photographs."""
        side = self.config.image_size
        if person.size != (side, side):
            raise InputError(
                f"This {self.name} is built for photographs of {side} x {side} pixels, got {person.size[0]} x "
                f"{person.size[1]}; resize them, or build it with image_size."
            )
        return heat_maps(person.keypoints, person.visibility, person.size, self.config.sigma)

    def estimate(self, p_s: Float[Tensor, "b 18 h w"], p_t: Float[Tensor, "b 18 h w"]) -> tuple[Tensor, ...]:
        """The warping module: z_s, z_t, Q and the flow from the source pose to the target pose."""
        z_s, z_t = self.M(torch.cat([p_s, p_t])).chunk(2)  # one batch: the same BatchNorm statistics for both
        Q = matching(z_s, z_t)
        return z_s, z_t, Q, self.C_l(Q)

    def affine_task(self, p_t: Float[Tensor, "b 18 h w"]) -> dict[str, Tensor]:
        """A, p_st, s_f and f_st of `SpatialResult`, for new random maps."""
        A = random_affine(len(p_t), self.config.ranges).to(p_t)
        p_st = sample(p_t, affine_flow(A, p_t.shape[-2:]))  # p_st(x) = p_t(A x)
        f_st = self.estimate(p_st, p_t)[-1]
        return {"A": A, "p_st": p_st, "s_f": affine_flow(invert(A), f_st.shape[-2:]), "f_st": f_st}

    def stages(self) -> list[Stage]:
        c = self.config
        weights = {"affine": c.affine_weight, "perceptual": c.perceptual_weight, "l1": c.l1_weight}
        weights |= {"adversarial": c.gan_weight}
        if c.variant == "no_affine":
            weights["affine"] = 0.0

        def stage(name: str, drop: str | None, **settings) -> Stage:
            kept = {k: v for k, v in weights.items() if k != drop and v > 0}
            image = tuple(k for k in kept if k != "affine")
            turns = (("affine",), image) if "affine" in kept else ()
            return Stage(name=name, weights=kept, turns=turns, batch_size=c.batch_size, decay=c.decay, **settings)

        if c.variant == "correctness":
            weights = {"correctness": 1.0}
        if c.variant in FLOW_ALONE:
            return [stage("flow", "adversarial", parts=("M", "C_l"), steps=c.flow_steps, lr=c.lr)]
        slow = ("M", "C_l", "R.encoder")
        return [
            stage("flow", "adversarial", parts=(*slow, "R.decoder"), steps=c.flow_steps, lr=c.lr),
            stage(
                "adversarial", None, parts=(*slow, "R.decoder"), critics=("discriminator",) if c.gan_weight > 0 else (),
                steps=c.gan_steps, lr=c.decoder_lr, part_lr=dict.fromkeys(slow, c.other_lr),
            ),
        ]  # fmt: skip

    def stage_forward(self, pair: Pair, stage: Stage) -> SpatialResult:
        result = self(pair) if set(stage.weights) - {"affine"} else SpatialResult()
        if "affine" not in stage.weights:
            return result
        self.check(pair)
        return dataclasses.replace(result, **self.affine_task(self.pose(pair.target)))

    def losses(self, pair: Pair, result: SpatialResult, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """Losses by name: affine, perceptual, l1, adversarial; of the variant that is trained by it, correctness.

        Those whose maps are missing from ``result`` are left out, or raise InputError when named.
        """
        possible = ["affine"] if result.f_st is not None else []
        if result.image is not None:
            possible += ["perceptual", "l1"] + (["adversarial"] if hasattr(self, "discriminator") else [])
            possible += ["correctness"] if self.config.variant == "correctness" else []
        wanted = possible if names is None else [choose("loss", name, possible) for name in names]
        made, target = result.image, pair.target.image
        terms = {}
        for name in wanted:
            if name == "affine":
                terms[name] = (result.f_st - result.s_f).abs().flatten(1).sum(1).mean()  # (7)
            elif name == "perceptual":
                features = partial(self._features, layers=LAYERS)
                terms[name] = pyramid_loss(made, target, features, self.config.scales)  # (5)
            elif name == "correctness":
                terms[name] = self._correctness(pair, result.flow)
            elif name == "l1":
                terms[name] = (made - target).abs().mean()
            else:
                terms[name] = bounded_generator(judge(self.discriminator, target, made, result.p_t)[1])  # (6)
        return terms

    def _correctness(self, pair: Pair, flow: Tensor) -> Tensor:
        """Sampling correctness at both scales, their mean."""
        source, target = (self._features(image, layers=MATCHED) for image in (pair.source.image, pair.target.image))
        terms = []
        for name in MATCHED:
            size = tuple(target[name].shape[-2:])
            terms.append(sampling_correctness(source[name], target[name], resize_grid(flow, size)))
        return torch.stack(terms).mean()

    def critic_losses(self, pair: Pair, result: SpatialResult) -> dict[str, Tensor]:
        if result.image is None:
            return {}
        real, fake = judge(self.discriminator, pair.target.image, result.image.detach(), result.p_t)
        return {"discriminator": bounded_discriminator(real, fake)}

    def notes(self) -> list[tuple[str, str]]:
        c = self.config
        weights = f"affine {c.affine_weight:g}, perceptual {c.perceptual_weight:g}, l1 {c.l1_weight:g}, "
        weights += f"adversarial {c.gan_weight:g} (published 0.001, 1, 0, 0.1)"
        rates = f"{c.lr:g}, then {c.decoder_lr:g} and {c.other_lr:g} (published 1e-06, then 0.0001 and 1e-08)"
        return [("loss_features", str(self._features)), ("loss_weights", weights), ("learning_rates", rates)]
