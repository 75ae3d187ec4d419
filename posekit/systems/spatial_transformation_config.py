"""Settings of pose transfer by a single spatial transformation: variants, sizes, weights, rates."""

from __future__ import annotations

from dataclasses import dataclass

from posekit.ops.affine import AffineRanges
from posekit.systems.base import check_rates, choose
from posekit.util.errors import InputError

VARIANTS = ("full", "no_affine", "no_refinement", "with_skips")
LAYERS = tuple(f"relu{i}_1" for i in range(1, 6))  # of the first-order motion model's perceptual loss


@dataclass(frozen=True)
class SpatialTransformationConfig:
    """Settings.

    | field                | meaning |
    |----------------------|---------|
    | variant              | full, no_affine, no_refinement or with_skips |
    | image_size           | side of the photographs, a multiple of 4; poses are compared at a quarter of it |
    | depth                | layers of C_l, 1 to 6 |
    | channels             | of the features that M compares |
    | pose_width, flow_width, refine_width | channels inside M, of the first layer of C_l, of R's warped features |
    | sigma                | of the heat maps, pixels |
    | angle, scale, shear, translation | ranges of the random affine maps (`posekit.ops.affine.AffineRanges`) |
    | affine_weight        | of (7), a sum over the flow's numbers as it is printed |
    | perceptual_weight    | of (5), a sum over layers and scales of mean differences |
    | l1_weight            | of the mean difference of colours, which the paper does without |
    | gan_weight           | of (6) |
    | features             | of the perceptual loss: vgg19 or random |
    | feature_width        | channels of the first scale of random features |
    | scales               | resolutions the perceptual loss looks at |
    | flow_steps, gan_steps | steps of the two stages; every other one is the affine task's |
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
        choose("kind of features", self.features, ("vgg19", "random"))
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
        try:
            self.ranges  # noqa: B018
        except ValueError as error:
            raise InputError(str(error)) from error

    @property
    def ranges(self) -> AffineRanges:
        """How far the random affine maps may go."""
        return AffineRanges(self.angle, self.scale, self.shear, self.translation)
