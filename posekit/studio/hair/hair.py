"""Hair on the head: roots painted on the scalp, and a cap of hair over it.

The cap is a shell like a garment's, with the skin's own texture coordinates.  So that no edge of a cap is seen,
hair gets denser over a finger's width: below the hairline strands are painted on the skin, above it the cap starts
with no thickness and with the colour of the painted skin, and both fade into full hair.
"""

import numpy as np

from posekit.studio.base.layers import Layer, Texture
from posekit.studio.base.mesh import smooth
from posekit.studio.base.noise import Noise
from posekit.studio.base.paint import Paint
from posekit.studio.base.palette import to_linear
from posekit.studio.base.ramps import line, smoothstep, soft_mask
from posekit.studio.body.atlas import Atlas
from posekit.studio.body.limbs import Places
from posekit.studio.body.wearer import Wearer, skin_neighbours
from posekit.studio.clothes.shell import trim
from posekit.studio.hair.curtain import add_curtain
from posekit.studio.hair.hairstyles import HairStyle, choose_hair, hairline
from posekit.studio.hair.tail import add_tails

__all__ = ["choose_hair", "grow_hair", "paint_roots"]

HEAD_CENTRE = np.array([0.0, 9.05, 0.35], np.float32)  # of the skull of the mean body, dm
CROWN = np.array([0.06, 9.95, -0.15], np.float32)  # where the hair whorls
TIES = {"pony": (0.0, 9.35, -0.75), "bun": (0.0, 9.0, -0.8), "top-knot": (0.0, 10.1, -0.35)}
TIES |= {"braid": (0.0, 8.6, -0.8), "half-up": (0.0, 9.45, -0.7)}
ROOTS = (50, 16, 50)  # frequency of the noise that single roots are made of, per dm
HIDDEN_UNDER = 0.7  # dm inside the hairline where the scalp is left out


def _head_texels(atlas: Atlas) -> tuple[np.ndarray, Places]:
    """Numbers of the valid texels on the head, and their places."""
    here = np.flatnonzero(atlas.texels.head)
    t = atlas.texels
    return here, Places(t.position[here], t.angle[here], t.along[here], t.group[here])


