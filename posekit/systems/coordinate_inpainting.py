"""Coordinate-based texture inpainting (Grigorev, Sevastopolsky, Vakhitov, Lempitsky; CVPR 2019), whole.

    C    = splat of the pixel positions of S through M_S        partial coordinate texture
    D    = f(C, C')                                             completed: where in S to look, for every texel   (1)
    T    = S[D]                                                 colour texture                                   (2)
    W, E = T[M_N], D[M_N]                                       colours and coordinates in the target frame  (3) (4)
    image = g(S, M_S, M_N, W, E)                                the new photograph

Ablations (section 4.1): ``no_deform`` gives all maps to one encoder; ``rgb`` also inpaints colours instead of
coordinates (no E); ``no_textures`` skips the texture and sees S, M_S and M_N only.
"""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.losses.content import content_loss
from posekit.losses.lsgan import judge, lsgan_discriminator, lsgan_generator
from posekit.losses.masked_l1 import masked_l1
from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.losses.style import style_loss
from posekit.nets.deformable_hourglass import DeformableHourglass
from posekit.nets.gated_hourglass import GatedHourglass
from posekit.nets.patch_discriminator import PatchDiscriminator
from posekit.nets.vgg import FEATURES, LossFeatures
from posekit.ops.crops import cut_squares, random_corners
from posekit.ops.grids import identity_grid
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Pair, Person
from posekit.systems.base import Result, Stage, System, check_rates, choose
from posekit.util.errors import InputError

VARIANTS = ("full", "no_deform", "rgb", "no_textures")
TEXTURE_LOSSES = ("identity", "texture_source", "texture_target")

# Supplementary material, Table 5.  The text sums the nearest-neighbour term over pixels, writes norms for content and
# style, and sums the identity over both coordinates.  Taken literally ("as_printed"), the first is more than a thousand
# times content and style for blurred pictures, and those are dozens of times the adversarial term, which is 1 at most.
# Taken as means, like the texture terms and the adversarial one, all three are of one size and below it
# (benchmarks/loss_scales.py, random features): so they are means in the other readings.
TABLE_5 = {"nearest_neighbour": 0.5, "content": 0.1, "style": 1e5}
TABLE_5_TEXTURE = {"identity": 10.0, "texture_source": 10.0, "texture_target": 10.0}
_SUPPLEMENTARY = ((("f", "g"), {**TABLE_5, **TABLE_5_TEXTURE}), (("g",), {**TABLE_5, "adversarial": 1.0}))

# The published texts disagree; each reading names the parts and the loss weights of the two stages.
READINGS = {
    # Section 3: f on two l1 terms, which the text adds without weights, then g with f fixed; the text gives no
    # weights for g: those of Table 5.
    "main": ((("f",), {"identity": 1.0, "texture_target": 1.0}), (("g",), {**TABLE_5, "adversarial": 1.0})),
    # Supplementary, section 1.1.4: every loss but the adversarial one, then no texture losses.
    "supplementary": _SUPPLEMENTARY,
    # The same with the norms and sums of the text in place of means.
    "as_printed": _SUPPLEMENTARY,
    # Ours, for small networks without pretrained features.  The identity loss is the one that says which way to go
    # from far away, the colour losses see one pixel; l1 and the features keep g near the truth, and smooth; the
    # adversarial loss sharpens (experiments/losses.yaml).
    "laptop": (
        (("f",), {"identity": 5.0, "texture_source": 1.0, "texture_target": 2.0}),
        (("g",), {"l1": 1.0, "nearest_neighbour": 0.5, "adversarial": 0.2}),
    ),
    # Ours, for small networks with the features of the package, whose scale the weights of content and style belong to.
    "laptop_edge": (
        (("f",), {"identity": 5.0, "texture_source": 1.0, "texture_target": 2.0}),
        (("g",), {"l1": 3.2, "nearest_neighbour": 0.31, "content": 0.175, "style": 158.0, "adversarial": 0.1}),
    ),
}
_DEFAULT_FEATURES = {"main": "vgg19", "supplementary": "vgg16", "as_printed": "vgg16"}
_DEFAULT_FEATURES |= {"laptop": "random", "laptop_edge": "edge_vgg16"}
LOOKED_AT = (
    "content",
    "style",
    "nearest_neighbour",
)  # the losses on features, which see squares where loss_crop is set


