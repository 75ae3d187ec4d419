"""Settings of coordinate-based texture inpainting: variants, readings of its losses, sizes, rates."""

from __future__ import annotations

from dataclasses import dataclass

from posekit.nets.vgg import FEATURES
from posekit.systems.base import check_rates, choose
from posekit.util.errors import InputError

VARIANTS = ("full", "no_deform", "rgb", "no_textures")
TEXTURE_LOSSES = ("identity", "texture_source", "texture_target")

# Supplementary material, Table 5.  The text sums the nearest-neighbour term over pixels and writes norms for content
# and style.  Taken literally, the sum is more than a thousand times the other two for blurred pictures, and those are
# dozens of times the adversarial term, which is 1 at most.  Taken as means, like the texture terms and the adversarial
# one, all three are of one size and below it (benchmarks/loss_scales.py, random features): so they are means here.
TABLE_5 = {"nearest_neighbour": 0.5, "content": 0.1, "style": 1e5}
TABLE_5_TEXTURE = {"identity": 10.0, "texture_source": 10.0, "texture_target": 10.0}

# The published texts disagree; each reading names the parts and the loss weights of the two stages.
READINGS = {
    # Section 3: f on two l1 terms, which the text adds without weights, then g with f fixed; the text gives no
    # weights for g: those of Table 5.
    "main": (
        (("f",), {"identity": 1.0, "texture_target": 1.0}),
        (("g",), {**TABLE_5, "adversarial": 1.0}),
    ),
    # Supplementary, section 1.1.4: every loss but the adversarial one, then no texture losses.
    "supplementary": (
        (("f", "g"), {**TABLE_5, **TABLE_5_TEXTURE}),
        (("g",), {**TABLE_5, "adversarial": 1.0}),
    ),
    # Ours, for small networks without pretrained features.  The identity loss is the one that says which way to go
    # from far away, the colour losses see one pixel; l1 and the features keep g near the truth, and smooth; the
    # adversarial loss sharpens (experiments/losses.yaml).
    "laptop": (
        (("f",), {"identity": 5.0, "texture_source": 1.0, "texture_target": 2.0}),
        (("g",), {"l1": 1.0, "nearest_neighbour": 0.5, "adversarial": 0.2}),
    ),
}
_DEFAULT_FEATURES = {"main": "vgg19", "supplementary": "vgg16", "laptop": "random"}


@dataclass(frozen=True)
class CoordinateInpaintingConfig:
    """Settings.

    | field                  | meaning |
    |------------------------|---------|
    | variant                | full, no_deform, rgb or no_textures |
    | image_size, atlas_size | sides in pixels and texels the system is trained for, multiples of 4 |
    | f_width, g_width       | channels of the first block of f, of all blocks of g |
    | reading                | main, supplementary or laptop: which losses train which part in which stage |
    | features               | vgg16, vgg19 or random; "auto" takes the one the reading names |
    | feature_width          | channels of the first scale of random features |
    | without                | losses left out of both stages, to see what they do; ("adversarial",) needs no critic |
    | black_background       | sample T from S with its background painted black, as the authors do: a texel that |
    |                        | lands on the background then costs, whatever colour that background has |
    | f_steps, g_steps       | steps of the two stages |
    | batch_size             | pairs a step |
    | f_lr, g_lr, d_lr       | Adam's rates for f, g and the discriminator |
    | decay                  | the rates fall to 0 over this last share of each stage |
    """

    variant: str = "full"
    image_size: int = 256
    atlas_size: int = 256
    f_width: int = 32
    g_width: int = 256
    reading: str = "supplementary"
    features: str = "auto"
    feature_width: int = 64
    without: tuple[str, ...] | list[str] | str = ()
    black_background: bool = False
    f_steps: int = 100_000
    g_steps: int = 200_000
    batch_size: int = 8
    f_lr: float = 2e-4
    g_lr: float = 2e-4
    d_lr: float = 2e-4
    decay: float = 0.0

    def __post_init__(self):
        choose("variant", self.variant, VARIANTS)
        choose("reading", self.reading, READINGS)
        choose("kind of features", self.features, (*FEATURES, "auto"))
        without = [self.without] if isinstance(self.without, str) else self.without
        object.__setattr__(self, "without", tuple(without))  # JSON has no tuples
        for name in self.without:
            choose("loss", name, {name for _, weights in READINGS[self.reading] for name in weights})
        for name in ("image_size", "atlas_size"):
            side = getattr(self, name)
            if side < 36 or side % 4:
                raise InputError(f"{name} must be a multiple of 4 of at least 36, got {side}.")
        check_rates(self, "f_lr", "g_lr", "d_lr")

    @property
    def feature_kind(self) -> str:
        """The features in use: vgg16, vgg19 or random."""
        return _DEFAULT_FEATURES[self.reading] if self.features == "auto" else self.features