def strand_coordinates(position: np.ndarray, style: HairStyle) -> np.ndarray:
    """Coordinates (..., 3) in which a strand is a line along the third axis.

    Noise of high frequency in the first two and low frequency in the third looks like combed hair.
    """
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    if style.flow == "part":
        # in front of the crown strands fall to the sides in planes of constant z, behind it they fan out
        side = np.sign(x - style.part)
        behind = np.arctan2(np.maximum(CROWN[2] - z, 0), np.abs(x - style.part) + 1e-3)
        across = np.where(z > CROWN[2], z - CROWN[2], -0.75 * behind)
        down = np.hypot(x - style.part, y - 10.2)
        return np.stack([across, 0.7 * side, down], axis=-1)
    tip = np.array(TIES.get(style.name, CROWN), np.float32)
    axis = (tip - HEAD_CENTRE) / np.linalg.norm(tip - HEAD_CENTRE)
    first = np.cross(axis, [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    away = (position - HEAD_CENTRE) / np.linalg.norm(position - HEAD_CENTRE, axis=-1, keepdims=True)
    a, b = away @ first, away @ second
    down = np.arccos(np.clip(away @ axis, -1, 1))
    turn = np.arctan2(a, b) + 0.25 * down  # a whorl: strands turn a little as they leave
    return np.stack([0.8 * np.cos(turn), 0.8 * np.sin(turn), down], axis=-1)


def strands(position: np.ndarray, style: HairStyle, noise: Noise) -> np.ndarray:
    """Brightness of single strands and locks, in [0, 1] with mean 0.5."""
    if style.flow == "curls":
        grown = np.maximum(hairline(position, style), 0)[
            ..., None
        ]  # on the raised surface, or curls would be drawn out
        raised = position + (position - HEAD_CENTRE) * np.minimum(grown / 0.42, 1) * style.thickness
        return noise.clouds(raised, 9 if style.name == "curly" else 18, 2, 3.0)
    along = strand_coordinates(position, style)
    locks = noise(along, (7, 7, 0.7), 2.0)
    fine = noise(along, (34, 34, 1.4), 5.0)
    finest = noise(position, (38, 8, 38), 1.0)
    return (0.40 * locks + 0.40 * fine + 0.20 * finest).astype(np.float32)


def _above_hairline(wearer: Wearer, places: Places, style: HairStyle, ears: np.ndarray) -> np.ndarray:
    """Signed distance above a ragged hairline at texels of the head; the ears stay free."""
    noise = wearer.noise
    ragged = 0.45 * noise.clouds(places.position, (9, 4, 9), 2) + 0.55 * noise(places.position, (38, 8, 38))
    inside = hairline(places.position, style) + (ragged - 0.5) * style.jag
    return np.where(ears > 0.4, -1.0, inside)


def paint_roots(skin: Paint, wearer: Wearer, style: HairStyle, color: np.ndarray) -> None:
    """Paint the roots on the scalp and a finger's width below the hairline."""
    here, places = _head_texels(wearer.atlas)
    ears = wearer.atlas.masks["ears"][here]
    inside = _above_hairline(wearer, places, style, ears)
    hairs = wearer.noise(places.position, ROOTS) - 0.5
    if style.name == "bald":
        density = 0.22 * smoothstep(inside, -0.1, 0.3) * (0.7 + 0.6 * hairs)  # the shade of shaved hair
    else:
        reach = 0.02 if style.bangs else 0.16
        density = 0.95 * smoothstep(inside + 0.12 * hairs, -reach, 0.04)
    density = density * smoothstep(0.35 - ears, 0, 0.1)
    amount = np.zeros(wearer.atlas.n_texels, np.float32)
    amount[here] = density
    skin.cover(amount, 0.85 * color)
    skin.specular *= 1 - 0.7 * amount


def grow_hair(wearer: Wearer, rng: np.random.Generator, style: HairStyle, color: np.ndarray) -> None:
    """Append the layers of the hair: "hair" (the cap, on the surface), and "curtain" or "tail" for what hangs."""
    if style.name == "bald":
        return
    _add_cap(wearer, rng, style, color)
    if style.hangs == "curtain":
        add_curtain(wearer, rng, style, color)
    if style.hangs == "tail" or style.name == "half-up":
        add_tails(wearer, rng, style, color)


def _add_cap(wearer: Wearer, rng: np.random.Generator, style: HairStyle, color: np.ndarray) -> Layer:
    """The cap of hair over the scalp."""
    atlas = wearer.atlas
    here, places = _head_texels(atlas)
    inside = _above_hairline(wearer, places, style, atlas.masks["ears"][here])
    shade = strands(places.position, style, wearer.noise)
    texture = _cap_texture(wearer, style, color, here, places, inside, shade)
    mask = np.zeros(atlas.n_texels, np.float32)
    mask[here] = soft_mask(inside, 0.25)

    at = atlas.vertices
    edge = np.where(at.head, hairline(at.position, style), -1.0).astype(np.float32)
    ear = (np.abs(at.x) > 0.735) & (at.y > 8.36) & (at.y < 8.99) & (at.z > 0.28) & (at.z < 0.80)
    edge[ear] = -1.0
    vertices = _cap_vertices(wearer, rng, style, edge)
    body = wearer.body
    kept = (edge[body.triangles["skin"]] > -0.3).any(1) & (atlas.triangle_group == atlas.vertices.group[edge > 0][0])
    layer = Layer(
        name="hair",
        vertices=vertices.astype(np.float32),
        triangles=body.triangles["skin"][kept],
        uv=body.corner_uv["skin"][kept],
        texture=texture,
        weights=wearer.skin_weights,
        alpha=atlas.cut_out(mask),
        on_surface=True,
        edge=edge,
    )
    trim(wearer.layers[0], edge, HIDDEN_UNDER)
    wearer.layers.append(layer)
    return layer


def _cap_texture(wearer, style, color, here, places, inside, shade) -> Texture:
    """Strands, darker at the roots; at the hairline the colour of the skin beneath shows through."""
    atlas = wearer.atlas
    curls = style.flow == "curls"
    full = color * (0.62 + 0.76 * shade)[:, None]
    if style.flow == "part" and style.name != "pigtails":
        parting = line(places.x - style.part, 0.035) * smoothstep(places.z, -0.1, 0.3) * (places.y > 9.5)
        full = full * (1 - 0.30 * parting)[:, None]
    full = full * (0.82 + 0.18 * smoothstep(inside, 0.05, 0.5))[:, None]
    hair = np.zeros((atlas.n_texels, 3), np.float32)
    hair[here] = to_linear(full)
    scalp = wearer.layers[0].texture.color.reshape(-1, 3)[np.flatnonzero(atlas.valid.ravel())[here]]
    reach = 0.05 if style.bangs else 0.20
    density = smoothstep(inside + 0.10 * (wearer.noise(places.position, ROOTS) - 0.5), -0.02, reach)[:, None]
    hair[here] = scalp * (1 - density) + hair[here] * density

    specular, bump = np.zeros(atlas.n_texels, np.float32), np.zeros(atlas.n_texels, np.float32)
    short = style.name in ("buzz", "crop")
    specular[here] = (0.06 if curls or short else 0.30) * density[:, 0]
    bump[here] = (0.05 if curls else 0.012 if short else 0.03) * shade * density[:, 0]
    return Texture(atlas.image(hair), atlas.image(specular), atlas.image(bump), 22.0, "hair")


def _cap_vertices(wearer: Wearer, rng: np.random.Generator, style: HairStyle, edge: np.ndarray) -> np.ndarray:
    """The scalp, smoothed and moved out by the style's thickness, which starts from nothing at the hairline."""
    at, skin = wearer.atlas.vertices, wearer.skin
    x, y, z = at.x, at.y, at.z
    top = smoothstep(y, 8.8, 9.7)
    grown = smoothstep(edge, -0.03, 0.15 if style.bangs else 0.42)
    thickness = style.thickness * (0.05 + 0.95 * grown)
    curls = style.flow == "curls"
    if curls:
        bumps = wearer.noise.clouds(at.position, 5, 2, 4.0)
        thickness = thickness * (1 + (0.5 if style.name == "afro" else 0.7) * (bumps - 0.5))
    else:
        locks = wearer.noise(strand_coordinates(at.position, style), (5, 5, 0.8), 2.0)
        strength = {"buzz": 0.1, "crop": 0.2, "messy": 1.1, "quiff": 0.6, "short": 0.5}.get(style.name, 0.4)
        thickness = thickness * (0.75 + 0.5 * top) * (1 + strength * (locks - 0.5))
    if style.name in ("fade", "quiff"):
        thickness = thickness * (0.15 + 0.85 * smoothstep(y, 9.0, 9.55))
    front = smoothstep(z, 0.8, 1.5) * top
    thickness = thickness * (1 + style.lift * front)
    if style.flow == "part":
        groove = line(x - style.part, 0.09) * smoothstep(z, -0.2, 0.3) * top
        thickness = thickness * (1 - 0.45 * groove)

    amount = 0.6 * smoothstep(edge, -0.1, 0.15)[:, None].astype(np.float32)
    smoothed = smooth(skin_neighbours(wearer.body), skin, 10, amount)
    normals = wearer.normals(smoothed)
    smoothed = smoothed + normals * np.maximum(((skin - smoothed) * normals).sum(1), 0)[:, None]
    moved = edge > -0.35
    vertices = smoothed + normals * (np.maximum(thickness, 0.02) * moved)[:, None]
    if style.name in ("short", "fade", "messy", "quiff"):
        sway = np.array([rng.uniform(-0.05, 0.05), 0.03, 0.02], np.float32)
        if style.name == "quiff":
            vertices = vertices + np.array([0, 0.05, -0.05]) * (grown * front)[:, None]
        vertices = vertices + sway * (grown * top)[:, None]
    return vertices