@dataclass(frozen=True)
class CoordinateInpaintingConfig:
    """Settings.

    | field                  | meaning |
    |------------------------|---------|
    | variant                | full, no_deform, rgb or no_textures |
    | image_size, atlas_size | sides in pixels and texels the system is trained for, multiples of 4 |
    | atlas                  | what the surface maps are positions in; weights of one atlas misread maps of another |
    | f_width, g_width       | channels of the first block of f, of all blocks of g |
    | reading                | main, supplementary, as_printed (the supplementary, with its norms and sums in place of |
    |                        | means), laptop or laptop_edge: which losses train which part in which stage |
    | features               | edge_vgg16, vgg16, vgg19 or random; "auto" takes the one the reading names |
    | feature_width          | channels of the first scale of random features |
    | loss_crop              | side in pixels of the squares that g's losses on features look at, a new one for each |
    |                        | pair and step; None: the whole photograph |
    | head_share             | share of these squares around the head of the target, where its joints are known |
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
    atlas: str = "studio"
    f_width: int = 32
    g_width: int = 256
    reading: str = "supplementary"
    features: str = "auto"
    feature_width: int = 64
    loss_crop: int | None = None
    head_share: float = 0.5
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
        if self.loss_crop is not None and not 8 <= self.loss_crop <= self.image_size:
            raise InputError(
                f"loss_crop must be from 8 to image_size ({self.image_size}) pixels, or None for whole photographs; "
                f"got {self.loss_crop}."
            )
        if not 0 <= self.head_share <= 1:
            raise InputError(f"head_share is a share between 0 and 1, got {self.head_share}.")
        check_rates(self, "f_lr", "g_lr", "d_lr")

    @property
    def feature_kind(self) -> str:
        """The features in use: edge_vgg16, vgg16, vgg19 or random."""
        return _DEFAULT_FEATURES[self.reading] if self.features == "auto" else self.features


UNKNOWN = -10.0  # what f sees in texels that the source does not show


@dataclass(frozen=True, kw_only=True)
class CoordinateResult(Result):
    """Everything on the way from a source to a new photograph; None where the variant has no such map.

    | field    | shape     | meaning |
    |----------|-----------|---------|
    | C        | b 2 t t   | position (x, y) in S of every known texel, 0 elsewhere |
    | known    | b 1 t t   | C': 1 where the source shows the texel |
    | observed | b 3 t t   | colour of every known texel, 0 elsewhere |
    | D        | b 2 t t   | completed coordinate texture |
    | T        | b 3 t t   | completed colour texture |
    | W        | b 3 h w   | T in the target frame, 0 off the body |
    | E        | b 2 h w   | D in the target frame, 0 off the body |
    | image    | b 3 h w   | the new photograph in [0, 1] |
    """

    C: Float[Tensor, "b 2 t t"] | None = None
    known: Float[Tensor, "b 1 t t"] | None = None
    observed: Float[Tensor, "b 3 t t"] | None = None
    D: Float[Tensor, "b 2 t t"] | None = None
    T: Float[Tensor, "b 3 t t"] | None = None
    W: Float[Tensor, "b 3 h w"] | None = None
    E: Float[Tensor, "b 2 h w"] | None = None


_LAPTOP = CoordinateInpaintingConfig(
    image_size=128,
    atlas_size=128,
    f_width=16,
    g_width=48,
    reading="laptop",
    feature_width=16,
    f_steps=9_000,
    g_steps=6_000,
    batch_size=4,
    f_lr=2e-3,
    g_lr=5e-4,
    decay=0.5,
)


class CoordinateInpainting(System):
    """The two networks f and g, and the discriminator that judges the photographs of g.

    Maps go in with the mesh grid of their frame.  Channels of g: source 8 = S 3 + M_S 2 + mask 1 + grid 2, target
    10 = W 3 + M_N 2 + mask 1 + E 2 + grid 2; with one encoder, both lists together with one grid.
    """

    name = "coordinate_inpainting"
    VARIANTS = VARIANTS
    PRESETS = {
        "paper": CoordinateInpaintingConfig(black_background=True),
        "laptop": _LAPTOP,
        "laptop_edge": dataclasses.replace(_LAPTOP, reading="laptop_edge", loss_crop=64),
    }
    inference_parts = ("f", "g")
    needs = ("uv", "mask")
    # The texts name neither optimiser nor rates, batch or steps.
    OURS = {"paper": ("f_steps", "g_steps", "batch_size", "f_lr", "g_lr", "d_lr", "decay")}

    def __init__(self, config: CoordinateInpaintingConfig | None = None, preset: str = "custom"):
        super().__init__(config or CoordinateInpaintingConfig(), preset)
        variant, width = self.config.variant, self.config.f_width
        if variant == "rgb":
            self.f = GatedHourglass(6, 3, width, output="sigmoid")
        elif variant != "no_textures":
            self.f = GatedHourglass(5, 2, width)
        source, target = {"full": (8, 10), "no_deform": (0, 16), "rgb": (0, 14), "no_textures": (0, 11)}[variant]
        self.g = DeformableHourglass(target, source, width=self.config.g_width)
        self.discriminator = PatchDiscriminator()
        kind, width = self.config.feature_kind, self.config.feature_width
        self._features = LossFeatures(kind, width)
        self._nearest = LossFeatures(kind if kind in ("random", "edge_vgg16") else "vgg19", width)

    def forward(self, pair: Pair, *, image: bool = True) -> CoordinateResult:
        """All maps of ``pair`` (a batch); ``image=False`` stops before g."""
        self.check(pair)
        maps = {} if self.config.variant == "no_textures" else self._textures(pair)
        return CoordinateResult(**maps, image=self._refine(pair, **maps) if image else None)

    def _textures(self, pair: Pair) -> dict[str, Tensor]:
        """C, known, observed, T, W and, unless colours are inpainted, D, E."""
        source, target = pair.source, pair.target
        t = self.config.atlas_size
        texels = splat(torch.cat([_grid(source.image), source.image], 1), source.uv, (t, t), source.mask)
        C, observed, known = texels.values[:, :2], texels.values[:, 2:], texels.known
        maps = {"C": C, "known": known, "observed": observed}
        partial = observed if self.config.variant == "rgb" else C
        completed = self.f(torch.cat([torch.where(known > 0, partial, UNKNOWN), known, _grid(known)], 1))
        if self.config.variant == "rgb":
            T = completed
        else:
            D = completed
            S = source.image * source.mask if self.config.black_background else source.image
            T = sample(S, D, padding="border")  # T[u, v] = S[D1[u, v], D2[u, v]]    (2)
            maps["D"] = D
            maps["E"] = sample(D, target.uv, padding="border") * target.mask  # (4)
        maps["T"] = T
        maps["W"] = sample(T, target.uv, padding="border") * target.mask  # (3)
        return maps

    def _refine(self, pair: Pair, W: Tensor | None = None, E: Tensor | None = None, **_: Tensor) -> Tensor:
        source, target = pair.source, pair.target
        S = [source.image, source.uv, source.mask]
        N = [m for m in (W, target.uv, target.mask, E) if m is not None] + [_grid(target.image)]
        if self.config.variant == "full":
            return self.g(torch.cat(N, 1), torch.cat([*S, _grid(source.image)], 1), E, target.mask)
        if source.size != target.size:
            raise InputError(
                f"The variant {self.config.variant!r} stacks source and target, which must have one size; "
                f"got {source.size} and {target.size}."
            )
        return self.g(torch.cat([*N, *S], 1))

    def stages(self) -> list[Stage]:
        c = self.config
        stages = []
        for name, steps, (parts, weights) in zip(
            ("inpainting", "refinement"), (c.f_steps, c.g_steps), READINGS[c.reading], strict=True
        ):
            parts = tuple(p for p in parts if p in self._modules)
            dropped = (*c.without, *{"rgb": ("identity",), "no_textures": TEXTURE_LOSSES}.get(c.variant, ()))
            weights = {k: v for k, v in weights.items() if k not in dropped}
            if not parts:
                continue
            if not weights:
                raise InputError(f"Without {', '.join(c.without)} the stage {name} has no loss; leave it one.")
            lr = c.f_lr if parts == ("f",) else c.g_lr
            critics = ("discriminator",) if "adversarial" in weights else ()
            stages.append(
                Stage(
                    name=name, parts=parts, weights=weights, steps=steps, batch_size=c.batch_size,
                    critics=critics, lr=lr, critic_lr=c.d_lr, decay=c.decay,
                )
            )  # fmt: skip
        return stages

    def stage_forward(self, pair: Pair, stage: Stage) -> CoordinateResult:
        return self(pair, image=any(name not in TEXTURE_LOSSES for name in stage.weights))

    def losses(self, pair: Pair, result: CoordinateResult, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """Losses by name: identity, texture_source, texture_target, l1, content, style, nearest_neighbour, adversarial.

        Those whose maps are missing from ``result`` are left out, or raise InputError when named.
        """
        possible = [] if result.T is None else [n for n in TEXTURE_LOSSES if n != "identity" or result.D is not None]
        if result.image is not None:
            possible += ["l1", "content", "style", "nearest_neighbour", "adversarial"]
        wanted = possible if names is None else [choose("loss", name, possible) for name in names]
        made, target = result.image, pair.target
        mean = self.config.reading != "as_printed"
        if set(LOOKED_AT) & set(wanted):
            looked_at = self._squares(made, target)
        layers = {"content", "style"} & set(wanted)
        if layers:
            ours, theirs = (self._features(image) for image in looked_at)
        terms = {}
        for name in wanted:
            if name == "identity":
                terms[name] = masked_l1(result.D, result.C, result.known, mean=mean)
            elif name == "texture_source":
                terms[name] = masked_l1(result.T, result.observed, result.known)
            elif name == "texture_target":
                # colours, not coordinates: the gradient reaches f through the sampling position of T = S[D]
                seen = splat(target.image, target.uv, result.T.shape[-2:], target.mask)
                terms[name] = masked_l1(result.T, seen.values, seen.known)
            elif name == "l1":
                terms[name] = (made - target.image).abs().mean()
            elif name == "content":
                terms[name] = content_loss(ours, theirs, mean=mean)
            elif name == "style":
                terms[name] = style_loss(ours, theirs, mean=mean)
            elif name == "nearest_neighbour":
                if layers and self._nearest.kind == self._features.kind:
                    a, b = ours["relu1_2"], theirs["relu1_2"]
                else:
                    a, b = (self._nearest(image, ("relu1_2",))["relu1_2"] for image in looked_at)
                terms[name] = nearest_neighbour_loss(a, b, window=3, mean=mean)
            else:
                _, fake = judge(self.discriminator, target.image, made, target.uv)
                terms[name] = lsgan_generator(fake)
        return terms

    def _squares(self, made: Tensor, target: Person) -> tuple[Tensor, Tensor]:
        """What the losses on features compare: both photographs, or one random square of each."""
        side, photographs = self.config.loss_crop, (made, target.image)
        if side is None:
            return photographs
        joints = target.keypoints, target.visibility
        corners = random_corners(len(made), target.size, side, *joints, self.config.head_share)
        return tuple(cut_squares(image, corners, side) for image in photographs)

    def critic_losses(self, pair: Pair, result: CoordinateResult) -> dict[str, Tensor]:
        real, fake = judge(self.discriminator, pair.target.image, result.image.detach(), pair.target.uv)
        return {"discriminator": lsgan_discriminator(real, fake)}

    def notes(self) -> list[tuple[str, str]]:
        return [("loss_features", str(self._features))]


def _grid(like: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 2 h w"]:
    """The mesh grid of a batch of maps."""
    b, _, h, w = like.shape
    return identity_grid(h, w, dtype=torch.float32, device=like.device).expand(b, 2, h, w)
