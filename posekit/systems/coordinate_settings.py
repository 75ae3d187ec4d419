"""Settings of coordinate-based texture inpainting: the readings of its losses, its configuration, its presets."""

import dataclasses
from dataclasses import dataclass

from posekit.nets.vgg import FEATURES
from posekit.systems.base import check_rates, choose
from posekit.util.errors import InputError

VARIANTS = ("full", "no_deform", "rgb", "no_textures", "keypoints", "garments")
OF_COORDINATES = ("identity", "off_body")
TEXTURE_LOSSES = (*OF_COORDINATES, "texture_source", "texture_target")
# Of the network that reads poses, whose losses the text does not give: a score in nats, a position in half atlases.
SURFACE_LOSSES = {"parts": 1.0, "positions": 10.0}

# Supplementary material, Table 5.  The text sums the nearest-neighbour term over pixels, writes norms for content and
# style, and sums the identity over both coordinates.  Taken literally ("as_printed"), the first is more than a thousand
# times content and style for blurred pictures, and those are dozens of times the adversarial term, which is 1 at most.
# Taken as means, like the texture terms and the adversarial one, all three are of one size and below it
# (benchmarks/loss_scales.py, random features): so they are means in the other readings.
TABLE_5 = {"nearest_neighbour": 0.5, "content": 0.1, "style": 1e5}
TABLE_5_TEXTURE = {"identity": 10.0, "texture_source": 10.0, "texture_target": 10.0}
_SUPPLEMENTARY = ((("f", "g"), {**TABLE_5, **TABLE_5_TEXTURE}), (("g",), {**TABLE_5, "adversarial": 1.0}))

_LAPTOP_F = (("f",), {"identity": 5.0, "off_body": 10.0, "texture_source": 1.0, "texture_target": 2.0})
_LAPTOP_G = {"l1": 4.0, "nearest_neighbour": 0.4, "content": 0.175, "style": 250.0, "adversarial": 0.2}

# The published texts disagree; each reading names the parts and the loss weights of the two stages.
READINGS = {
    # Section 3: f on two l1 terms, which the text adds without weights, then g with f fixed; the text gives no
    # weights for g: those of Table 5.
    "main": ((("f",), {"identity": 1.0, "texture_target": 1.0}), (("g",), {**TABLE_5, "adversarial": 1.0})),
    # Supplementary, section 1.1.4: every loss but the adversarial one, then no texture losses.
    "supplementary": _SUPPLEMENTARY,
    # The same with the norms and sums of the text in place of means.
    "as_printed": _SUPPLEMENTARY,
    # Ours, for small networks with the features of the package, whose scale the weights of content and style belong to.
    # f: the identity loss is the one that says which way to go from far away, the colour losses see one pixel; what
    # misses the body is called back.  g: l1 and content keep it near the truth, style and critic sharpen.
    "laptop": (_LAPTOP_F, (("g",), _LAPTOP_G)),
    # The same, f trained on with g: "f can be fine-tuned during the second stage", section 3, which found no benefit.
    "laptop_tuned": (_LAPTOP_F, (("f", "g"), _LAPTOP_G)),
    # The same, l1 for less and what sharpens for more: to go on with, from weights that the reading above has made.
    "laptop_sharp": (
        _LAPTOP_F,
        (("g",), {"l1": 2.0, "nearest_neighbour": 0.8, "content": 0.175, "style": 400.0, "adversarial": 0.5}),
    ),
    # The same without pretrained features, to see what they do: content and style of random ones say nothing.
    "laptop_random": (_LAPTOP_F, (("g",), {"l1": 1.0, "nearest_neighbour": 0.5, "adversarial": 0.2})),
}
_DEFAULT_FEATURES = {"main": "vgg19", "supplementary": "vgg16", "as_printed": "vgg16"}
_DEFAULT_FEATURES |= dict.fromkeys(("laptop", "laptop_tuned", "laptop_sharp"), "edge_vgg16")
_DEFAULT_FEATURES |= {"laptop_random": "random"}
# The losses on features, which see squares where loss_crop is set.
LOOKED_AT = ("content", "style", "nearest_neighbour")


