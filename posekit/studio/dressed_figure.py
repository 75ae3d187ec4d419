"""A person from a seed: body, skin, clothes, hair, eyes.

Everything random comes from one seed, split into one stream per subject (`SUBJECTS`).  Fixing a choice, say the
outfit, therefore leaves the body, the face, the skin and the hair exactly as they were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from posekit.studio.base.layers import Figure, Layer
from posekit.studio.base.noise import Noise
from posekit.studio.body.atlas import load_atlas
from posekit.studio.body.body import META, Body, load_body
from posekit.studio.body.wearer import Wearer
from posekit.studio.clothes.wardrobe import Wishes, dress, paint_legs, plan_outfit
from posekit.studio.hair.hair import choose_hair, grow_hair, paint_roots
from posekit.studio.skin.eyes import add_eyes, add_teeth
from posekit.studio.skin.skin_paint import GLOSS, choose_complexion, paint_skin
from posekit.util.errors import InputError

SUBJECTS = (
    "body",
    "expression",
    "noise",
    "complexion",
    "skin",
    "eyes",
    "outfit",
    "bottom",
    "top",
    "jacket",
    "skirt",
    "shoes",
    "hairstyle",
    "hair",
)
JITTER, JITTER_FROM = 0.15, 6  # standard deviations added to the components after the first six


def make_figure(
    seed: int | np.random.SeedSequence | np.random.Generator,
    *,
    bank_rows: Sequence[int] | None = None,
    female: bool | None = None,
    expression: Mapping[str, float] | None = None,
    outfit: str | None = None,
    hair: str | None = None,
    top: str | None = None,
    shoes: str | None = None,
    jacket: bool | str | None = None,
    skirt_length: float | None = None,
    clothes_of: np.random.SeedSequence | int | None = None,
    clothes_rows: Sequence[int] | None = None,
    atlas_size: int = 512,
) -> Figure:
    """A dressed adult in the rest pose.

    seed: the same seed and choices give the same figure, array for array.  A generator is advanced once.
    bank_rows: rows of `Body.bank` to draw the body from (all by default).  female: True or False to draw among one.
    expression: strengths by name; None draws a light smile.  {} leaves the face at rest.
    outfit, top, shoes, jacket, skirt_length: see `wardrobe.Wishes`.  hair: one of `hair.STYLES`.
    clothes_of: the seed of another figure, whose clothes are worn: the same cut, cloth and colours, on this body.
    clothes_rows: ``bank_rows`` of that figure; by its own body its sex was drawn, and by that its clothes.
    atlas_size: texels along each side of the textures on the body.
    """
    body = load_body()
    seeds = spawn(seed)
    row = choose_row(body, seeds["body"], bank_rows, female)
    coefficients = body.bank[row] + JITTER * seeds["body"].normal(size=body.bank.shape[1]) * (
        np.arange(body.bank.shape[1]) >= JITTER_FROM
    )
    drawn = _light_smile(seeds["expression"])
    face = dict(drawn if expression is None else expression)
    rest = body.rest(coefficients.astype(np.float32), face)
    about = {name: float(body.bank_meta[row][name]) for name in META}
    wearer = Wearer(
        body=body,
        atlas=load_atlas(atlas_size),
        vertices=rest.vertices,
        joints=rest.joints,
        tails=rest.tails,
        noise=Noise(seeds["noise"]),
        female=about["gender"] > 0.5,
        age=about["age"],
        ancestry=(about["african"], about["asian"], about["caucasian"]),
    )
    looks = choose_complexion(seeds["complexion"], wearer.female, wearer.age, wearer.ancestry)
    style = choose_hair(seeds["hairstyle"], wearer.female, wearer.age, hair)
    wishes = Wishes(outfit, top, shoes, jacket, skirt_length)
    owner, own = wearer, seeds  # whoever the clothes were drawn for
    if clothes_of is not None:
        own = spawn(clothes_of)
        theirs = body.bank_meta[choose_row(body, own["body"], clothes_rows, None)]
        owner = replace(wearer, noise=Noise(own["noise"]), female=bool(theirs["gender"] > 0.5))  # the layers are shared
    plan = plan_outfit(owner, own, wishes)

    skin = paint_skin(wearer, seeds["skin"], looks)
    paint_roots(skin, wearer, style, looks.hair)
    paint_legs(skin, owner, plan)
    wearer.layers.append(skin_layer(wearer, skin.texture("skin", GLOSS, wearer.atlas.image)))
    worn = dress(owner, plan, own, top)
    grow_hair(wearer, seeds["hair"], style, looks.hair)
    add_eyes(wearer, seeds["eyes"], looks.iris)
    add_teeth(wearer)
    meta = {
        "bank_row": int(row),
        "female": wearer.female,
        **about,
        "tone": looks.tone,
        "beard": looks.beard,
        "hair": style.name,
        "expression": face,
        **worn,
    }
    return Figure(wearer.layers, wearer.vertices, wearer.joints, meta)


def spawn(seed: int | np.random.SeedSequence | np.random.Generator) -> dict[str, np.random.Generator]:
    """One independent generator per subject."""
    if isinstance(seed, np.random.Generator):
        seed = np.random.SeedSequence([int(n) for n in seed.integers(0, 2**32, 4)])
    elif isinstance(seed, np.random.SeedSequence):
        # a sequence remembers how often it was spawned from; a fresh copy makes the result depend on the seed alone
        seed = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key, pool_size=seed.pool_size)
    else:
        seed = np.random.SeedSequence(seed)
    return {name: np.random.default_rng(s) for name, s in zip(SUBJECTS, seed.spawn(len(SUBJECTS)), strict=True)}


def choose_row(body: Body, rng: np.random.Generator, rows: Sequence[int] | None, female: bool | None) -> int:
    """Draw a row of the body bank among those allowed."""
    allowed = np.arange(len(body.bank)) if rows is None else np.asarray(rows, dtype=int)
    if allowed.size and (allowed.min() < 0 or allowed.max() >= len(body.bank)):
        raise InputError(f"bank_rows must be rows of the body bank, 0 to {len(body.bank) - 1}; got {list(rows)}.")
    if female is not None:
        allowed = allowed[(body.bank_meta["gender"][allowed] > 0.5) == female]
    if not allowed.size:
        raise InputError("no body is left to draw from: allow more bank_rows, or leave `female` open.")
    return int(allowed[rng.integers(len(allowed))])


def _light_smile(rng: np.random.Generator) -> dict[str, float]:
    """The face of somebody who is photographed; at rest the mean face seems to scowl."""
    return {
        "mouthSmile": float(rng.uniform(0.1, 0.55)),
        "cheekSquint": float(rng.uniform(0, 0.25)),
        "browDown": -float(rng.uniform(0, 0.3)),
    }


def skin_layer(wearer: Wearer, texture) -> Layer:
    """The bare body."""
    body = wearer.body
    return Layer(
        name="skin",
        vertices=wearer.skin,
        triangles=body.triangles["skin"],
        uv=body.corner_uv["skin"],
        texture=texture,
        weights=wearer.skin_weights,
        on_surface=True,
        cull=True,
    )
