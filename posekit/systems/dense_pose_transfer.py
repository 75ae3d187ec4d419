"""Dense Pose Transfer (Neverova, Gueler, Kokkinos; ECCV 2018), whole.

    predicted = P(S, pose of S, pose of N)                     the predictive stream: no geometry
    T_i       = splat of S into the chart of part i            the warping stream: observed charts         (5)
    T^_i      = IAE(T_1 .. T_24)                               completed charts
    W         = T^_I[U, V] in the target frame
    image     = predicted + B(predicted, W, IUV of N)          blending: a residual

Ablations (Table 4): ``predictive`` is P alone, ``self_refinement`` blends without W, ``warping`` leaves the charts as
they were observed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from posekit.losses.content import content_loss
from posekit.losses.lsgan import lsgan_discriminator, lsgan_generator
from posekit.losses.masked_l1 import masked_l1
from posekit.losses.style import style_loss
from posekit.nets.blending import Blending
from posekit.nets.part_autoencoder import PartAutoencoder
from posekit.nets.patch_gan import PatchGAN
from posekit.nets.predictive_stream import PredictiveStream
from posekit.nets.vgg import LossFeatures
from posekit.ops.charts import PARTS, sample_charts, splat_charts
from posekit.ops.keypoints import heat_maps
from posekit.person import Pair, Person
from posekit.systems.base import Result, Stage, System, choose
from posekit.systems.dense_pose_settings import (
    LAYERS,
    PRESETS,
    READINGS,
    STYLE_LAYERS,
    VARIANTS,
    DensePoseTransferConfig,
)

_STYLE_WEIGHTS, _CONTENT_WEIGHTS = (1.0,) * len(STYLE_LAYERS), (1.0,) * len(LAYERS)


@dataclass(frozen=True, kw_only=True)
class DensePoseResult(Result):
    """Everything on the way from a source to a new photograph; None where the variant or the stage has no such map.

    | field     | shape        | meaning |
    |-----------|--------------|---------|
    | predicted | b 3 h w      | the predictive stream's photograph in [0, 1] |
    | charts    | b 24 3 t t   | T: observed charts, colours in [0, 1], 0 where unknown |
    | known     | b 24 1 t t   | 1 where the source shows the texel |
    | completed | b 24 3 t t   | T^: completed charts, colours around [0, 1] |
    | W         | b 3 h w      | the completed charts in the target frame, 0 off the body |
    | blended   | b 3 h w      | the new photograph before it is cut to [0, 1], which the losses see |
    | image     | b 3 h w      | the new photograph in [0, 1] |
    """

    predicted: Float[Tensor, "b 3 h w"] | None = None
    charts: Float[Tensor, "b p 3 t t"] | None = None
    known: Float[Tensor, "b p 1 t t"] | None = None
    completed: Float[Tensor, "b p 3 t t"] | None = None
    W: Float[Tensor, "b 3 h w"] | None = None
    blended: Float[Tensor, "b 3 h w"] | None = None


class DensePoseTransfer(System):
    """The predictive stream, the inpainting autoencoder of the charts, the blending module, and the critic.

    Colours enter the networks in [-1, 1].  The critic sees 9 channels: the source, the target's IUV picture, and the
    photograph to be judged.
    """

    name = "dense_pose_transfer"
    VARIANTS = VARIANTS
    PRESETS = PRESETS
    inference_parts = ("predictive", "autoencoder", "blending")
    # The text counts epochs (40) and gives widths of the autoencoder alone.
    OURS = {"paper": ("width", "blend_width", "d_width", "neighbours", "sigma", "predictive_steps", "inpainting_steps",
                      "joint_steps", "decay")}  # fmt: skip

    def __init__(self, config: DensePoseTransferConfig | None = None, preset: str = "custom"):
        super().__init__(config or DensePoseTransferConfig(), preset)
        c = self.config
        self.predictive = PredictiveStream(c.planes, c.width)
        if c.variant == "full":
            self.autoencoder = PartAutoencoder(PARTS, c.part_width, c.context, c.chart_size, c.pooled, c.extra, c.norm)
        if c.variant != "predictive":
            self.blending = Blending(9 if c.warps else 6, c.blend_width)
        self.discriminator = PatchGAN(9, c.d_width)
        self._features = LossFeatures(c.feature_kind, c.feature_width)

    @property
    def needs(self) -> tuple[str, ...]:
        """IUV for the critic, the charts and the blending; joints where a pose is given by them."""
        joints = "keypoints" in (self.config.source_pose, self.config.target_pose)
        return ("part", "chart", "mask", *(("keypoints", "visibility") if joints else ()))

    @property
    def training_data(self) -> dict[str, Any]:
        """Pairs of a photograph with itself too (appendix C), and neighbour views for (6)."""
        many = self.config.variant == "full" and self.config.supervision == "multi"
        return {"pairs": "same too", "neighbours": self.config.neighbours if many else 0}

    def forward(self, pair: Pair) -> DensePoseResult:
        """All maps of ``pair`` (a batch) and the new photograph."""
        self.check(pair)
        result = {"predicted": self._predict(pair)}
        made = result["predicted"]
        if self.config.variant != "predictive":
            result |= self._warp(pair) if self.config.warps else {}
            others = [2 * result["W"] - 1] if self.config.warps else []
            made = self.blending(2 * made - 1, *others, iuv_planes(pair.target)) / 2 + 0.5
        return DensePoseResult(**result, blended=made, image=made.clamp(0, 1))

    def _predict(self, pair: Pair) -> Tensor:
        c = self.config
        poses = [self.pose(pair.source, c.source_pose), self.pose(pair.target, c.target_pose)]
        return self.predictive(torch.cat([2 * pair.source.image - 1, *poses], 1)) / 2 + 0.5

    def pose(self, person: Person, kind: str) -> Float[Tensor, "b _ h w"]:
        """The planes of `PLANES`: what the predictive module is told of a pose.

        one_hot_iuv: a plane for each part, then U and V.  keypoints: heat maps, for the text's one-hot planes.
        """
        if kind == "none":
            return person.image[:, :0]
        if kind == "mask":
            return person.mask
        if kind == "keypoints":
            return heat_maps(person.keypoints, person.visibility, person.size, self.config.sigma)
        if kind == "iuv":
            return iuv_planes(person)
        parts = one_hot(person.part[:, 0], PARTS + 1).permute(0, 3, 1, 2)[:, 1:].to(person.image)
        return parts if kind == "parts" else torch.cat([parts, person.chart * person.mask], 1)

    def _warp(self, pair: Pair) -> dict[str, Tensor]:
        """charts, known, completed and W."""
        maps = self.complete(pair.source)
        maps["W"] = sample_charts(maps["completed"], pair.target.part, pair.target.chart)
        return maps

    def complete(self, source: Person) -> dict[str, Tensor]:
        """charts, known and completed of `DensePoseResult`."""
        charts, known = splat_charts(source.image, source.part, source.chart, self.config.chart_size)
        if self.config.variant != "full":
            return {"charts": charts, "known": known, "completed": charts}
        completed = (
            self.autoencoder((2 * charts - 1) * known) / 2 + 0.5
        )  # unknown texels are 0, between black and white
        return {"charts": charts, "known": known, "completed": completed}

    def stages(self) -> list[Stage]:
        c, weights = self.config, READINGS[self.config.reading]
        parts = tuple(name for name in self.inference_parts if name in self._modules)
        plan = []
        if c.variant != "predictive":
            first = "predicted_l2" if c.losses == ("l2",) else "predicted_l1"
            plan.append(("predictive", ("predictive",), {first: 1.0}, c.predictive_steps))
        if c.variant == "full":
            plan.append(("inpainting", ("autoencoder",), {"charts": 1.0}, c.inpainting_steps))
        joint = {name: weights[name] for name in c.losses}
        if c.stream_weight:
            joint |= {name: c.stream_weight for _, _, losses, _ in plan for name in losses}
        trained = {part for _, own, _, _ in plan for part in own}
        plan.append(("joint", parts, joint, c.joint_steps))
        return [
            Stage(
                name=name, parts=own, critics=("discriminator",) if "adversarial" in losses else (), weights=losses,
                steps=steps, batch_size=c.batch_size, lr=c.lr, critic_lr=c.d_lr, decay=c.decay,
                part_lr=dict.fromkeys(trained, c.joint_lr) if name == "joint" and c.joint_lr else {},
                clip=c.joint_clip if name == "joint" else None,
            )
            for name, own, losses, steps in plan
        ]  # fmt: skip

    def stage_forward(self, pair: Pair, stage: Stage) -> DensePoseResult:
        self.check(pair)
        if stage.name == "predictive":
            return DensePoseResult(predicted=self._predict(pair))
        if stage.name == "inpainting":
            return DensePoseResult(**self.complete(pair.source))
        if not stage.weights and self.config.warps:  # who measures textures asks for no photograph
            return DensePoseResult(**self._warp(pair))
        return self(pair)

    def losses(self, pair: Pair, result: DensePoseResult, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """Losses by name: predicted_l1, predicted_l2, charts, l1, l2, perceptual, style, adversarial.

        Those whose maps are missing from ``result`` are left out, or raise InputError when named.
        """
        possible = ["predicted_l1", "predicted_l2"] if result.predicted is not None else []
        possible += ["charts"] if result.completed is not None else []
        possible += ["l1", "l2", "perceptual", "style", "adversarial"] if result.blended is not None else []
        wanted = possible if names is None else [choose("loss", name, possible) for name in names]
        truth, mean = pair.target.image, self.config.reading != "paper"
        layers = dict.fromkeys(
            (*(LAYERS if "perceptual" in wanted else ()), *(STYLE_LAYERS if "style" in wanted else ()))
        )
        ours = self._features(result.blended, tuple(layers)) if layers else {}
        theirs = self._features(truth, tuple(layers)) if layers else {}
        terms = {}
        for name in wanted:
            if name == "charts":
                terms[name] = self._supervise(pair, result)
            elif name == "perceptual":
                own = {layer: ours[layer] for layer in LAYERS}
                terms[name] = content_loss(own, theirs, _CONTENT_WEIGHTS, mean=mean)  # (1)
            elif name == "style":
                own = {layer: ours[layer] for layer in STYLE_LAYERS}
                terms[name] = style_loss(own, theirs, _STYLE_WEIGHTS, mean=mean)  # (2), (3)
            elif name == "adversarial":
                terms[name] = lsgan_generator(self._judge(pair, result.blended)) / 2  # (4)
            else:
                made = result.predicted if name.startswith("predicted") else result.blended
                difference = made - truth
                terms[name] = difference.abs().mean() if name.endswith("l1") else difference.square().mean()
        return terms

    def _supervise(self, pair: Pair, result: DensePoseResult) -> Tensor:
        """(6): what every view shows, against the one completed texture; a mean over all texels that are shown."""
        views = [pair.source]
        if self.config.supervision == "multi":
            views += [pair.target, *pair.neighbours]
        seen = [splat_charts(v.image, v.part, v.chart, self.config.chart_size) for v in views]
        shown, known = (torch.stack(x).flatten(0, 2) for x in zip(*seen, strict=True))
        completed = result.completed.expand(len(views), *result.completed.shape).flatten(0, 2)
        return masked_l1(completed, shown, known)

    def critic_losses(self, pair: Pair, result: DensePoseResult) -> dict[str, Tensor]:
        if result.blended is None:
            return {}
        real, fake = self._judge(pair, pair.target.image), self._judge(pair, result.blended.detach())
        return {"discriminator": lsgan_discriminator(real, fake) / 2}  # (4)

    def _judge(self, pair: Pair, image: Tensor) -> Tensor:
        """Verdicts on ``image`` beside the source and the target's pose."""
        return self.discriminator(torch.cat([2 * pair.source.image - 1, iuv_planes(pair.target), 2 * image - 1], 1))

    def notes(self) -> list[tuple[str, str]]:
        looks = set(self.config.losses) & {"perceptual", "style"}
        return [
            ("predictive_planes", f"{self.config.planes} = image 3 + poses"),
            ("loss_features", str(self._features) if looks else "none"),
        ]


def iuv_planes(person: Person) -> Float[Tensor, "b 3 h w"]:
    """The three planes of DensePose: I / 24, U and V, 0 off the body."""
    return torch.cat([person.part.to(person.chart) / PARTS, person.chart * person.mask], 1)
