"""Settings of Dense Pose Transfer: readings of its losses, its configuration, its presets."""

from dataclasses import dataclass

from posekit.nets.part_autoencoder import NORMS
from posekit.nets.vgg import FEATURES
from posekit.systems.base import check_rates, choose
from posekit.util.errors import InputError

# Table 4: the predictive module alone; blended without a second stream; warped without inpainting; everything.
VARIANTS = ("full", "predictive", "self_refinement", "warping")
PLANES = {"none": 0, "mask": 1, "parts": 24, "keypoints": 18, "iuv": 3, "one_hot_iuv": 26}  # Tables 3 and 7
SUPERVISION = ("multi", "single")
LOSSES = ("l1", "l2", "perceptual", "style", "adversarial")
# The five layers of Chen and Koltun 2017, whose loss equation (1) is; style looks at the first four.
LAYERS = ("relu1_2", "relu2_2", "relu3_2", "relu4_2", "relu5_2")
STYLE_LAYERS = LAYERS[:4]

READINGS = {
    # Section 4.1.  Equation (1) sums norms over five layers.  The weight of equation (3) belongs to a normalisation of
    # the Gram matrix that is not stated: here it is divided by the pixels and the channels (`posekit.losses.style`).
    "paper": {"l1": 1.0, "l2": 1.0, "perceptual": 0.5, "style": 5e5, "adversarial": 0.1},
    # Ours, for features of unit size: means in place of norms, so that no loss is a hundred times another one.
    "laptop": {"l1": 4.0, "l2": 4.0, "perceptual": 0.35, "style": 250.0, "adversarial": 0.2},
}
_FEATURES = {"paper": "vgg19", "laptop": "edge_vgg16"}


