"""Settings of Deformable GANs: variants, kinds of skips, readings of its losses, sizes, rates."""

from __future__ import annotations

from dataclasses import dataclass

from posekit.nets.vgg import FEATURES
from posekit.systems.base import check_rates, choose
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
    | features      | vgg19 or random; "auto" takes the one the reading stands for |
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
        """The features in use: vgg16, vgg19 or random."""
        if self.features != "auto":
            return self.features
        return "random" if self.reading == "laptop" else "vgg19"
