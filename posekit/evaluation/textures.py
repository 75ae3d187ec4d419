"""Measure completed textures, in the atlas and in the target view, apart for what the source shows and what it hides.

seen    visible in N and known in C:        the system could copy it
unseen  visible in N and not known in C:    the system had to guess it

atlas   T against N scattered into the atlas by M_N
view    W = T[M_N] against N itself, on the body; a pixel is seen where its texel is known in C
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from posekit.evaluation.measure import measure_pairs
from posekit.evaluation.table import Evaluation
from posekit.evaluation.thinned import Thinned
from posekit.metrics import image as metrics
from posekit.metrics import texture
from posekit.metrics.protocol import Protocol
from posekit.ops.inside import at_nearest_pixel
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Pair
from posekit.systems.base import Result, Stage, System
from posekit.util.errors import InputError

REGIONS = ("atlas.seen", "atlas.unseen", "view.seen", "view.unseen")
FEWEST = 100  # texels or pixels; a smaller region says little, and its ratios a lot
PATCH = {"levels": 2, "patch": 3, "directions": 64, "patches": 512}
_NO_LOSSES = Stage(name="textures", parts=(), weights={}, steps=0, batch_size=1)  # asks a system for no photograph

WORDS = {
    "regions": "atlas: T against N splatted by M_N; view: W against N on the body; seen: visible in N and known in C; "
    f"unseen: visible in N, not known in C; pairs with fewer than {FEWEST} texels or pixels of a region are left out; "
    "SSIM as ssim_masked",
    "background_share": "share of the unseen texels whose D lies off the body mask of the source (nearest pixel)",
    "gradient_energy_ratio": "squared forward differences, image over truth, both pixels in the region; 1 is as sharp",
    "sliced_wasserstein": f"{texture.patch_words(PATCH)}; _fine: level 0 alone",
}


def measure_textures(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    *,
    batch_size: int = 8,
    device: str | torch.device = "cpu",
    seed: int = 0,
    perceptual_every: int = 1,
    progress: bool = False,
) -> Evaluation:
    """Complete the texture of every source with every system, and compare it with what the target shows.

    For each of `REGIONS`: ``REGION.l1``, ``.ssim``, ``.gradient_energy_ratio``, ``.sliced_wasserstein`` and
    ``.sliced_wasserstein_fine``; ``.perceptual`` for the regions of the view, because an atlas is no picture that its
    network knows; and ``background_share``, which is missing for systems without coordinates.

    systems: with the maps known, T and W in their result, such as coordinate_inpainting and texel_fill.
    seed: of the bootstrap and of the patches.
    perceptual_every: the perceptual distance, which costs most, of every so many pairs, as in `evaluate`.
    """
    look = Thinned(perceptual_every)

    def measure(system: System, batch: Pair) -> dict[str, Tensor | None]:
        result = system.stage_forward(batch, _NO_LOSSES)
        if getattr(result, "T", None) is None or result.W is None:
            raise InputError(
                f"{system.name} ({type(system).__name__}) completes no texture: its result has no T and W."
            )
        values: dict[str, Tensor | None] = {}
        chosen = look.chosen(system, len(batch.target.image))
        for region, (made, truth, mask) in compared(result, batch).items():
            if region.startswith("view."):
                enough = (mask.sum((1, 2, 3)) >= FEWEST).view(-1, 1, 1, 1)
                values[f"{region}.perceptual"] = look(chosen, made.float().clamp(0, 1), truth.float(), mask * enough)
            values |= {f"{region}.{name}": value for name, value in measure_region(made, truth, mask, seed).items()}
        values["background_share"] = background_share(result, batch)
        return values

    return measure_pairs(
        systems,
        pairs,
        measure,
        protocol=Protocol(more={**WORDS, **look.words}),
        notes=look.notes,
        batch_size=batch_size,
        device=device,
        seed=seed,
        progress=progress,
    )


def compared(result: Result, pair: Pair) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """For each of `REGIONS` what was made, the truth, and the mask: ``b 3 t t`` or ``b 3 h w``, mask with 1 channel."""
    target = pair.target
    texels = splat(target.image, target.uv, result.T.shape[-2:], target.mask)
    source_shows = (sample(result.known, target.uv) > 0.5).float()  # in the target's frame
    atlas, view = (result.T, texels.values), (result.W, target.image)
    return {
        "atlas.seen": (*atlas, texels.known * result.known),
        "atlas.unseen": (*atlas, texels.known * (1 - result.known)),
        "view.seen": (*view, target.mask * source_shows),
        "view.unseen": (*view, target.mask * (1 - source_shows)),
    }


def measure_region(made: Tensor, truth: Tensor, mask: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """The metrics of one region, one value per pair; NaN where the region has fewer than `FEWEST` places."""
    made, truth = made.float().clamp(0, 1), truth.float()
    enough = mask.sum((1, 2, 3)) >= FEWEST
    patches = texture.sliced_wasserstein(made, truth, mask, **PATCH, seed=seed)
    values = {
        "l1": metrics.l1(made, truth, mask),
        "ssim": metrics.ssim(made, truth, mask),
        "gradient_energy_ratio": metrics.gradient_energy_ratio(made, truth, mask),
        "sliced_wasserstein": patches.mean(1),
        "sliced_wasserstein_fine": patches[:, 0],
    }
    return {name: torch.where(enough, value, torch.nan) for name, value in values.items()}


def background_share(result: Result, pair: Pair) -> Tensor | None:
    """Share of the unseen texels that look at the background of the source; None without coordinates."""
    if getattr(result, "D", None) is None:
        return None
    _, _, unseen = compared(result, pair)["atlas.unseen"]
    off_body = 1 - at_nearest_pixel(pair.source.mask, result.D)
    enough = unseen.sum((1, 2, 3)) >= FEWEST
    return torch.where(enough, (off_body * unseen).sum((1, 2, 3)) / unseen.sum((1, 2, 3)), torch.nan)