@dataclass(frozen=True)
class CoordinateInpaintingConfig:
    """Settings.

    | field                  | meaning |
    |------------------------|---------|
    | variant                | full, no_deform, rgb, no_textures, keypoints or garments |
    | image_size, atlas_size | sides in pixels and texels the system is trained for, multiples of 4 |
    | f_size                 | side in texels of the atlas in which f works, where that is smaller; its positions are |
    |                        | then enlarged, and T has the detail of the source.  None: that of the texture |
    | atlas                  | what the surface maps are positions in; weights of one atlas misread maps of another |
    | f_width, g_width       | channels of the first block of f, of all blocks of g |
    | reading                | main, supplementary, as_printed (the supplementary, with its norms and sums in place of |
    |                        | means), laptop, laptop_tuned, laptop_sharp or laptop_random: which losses train what in |
    |                        | which stage |
    | features               | edge_vgg16, vgg16, vgg19 or random; "auto" takes the one the reading names |
    | feature_width          | channels of the first scale of random features |
    | loss_crop              | side in pixels of the squares that g's losses on features look at, a new one for each |
    |                        | pair and step; None, or no less than the photograph: all of it |
    | head_share             | share of these squares around the head of the target, where its joints are known |
    | without                | losses left out of both stages, to see what they do; ("adversarial",) needs no critic |
    | paste_known            | after f, the positions that the source shows stand in D as they were seen; the authors |
    |                        | take D as f gives it, and what f does not repeat exactly is lost |
    | on_body                | after f, positions off the body in S move to the nearest pixel on it |
    | sample_once            | W = S[E], which interpolates colours once and not twice and is sharper, wherever the |
    |                        | four texels around a place of M_N agree on where to look; elsewhere W = T[M_N], as |
    |                        | printed |
    | black_background       | sample T from S with its background painted black, as the authors do: a texel that |
    |                        | lands on the background then costs, whatever colour that background has |
    | map_size, map_width    | keypoints: side in pixels at which poses are drawn and read, a multiple of 32; channels |
    |                        | of the first scale of the network that reads them |
    | silhouette             | keypoints: show the target's silhouette beside its joints; the paper shows joints alone |
    | read_joints            | keypoints: read the target's map from its joints; False: take it as it comes, which |
    |                        | somebody has read before, from joints and silhouette of a photograph |
    | f_steps, g_steps       | steps of the two stages |
    | map_steps, map_batch   | keypoints: steps of the stage before them, and pairs a step of it |
    | batch_size             | pairs a step |
    | f_lr, g_lr, d_lr, map_lr | Adam's rates for f, g, the discriminator and the network that reads poses |
    | decay                  | the rates fall to 0 over this last share of each stage |
    """

    variant: str = "full"
    image_size: int = 256
    atlas_size: int = 256
    f_size: int | None = None
    atlas: str = "studio"
    f_width: int = 32
    g_width: int = 256
    reading: str = "supplementary"
    features: str = "auto"
    feature_width: int = 64
    loss_crop: int | None = None
    head_share: float = 0.5
    without: tuple[str, ...] | list[str] | str = ()
    paste_known: bool = False
    on_body: bool = False
    sample_once: bool = False
    black_background: bool = False
    map_size: int = 256
    map_width: int = 64
    silhouette: bool = False
    read_joints: bool = True
    map_steps: int = 100_000
    map_batch: int = 8
    map_lr: float = 2e-4
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
        if self.f_size is not None and (not 36 <= self.f_size <= self.atlas_size or self.f_size % 4):
            raise InputError(
                f"f_size must be a multiple of 4 from 36 to atlas_size ({self.atlas_size}), or None; got {self.f_size}."
            )
        if self.loss_crop is not None and self.loss_crop < 8:
            raise InputError(
                f"loss_crop must be 8 pixels or more, or None for whole photographs; got {self.loss_crop}."
            )
        if not 0 <= self.head_share <= 1:
            raise InputError(f"head_share is a share between 0 and 1, got {self.head_share}.")
        if self.map_size < 64 or self.map_size % 32:
            raise InputError(f"map_size must be a multiple of 32 of at least 64, got {self.map_size}.")
        check_rates(self, "f_lr", "g_lr", "d_lr", "map_lr", "map_width", "map_batch")

    @property
    def feature_kind(self) -> str:
        """The features in use: edge_vgg16, vgg16, vgg19 or random."""
        return _DEFAULT_FEATURES[self.reading] if self.features == "auto" else self.features


_LAPTOP = CoordinateInpaintingConfig(
    image_size=128,
    atlas_size=128,
    f_width=16,
    g_width=48,
    reading="laptop",
    feature_width=16,
    loss_crop=64,
    paste_known=True,
    on_body=True,
    map_size=64,
    map_width=16,
    map_steps=4_000,
    map_batch=12,
    map_lr=2e-3,
    f_steps=9_000,
    g_steps=6_000,
    batch_size=4,
    f_lr=2e-3,
    g_lr=5e-4,
    decay=0.5,
)
PRESETS = {
    "paper": CoordinateInpaintingConfig(black_background=True),
    "laptop": _LAPTOP,
    "laptop_random": dataclasses.replace(_LAPTOP, reading="laptop_random", loss_crop=None),
    # Close-ups: the same networks on another surface.
    "face": dataclasses.replace(_LAPTOP, atlas="head", f_steps=4_000, g_steps=3_000),
    # Faces need pixels: f of the laptop weights, whose positions are enlarged, and a g of the same size for 256 pixels.
    "laptop256": dataclasses.replace(
        _LAPTOP,
        image_size=256,
        atlas_size=256,
        f_size=128,
        reading="laptop_sharp",
        loss_crop=96,
        g_steps=2_000,
        batch_size=1,
        g_lr=3e-4,
        sample_once=True,
    ),
    # f as published, g of 2.9 million parameters: for a GPU, and for what README and demo show.
    "studio256": dataclasses.replace(
        _LAPTOP,
        image_size=256,
        atlas_size=256,
        map_size=128,
        map_width=24,
        f_width=32,
        g_width=128,
        loss_crop=128,
        batch_size=8,
        f_lr=1e-3,
    ),
}
