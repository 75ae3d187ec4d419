"""Coordinate-based texture inpainting (Grigorev, Sevastopolsky, Vakhitov, Lempitsky; CVPR 2019), whole.

    C    = splat of the pixel positions of S through M_S        partial coordinate texture
    D    = f(C, C')                                             completed: where in S to look, for every texel   (1)
    T    = S[D]                                                 colour texture                                   (2)
    W, E = T[M_N], D[M_N]                                       colours and coordinates in the target frame  (3) (4)
    image = g(S, M_S, M_N, W, E)                                the new photograph

Ablations (section 4.1): ``no_deform`` gives all maps to one encoder; ``rgb`` also inpaints colours instead of
coordinates (no E); ``no_textures`` skips the texture and sees S, M_S and M_N only.

Keypoint-guided (section 4.1, Ours-K): of the target only the joints are given, ``keypoints``, and a network reads M_N
from them.  It is trained first; g sees what it gives.

Garment transfer (section 4.1), ``garments``: g also sees N', the target's head and hands, and makes the person of the
target, on white, in the clothes of the source.  Trained on two photographs of one person, used on those of two.
"""

from collections.abc import Collection
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from posekit.losses.content import content_loss
from posekit.losses.lsgan import judge, lsgan_discriminator, lsgan_generator
from posekit.losses.masked_l1 import masked_l1
from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.losses.style import style_loss
from posekit.losses.surface import part_cross_entropy, part_position_l1
from posekit.nets.deformable_hourglass import DeformableHourglass
from posekit.nets.gated_hourglass import GatedHourglass
from posekit.nets.patch_discriminator import PatchDiscriminator
from posekit.nets.pose_to_surface import PoseToSurface
from posekit.nets.vgg import LossFeatures
from posekit.ops.agreement import agreeing
from posekit.ops.crops import cut_squares, random_corners
from posekit.ops.grids import identity_grid
from posekit.ops.inside import pull_inside
from posekit.ops.part_positions import winning_part
from posekit.ops.sample import sample
from posekit.ops.splat import Splat, splat
from posekit.person import Pair, Person
from posekit.systems.base import Stage, System, choose
from posekit.systems.coordinate_results import CoordinateResult, SurfaceResult
from posekit.systems.coordinate_settings import (
    LOOKED_AT,
    OF_COORDINATES,
    PRESETS,
    READINGS,
    SURFACE_LOSSES,
    TEXTURE_LOSSES,
    VARIANTS,
    CoordinateInpaintingConfig,
)
from posekit.systems.cut_out import kept_of, laid_on_white, silhouette
from posekit.systems.rough_pose import Drawn, RoughPose, from_square, on_square, pose_planes
from posekit.util.errors import InputError

UNKNOWN = -10.0  # what f sees in texels that the source does not show