@dataclass(frozen=True)
class DensePoseTransferConfig:
    """Settings.

    | field                    | meaning |
    |--------------------------|---------|
    | variant                  | full, predictive, self_refinement or warping |
    | source_pose, target_pose | what the predictive module is told of either pose: none, mask, parts, keypoints, iuv, |
    |                          | one_hot_iuv (1, 24, 18, 3 and 26 planes) |
    | image_size, chart_size   | sides in pixels and texels; multiples of 4 and of 16, from 32 on |
    | width                    | channels of the first layer of the predictive module |
    | part_width, context, pooled, extra, norm | of the inpainting autoencoder, see `posekit.nets.part_autoencoder` |
    | blend_width, d_width     | channels inside the blending module, of the discriminator's first layer |
    | supervision              | multi: every photograph of the person that the pair brings along says what its texels |
    |                          | are (equation 6); single: the source alone |
    | neighbours               | photographs beside source and target that training data should bring along |
    | losses                   | of the last stage: l1, l2, perceptual, style, adversarial |
    | reading                  | paper or laptop: weights, and norms or means |
    | features                 | edge_vgg16, vgg16, vgg19 or random; "auto" takes the one the reading stands for |
    | feature_width            | channels of the first scale of random features |
    | sigma                    | of the heat maps of joints, in pixels |
    | predictive_steps, inpainting_steps, joint_steps | of the three stages |
    | batch_size, lr, d_lr, decay | of all stages, see `Stage` |
    | joint_lr                 | in the last stage, of the parts that were trained before it; lr where None |
    | stream_weight            | in the last stage, of the losses that each stream had before; 0, as published, looks |
    |                          | at the photograph alone, and the streams may drift from what they were |
    | joint_clip               | in the last stage, the longest gradient, see `Stage`; not cut where None: the style |
    |                          | loss of laptop grows with the fourth power of the features, and one photograph far |
    |                          | off then moves all weights as far as the rates let it |
    """

    variant: str = "full"
    source_pose: str = "iuv"
    target_pose: str = "iuv"
    image_size: int = 256
    chart_size: int = 256
    width: int = 64
    part_width: int = 32
    context: int = 256
    pooled: int | None = None
    extra: int = 0
    norm: str = "instance"
    blend_width: int = 64
    d_width: int = 64
    supervision: str = "multi"
    neighbours: int = 2
    losses: tuple[str, ...] | list[str] | str = ("l1", "perceptual", "style", "adversarial")
    reading: str = "paper"
    features: str = "auto"
    feature_width: int = 64
    sigma: float = 6.0
    predictive_steps: int = 200_000
    inpainting_steps: int = 200_000
    joint_steps: int = 200_000
    batch_size: int = 8
    lr: float = 2e-4
    d_lr: float = 2e-4
    joint_lr: float | None = None
    stream_weight: float = 0.0
    joint_clip: float | None = None
    decay: float = 0.0

    def __post_init__(self):
        choose("variant", self.variant, VARIANTS)
        choose("reading", self.reading, READINGS)
        choose("supervision", self.supervision, SUPERVISION)
        choose("norm", self.norm, NORMS)
        choose("kind of features", self.features, (*FEATURES, "auto"))
        for pose in (self.source_pose, self.target_pose):
            choose("pose", pose, PLANES)
        if self.target_pose == "none":
            raise InputError("Without the target's pose there is nothing to transfer to; give target_pose.")
        losses = [self.losses] if isinstance(self.losses, str) else self.losses
        object.__setattr__(self, "losses", tuple(losses))  # JSON has no tuples
        for name in self.losses:
            choose("loss", name, LOSSES)
        if not set(self.losses) - {"adversarial"}:
            raise InputError("The last stage needs a loss that knows the target; name l1, l2, perceptual or style too.")
        if self.image_size < 32 or self.image_size % 4:
            raise InputError(f"image_size must be a multiple of 4 of at least 32, got {self.image_size}.")
        if self.neighbours < 0:
            raise InputError(f"neighbours is a number of photographs, 0 or more, got {self.neighbours}.")
        if self.stream_weight < 0:
            raise InputError(f"stream_weight is 0 or more, got {self.stream_weight}.")
        given = [name for name in ("joint_lr", "joint_clip") if getattr(self, name) is not None]
        check_rates(self, "lr", "d_lr", "sigma", *given)

    @property
    def feature_kind(self) -> str:
        """The features in use: edge_vgg16, vgg16, vgg19 or random."""
        return _FEATURES[self.reading] if self.features == "auto" else self.features

    @property
    def planes(self) -> int:
        """Channels that the predictive module sees: the photograph and both poses."""
        return 3 + PLANES[self.source_pose] + PLANES[self.target_pose]

    @property
    def warps(self) -> bool:
        """Whether there is a warping stream."""
        return self.variant in ("full", "warping")


_LAPTOP = DensePoseTransferConfig(
    image_size=128,
    chart_size=64,
    width=16,
    part_width=8,
    context=64,
    pooled=1,
    norm="part",
    blend_width=16,
    d_width=16,
    neighbours=3,
    reading="laptop",
    sigma=3.0,
    predictive_steps=4_000,
    inpainting_steps=3_000,
    joint_steps=3_000,
    batch_size=4,
    lr=1e-3,
    joint_lr=3e-4,
    stream_weight=2.0,
    joint_clip=50.0,
    decay=0.5,
)
PRESETS = {
    "paper": DensePoseTransferConfig(),
    "laptop": _LAPTOP,
    "studio256": DensePoseTransferConfig(
        image_size=256,
        chart_size=128,
        width=32,
        part_width=16,
        context=128,
        pooled=2,
        norm="part",
        blend_width=32,
        d_width=32,
        neighbours=3,
        reading="laptop",
        predictive_steps=20_000,
        inpainting_steps=20_000,
        joint_steps=20_000,
        batch_size=8,
        lr=5e-4,
        joint_lr=2e-4,
        stream_weight=2.0,
        joint_clip=50.0,
        decay=0.5,
    ),
}