class CoordinateInpainting(System):
    """The two networks f and g, and the discriminator that judges the photographs of g.

    Maps go in with the mesh grid of their frame.  Channels of g: source 8 = S 3 + M_S 2 + mask 1 + grid 2, target
    10 = W 3 + M_N 2 + mask 1 + E 2 + grid 2; with one encoder, both lists together with one grid.  For garments the
    target's list goes on with N' 3 + its mask 1.
    """

    name = "coordinate_inpainting"
    VARIANTS = VARIANTS
    PRESETS = PRESETS
    inference_parts = ("f", "g")
    needs = ("uv", "mask")
    # The texts name neither optimiser nor rates, batch or steps.
    # of the network that reads poses, they give nothing but what goes in.
    OURS = {
        "paper": (
            "f_steps", "g_steps", "batch_size", "f_lr", "g_lr", "d_lr", "decay",
            "map_size", "map_width", "map_steps", "map_batch", "map_lr",
        )
    }  # fmt: skip

    def __init__(self, config: CoordinateInpaintingConfig | None = None, preset: str = "custom"):
        super().__init__(config or CoordinateInpaintingConfig(), preset)
        variant, width = self.config.variant, self.config.f_width
        if variant == "rgb":
            self.f = GatedHourglass(6, 3, width, output="sigmoid")
        elif variant != "no_textures":
            self.f = GatedHourglass(5, 2, width)
        source, target = {"no_deform": (0, 16), "rgb": (0, 14), "no_textures": (0, 11)}.get(
            variant, (8, 14) if variant == "garments" else (8, 10)
        )
        if variant == "keypoints":
            self.surface = PoseToSurface(self.config.map_width)
            self.inference_parts = ("surface", "f", "g")
        self.g = DeformableHourglass(target, source, width=self.config.g_width)
        self.discriminator = PatchDiscriminator()
        kind, width = self.config.feature_kind, self.config.feature_width
        self._features = LossFeatures(kind, width)
        self._nearest = LossFeatures(kind if kind in ("random", "edge_vgg16") else "vgg19", width)

    def forward(
        self, pair: Pair, *, image: bool = True, correct: bool = True, read: bool | None = None
    ) -> CoordinateResult:
        """All maps of ``pair`` (a batch).

        image: False stops before g.  correct: False leaves D as f gives it, whatever the settings paste_known and
        on_body say: what f is trained on.  read: False takes the target's map as it is given, which somebody has read
        from the joints before, or knows; as the setting read_joints says if not given; for keypoints alone.
        """
        reads = (self.config.read_joints if read is None else read) and self.config.variant == "keypoints"
        self.check(pair, of_target=self._of_joints if reads else None)
        if reads:
            pair = Pair(pair.source, self.read_pose(pair.target), pair.neighbours)
        maps = {} if self.config.variant == "no_textures" else self._textures(pair, correct)
        if reads:
            maps["M_N"] = pair.target.uv
        return CoordinateResult(**maps, image=self.refine(pair, **maps) if image else None)

    @property
    def needs_of_target(self) -> tuple[str, ...]:
        """For keypoints what the network reads: joints, and the silhouette where that is shown."""
        return self._of_joints if self.config.variant == "keypoints" and self.config.read_joints else self.needs

    @property
    def _of_joints(self) -> tuple[str, ...]:
        return ("keypoints", "visibility", *(("mask",) if self.config.silhouette else ()))

    @torch.no_grad()
    def read_pose(self, person: Person, outline: bool | None = None) -> Person:
        """The person (a batch) with the map that the network reads from its joints.

        outline: show the network the person's silhouette too; as the setting silhouette says if not given.
        """
        shown = self.config.silhouette if outline is None else outline
        square, side = on_square(person), self.config.map_size
        outline = silhouette(square) if shown else None
        scores, positions = self.surface(pose_planes(square.keypoints, square.visibility, outline, (side, side)))
        part, uv, mask = (from_square(maps, person.size) for maps in winning_part(scores, positions, square.size))
        return replace(person, uv=uv, mask=mask, part=part, chart=None, atlas=(self.atlas,) * len(uv))

    def _textures(self, pair: Pair, correct: bool) -> dict[str, Tensor]:
        """C, known, observed, T, W and, unless colours are inpainted, D, E."""
        source, target = pair.source, pair.target
        texels = self._splatted(source, self.config.atlas_size)
        C, observed, known = texels.values[:, :2], texels.values[:, 2:], texels.known
        maps = {"C": C, "known": known, "observed": observed}
        completed = self._completed(texels if self._coarse is None else self._splatted(source, self._coarse))
        if self.config.variant == "rgb":
            T = completed
        else:
            D = self._corrected(completed, C, known, source) if correct else completed
            S = source.image * source.mask if self.config.black_background else source.image
            T = sample(S, D, padding="border")  # T[u, v] = S[D1[u, v], D2[u, v]]    (2)
            maps["D"] = D
            maps["E"] = sample(D, target.uv, padding="border") * target.mask  # (4)
        maps["T"] = T
        maps["W"] = sample(T, target.uv, padding="border") * target.mask  # (3)
        if self.config.sample_once and "D" in maps:
            once = sample(S, maps["E"], padding="border") * target.mask
            alike = agreeing(maps["D"], target.uv, source.size) > 0
            maps["W"] = torch.where(alike, once, maps["W"])
        return maps

    @property
    def _coarse(self) -> int | None:
        """Side in texels of the atlas in which f works, where that is another than the texture's."""
        c = self.config
        return None if c.f_size in (None, c.atlas_size) else c.f_size

    def _splatted(self, source: Person, t: int) -> Splat:
        """Positions, then colours, of the source's pixels in an atlas of ``t`` x ``t`` texels."""
        return splat(torch.cat([_grid(source.image), source.image], 1), source.uv, (t, t), source.mask)

    def _completed(self, texels: Splat) -> Tensor:
        """What f makes of the partial texture, in the size of the texture: positions have no resolution to lose."""
        t, known = self.config.atlas_size, texels.known
        partial = texels.values[:, 2:] if self.config.variant == "rgb" else texels.values[:, :2]
        completed = self.f(torch.cat([torch.where(known > 0, partial, UNKNOWN), known, _grid(known)], 1))
        if completed.shape[-1] == t:
            return completed
        return interpolate(completed, (t, t), mode="bilinear", align_corners=False)

    def _corrected(self, D: Tensor, C: Tensor, known: Tensor, source: Person) -> Tensor:
        if self.config.paste_known:
            D = torch.where(known > 0, C, D)
        return pull_inside(D, source.mask) if self.config.on_body else D

    def refine(self, pair: Pair, W: Tensor | None = None, E: Tensor | None = None, **_: Tensor) -> Tensor:
        source, target = pair.source, pair.target
        S = [source.image, source.uv, source.mask]
        N = [m for m in (W, target.uv, target.mask, E) if m is not None] + [_grid(target.image)]
        if self.config.variant == "garments":
            kept = kept_of(target)
            N += [target.image * kept, kept]
        if self.config.variant in ("full", "keypoints", "garments"):
            return self.g(torch.cat(N, 1), torch.cat([*S, _grid(source.image)], 1), E, target.mask)
        if source.size != target.size:
            raise InputError(
                f"The variant {self.config.variant!r} stacks source and target, which must have one size; "
                f"got {source.size} and {target.size}."
            )
        return self.g(torch.cat([*N, *S], 1))

    def wanted(self, pair: Pair) -> Float[Tensor, "b 3 h w"]:
        """The target's photograph; for garments its person on white, "resulting in white background"."""
        if self.config.variant != "garments":
            return pair.target.image
        return laid_on_white(pair.target)

    def stages(self) -> list[Stage]:
        c = self.config
        stages = []
        if c.variant == "keypoints":
            stages.append(
                Stage(
                    name="surface", parts=("surface",), weights=SURFACE_LOSSES, steps=c.map_steps,
                    batch_size=c.map_batch, lr=c.map_lr, decay=c.decay,
                )
            )  # fmt: skip
        for name, steps, (parts, weights) in zip(
            ("inpainting", "refinement"), (c.f_steps, c.g_steps), READINGS[c.reading], strict=True
        ):
            parts = tuple(p for p in parts if p in self._modules)
            dropped = (*c.without, *{"rgb": OF_COORDINATES, "no_textures": TEXTURE_LOSSES}.get(c.variant, ()))
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

    def clone(self, other: "CoordinateInpainting") -> None:
        """Take over f and g of another system; planes that its g did not see begin without weight.

        "Obtained by cloning our complete pipeline in the middle of the training" (section 4.1, garment transfer).
        """
        for name in ("f", "g"):
            own, theirs = getattr(self, name), getattr(other, name).state_dict()
            own.load_state_dict({key: _widened(theirs[key], value) for key, value in own.state_dict().items()})

    def stage_forward(self, pair: Pair, stage: Stage) -> CoordinateResult | SurfaceResult:
        if stage.name == "surface":
            return self._answer(pair)
        trains_f = any(name in TEXTURE_LOSSES for name in stage.weights)
        return self(pair, image=any(name not in TEXTURE_LOSSES for name in stage.weights), correct=not trains_f)

    def _answer(self, pair: Pair) -> SurfaceResult:
        """What the network says of both photographs, drawn roughly."""
        pair.require("uv", "mask", "part", "keypoints", "visibility", by=self.name, atlas=self.atlas)
        rough, side = RoughPose(), self.config.map_size
        seen = [rough(on_square(person), (side, side)) for person in (pair.source, pair.target)]
        drawn = Drawn(*(torch.cat(maps) for maps in zip(*seen, strict=True)))
        scores, positions = self.surface(drawn.planes)
        return SurfaceResult(scores=scores, positions=positions, truth=drawn)

    def losses(
        self, pair: Pair, result: CoordinateResult | SurfaceResult, names: Collection[str] | None = None
    ) -> dict[str, Tensor]:
        """Losses by name: identity, texture_source, texture_target, off_body, l1, content, style, nearest_neighbour,
        adversarial; of the network that reads poses: parts, positions.

        Those whose maps are missing from ``result`` are left out, or raise InputError when named.
        """
        if isinstance(result, SurfaceResult):
            part, uv = result.truth.part, result.truth.uv
            return {
                "parts": part_cross_entropy(result.scores, part),
                "positions": part_position_l1(result.positions, part, uv),
            }
        of_coordinates = ("identity", "off_body")
        possible = (
            [] if result.T is None else [n for n in TEXTURE_LOSSES if n not in of_coordinates or result.D is not None]
        )
        if result.image is not None:
            possible += ["l1", "content", "style", "nearest_neighbour", "adversarial"]
        wanted = possible if names is None else [choose("loss", name, possible) for name in names]
        made, target = result.image, replace(pair.target, image=self.wanted(pair))
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
            elif name == "off_body":
                terms[name] = (result.D - pull_inside(result.D, pair.source.mask).detach()).abs().mean()
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
                _, fake = judge(self.discriminator, target.image, made, _map(pair, result))
                terms[name] = lsgan_generator(fake)
        return terms

    def _squares(self, made: Tensor, target: Person) -> tuple[Tensor, Tensor]:
        """What the losses on features compare: both photographs, or one random square of each."""
        side, photographs = self.config.loss_crop, (made, target.image)
        if side is None or side >= min(target.size):
            return photographs
        joints = target.keypoints, target.visibility
        corners = random_corners(len(made), target.size, side, *joints, self.config.head_share)
        return tuple(cut_squares(image, corners, side) for image in photographs)

    def critic_losses(self, pair: Pair, result: CoordinateResult) -> dict[str, Tensor]:
        real, fake = judge(self.discriminator, self.wanted(pair), result.image.detach(), _map(pair, result))
        return {"discriminator": lsgan_discriminator(real, fake)}

    def notes(self) -> list[tuple[str, str]]:
        return [("loss_features", str(self._features))]


def _widened(weight: Tensor, like: Tensor) -> Tensor:
    """``weight`` in the shape of ``like``, zeros at the end of the axis along which that is longer.

    Input planes are the second axis of a convolution, and the slow part of the vector that spectral norm keeps.
    """
    axes = [axis for axis, (a, b) in enumerate(zip(weight.shape, like.shape, strict=True)) if a != b]
    for axis in axes:
        more = list(weight.shape)
        more[axis] = like.shape[axis] - weight.shape[axis]
        weight = torch.cat([weight, weight.new_zeros(more)], axis)
    return weight


def _map(pair: Pair, result: CoordinateResult) -> Float[Tensor, "b 2 h w"]:
    """The target's map as g sees it."""
    return pair.target.uv if result.M_N is None else result.M_N


def _grid(like: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 2 h w"]:
    """The mesh grid of a batch of maps."""
    b, _, h, w = like.shape
    return identity_grid(h, w, dtype=torch.float32, device=like.device).expand(b, 2, h, w)
