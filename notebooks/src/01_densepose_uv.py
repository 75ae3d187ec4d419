# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   posekit:
#     timeout: 120
#     quick: {trials: 2}
# ---

# %% [markdown]
# # A photograph is a picture of a surface
#
# Which point of the body does each pixel of a photograph show, and how do you write the answer down without mixing up
# axes?
#
# A photograph of a person is a flat array of colours. Behind it is a surface: the skin and the clothes on it, which
# move with the person. A **surface map** tells, for every pixel, which point of that surface it shows. With it, one
# can carry a colour from one photograph to another: look up the point, find the same point in the other picture. All
# systems of this course rest on this one idea, and most bugs in them are a swapped axis or a missing half pixel in
# such a map.
#
# **Objectives.** After this notebook you can
#
# - read a surface map in its two spellings, charts $(I, U, V)$ and atlas $(u, v)$, and go from one to the other,
# - paint on the atlas and see the paint on the person,
# - mirror a photograph together with its map,
# - say how shape and pose of a body are made from numbers,
# - name what such a map does not cover, and what a real estimator of it gets wrong,
# - recognise seven classic mistakes by their look.
#
# **Prerequisites.** Python with PyTorch tensors; what bilinear interpolation is. Nothing about body models.
#
# **Run time.** {{run_time}}

# %% tags=["parameters"]
seed: int = 0  # 0..: which set of rendered people
number: int = 15  # 0..: which person of it
view: int = 1  # 0..9999: which photograph of that person
height: int = 224  # 48..1024: pixels
width: int = 144  # 48..1024: pixels
trials: int = 4  # 1..100: random estimates at every point of the curve in section 7
photo: str = ""  # a photograph of your own; empty takes the rendered person
surface_map: str = ""  # its DensePose IUV picture (.png) or SMPL-atlas map (.npy)

# %%
from dataclasses import replace

import numpy as np
import torch
from posekit_course import checks
from posekit_course.densepose_uv import body_widgets as bodies
from posekit_course.densepose_uv import figures as fig
from posekit_course.densepose_uv import result_figures
from posekit_course.densepose_uv import surface_widgets as painting
from torch.nn import functional as F

from posekit.data.estimator_noise import EstimatorNoise
from posekit.ops.grids import identity_grid, index_to_norm, norm_to_index
from posekit.ops.sample import sample
from posekit.ops.surface import flip_map, mirror_parts
from posekit.studio.body.atlas import load_atlas
from posekit.studio.body.body import load_body
from posekit.studio.body.pose import pose_rotations
from posekit.studio.body.skinning import bone_transforms, skin
from posekit.studio.generate import make_person
from posekit.sweeps.recorded import record

# %% [markdown]
# ## 1. Parts, charts, atlas
#
# The body is a closed surface, and no closed surface fits on a sheet of paper without cuts. DensePose cuts it into
# **24 parts**, numbered $I = 1 \dots 24$; 0 is the background. Each part is flattened into a unit square of its own,
# its **chart**, with coordinates $U$ and $V$. So every pixel of the body gets three numbers, $(I, U, V)$.
#
# | | torso | hand | foot | upper leg | lower leg | upper arm | lower arm | head |
# |---|---|---|---|---|---|---|---|---|
# | right | 1 back, 2 front | 3 | 6 | 7, 9 | 11, 13 | 16, 18 | 20, 22 | 23 |
# | left | (the same) | 4 | 5 | 8, 10 | 12, 14 | 15, 17 | 19, 21 | 24 |
#
# Here is a rendered person. The studio that made the picture knows the surface, so these maps are exact. "Right" and
# "left" are always the person's own.

# %% alt="A person who waves, in four panels: the photograph, the 24 numbered body parts in colours, the coordinate U inside each part's chart, and V."
rendered = fig.rendered_subject(seed, number, view, (height, width))
subject = fig.own_subject(photo, surface_map) if photo or surface_map else rendered
person, table, mirror = subject.person, subject.table, subject.mirror

picture = fig.panels(
    [
        ("photograph", person.image),
        ("part I (twins share a hue)", fig.part_colors(person.part)),
        (
            "U in the chart (blue 0, yellow 1)",
            fig.scalar_colors(person.chart[:1], person.mask, 0, 1),
        ),
        (
            "V in the chart (blue 0, yellow 1)",
            fig.scalar_colors(person.chart[1:], person.mask, 0, 1),
        ),
    ]
)
fig.number_parts(picture.axes[1], person.part)
picture

# %% [markdown]
# $U$ and $V$ start again in every part: a value of 0.5 means nothing without $I$. That is awkward for networks and
# for interpolation. The alternative is one **atlas**: a single square sheet on which all the pieces lie beside each
# other, with coordinates $(u, v)$. A pixel then needs two numbers instead of three. We call the map $M$: $M(x, y) = (u, v)$,
# later also written $M[x, y]$. A pixel of the atlas is called a **texel**. We choose seven pixels: the two
# neighbours that are furthest apart on the atlas, and the middle pixel of five parts.

# %%
labels = table.inverse_part  # part of every texel of the atlas, 0 where it is empty
uv, on_body = person.uv, person.mask[0] > 0.5
h, w = person.size

# atlas distance of neighbours
step = (uv[:, :, 1:] - uv[:, :, :-1]).norm(dim=0) * (on_body[:, 1:] & on_body[:, :-1])
row, column = divmod(int(step.argmax()), w - 1)
pixels = [(row, column), (row, column + 1)]
for part in (2, 4, 19, 9, 13):  # and the middle pixel of five parts, where they are seen
    places = (person.part[0] == part).nonzero()
    if len(places):
        pixels.append(tuple(places[len(places) // 2].tolist()))
rows, columns = torch.tensor(pixels).T

on_photo = identity_grid(h, w)[:, rows, columns].T  # (x, y) in the photograph
on_atlas = uv[:, rows, columns].T  # (u, v) in the atlas

# %% [markdown]
# The same seven points, marked in the photograph and on the atlas. Points 1 and 2 are neighbours in the photograph, but
# they lie on two sides of a cut: far apart on the sheet.

# %% alt="Seven numbered points, marked in the photograph, in the map M as colours, on the parts of the atlas, and in the atlas's own coordinates: red for u, green for v."
picture = fig.panels(
    [
        ("photograph", person.image),
        ("M: u as red, v as green", fig.map_colors(uv, person.mask)),
        (f"{subject.atlas}: parts", fig.part_colors(labels[None])),
        (
            "the atlas's own coordinates",
            fig.map_colors(identity_grid(256, 256), torch.ones(1, 256, 256)),
        ),
    ],
    width=10,
)
fig.mark(picture.axes[0], on_photo, (h, w))
fig.mark(picture.axes[2], on_atlas, labels.shape)
fig.mark(picture.axes[3], on_atlas, (256, 256))
picture

# %% [markdown]
# ## 2. From charts to the atlas
#
# The table between the two spellings is fixed once for a body model. In our studio it is as simple as can be: the
# chart of part $I$ is the smallest box $[u_0, u_1] \times [v_0, v_1]$ of the atlas that encloses the part, so
#
# $$u = u_0 + U\,(u_1 - u_0), \qquad v = v_0 + V\,(v_1 - v_0).$$


# %% tags=["derive"]
def boxes_by_hand(part, chart, boxes):
    """part (1, h, w), chart (2, h, w), boxes (24, 4) -> position (2, h, w), 0 off the body."""
    # part 1 has row 0; the background needs some row, and is wiped below
    index = (part[0] - 1).clamp(min=0)
    u0, v0, u1, v1 = boxes[index].movedim(-1, 0)
    U, V = chart
    uv = torch.stack((u0 + U * (u1 - u0), v0 + V * (v1 - v0)))
    return uv * (part > 0)


by_hand = boxes_by_hand(rendered.person.part, rendered.person.chart, rendered.table.boxes)

# %% tags=["call", "equal"]
uv_again, mask_again = rendered.table.to_atlas(rendered.person.part, rendered.person.chart)
part_again, chart_again = rendered.table.to_charts(uv_again, mask_again)

torch.testing.assert_close(by_hand, uv_again, rtol=0, atol=1e-6)
# the map that the studio stored
torch.testing.assert_close(uv_again, rendered.person.uv, rtol=0, atol=1e-5)
assert torch.equal(part_again, rendered.person.part), "The parts did not come back."
assert torch.equal(mask_again, rendered.person.mask), "The mask did not come back."
torch.testing.assert_close(chart_again, rendered.person.chart, rtol=0, atol=1e-4)
print("charts -> atlas by hand = by the library = as stored; atlas -> charts gives them back")

# %% [markdown]
# ### Exercise 1: the table of real DensePose
#
# The charts of real DensePose are no boxes. To go from them to the atlas of SMPL (the body model of the papers, see section 6)
# there is a table with an entry for every node of a
# regular grid over every chart, of shape `(24, n, n, 2)`, and its index is **`[I - 1, V, U]`**: the row comes first,
# and rows count $V$. Node $k$ of $n$ stands for the chart coordinate $k / (n - 1)$.
#
# Write the lookup of the nearest node. $U$ and $V$ are NaN on the background in some files; the result must be 0
# there.


# %% tags=["exercise"]
def iuv_to_atlas(part, u, v, table):
    """part (h, w) in 0..24; u, v (h, w), NaN outside; table (24, n, n, 2) -> (2, h, w)."""
    # SOLUTION
    # STUB: # 1. the node of U and of V: which of the n is nearest?  (NaN has none: nan_to_num)
    # STUB: # 2. look up the entry [I - 1, V, U]; clamp I - 1 for the background
    # STUB: # 3. channels first, and 0 where part is 0
    n = table.shape[1]
    column = (u.nan_to_num(0) * (n - 1)).round().long()
    row = (v.nan_to_num(0) * (n - 1)).round().long()
    entry = table[(part - 1).clamp(min=0), row, column]
    return torch.where(part > 0, entry.movedim(-1, 0), 0)
    # END SOLUTION


# %% tags=["check", "expected"] alt="Three maps of one person in colours: the exact map, the map that the lookup gives, which is the same, and the scrambled one with U and V swapped."
checks.check_iuv_to_atlas(iuv_to_atlas)

mine = iuv_to_atlas(person.part[0], *person.chart, table.table.nan_to_num(0))
# index [I - 1, U, V]
swapped = iuv_to_atlas(person.part[0], *person.chart.flip(0), table.table.nan_to_num(0))
known = person.mask * (mine != 0).any(0)
error = (mine - uv).norm(dim=0)[known[0] > 0.5].median() / 2 * 256
print(f"median distance to the exact map: {error:.2f} texels of an atlas of 256")
assert error < 1, "Your lookup is off by more than a texel."
fig.panels(
    [
        ("exact map", fig.map_colors(uv, person.mask)),
        ("your lookup", fig.map_colors(mine, known)),
        (
            "U and V swapped: scrambled",
            fig.map_colors(swapped, person.mask * (swapped != 0).any(0)),
        ),
    ],
    width=6.5,
)

# %% [markdown]
# White dots in your lookup are no mistake: near the border of a part the nearest node may lie beside the part, where the
# table is empty. With $U$ and $V$ swapped most lookups land there, and the others at wrong places.
#
# ## 3. Where exactly is a pixel?
#
# There is one coordinate convention in this course. A pixel is a small square, and $-1$ and $1$ are the outer
# **edges** of the picture. So the centre of pixel $i$ of $n$ lies at
#
# $$x_i = \frac{2i + 1}{n} - 1 .$$
#
# PyTorch calls this `align_corners=False`. The other choice, with $-1$ and $1$ at the outermost *centres*, gives
# another meaning to the same number at every resolution.

# %% alt="Rows of 2, 4 and 8 pixels between -1 and 1: the centres are at -0.5 and 0.5; at -0.75 to 0.75; at -0.875 to 0.875."
fig.pixel_rows()

# %% [markdown]
# ### Exercise 2: the grid of pixel centres
#
# Write the grid $(x, y)$ of all pixel centres, shape `(2, h, w)`: channel 0 is $x$, to the right, and channel 1 is
# $y$, down.


# %% tags=["exercise"]
def pixel_grid(h, w):
    """The (x, y) of every pixel centre in [-1, 1], shape (2, h, w)."""
    # SOLUTION
    # STUB: # x changes from column to column, y from row to row;
    # STUB: # torch.arange and expand or meshgrid help
    x = (2 * torch.arange(w) + 1) / w - 1
    y = (2 * torch.arange(h) + 1) / h - 1
    return torch.stack((x.expand(h, w), y[:, None].expand(h, w)))
    # END SOLUTION


# %% tags=["check"]
checks.check_pixel_grid(pixel_grid)

torch.testing.assert_close(pixel_grid(5, 7), identity_grid(5, 7))
# One convention at all resolutions: means of 2 x 2 fine pixels are the coarse grid, exactly.
torch.testing.assert_close(F.avg_pool2d(pixel_grid(8, 12)[None], 2)[0], pixel_grid(4, 6))

# %% [markdown]
# ## 4. Paint on the atlas, see it on the person
#
# A texture $T$ is a picture on the atlas. A body pixel $(x, y)$ shows the texture at its atlas position:
#
# $$W(x, y) = T\big(M(x, y)\big).$$
#
# This is a **backward warp**: for every pixel of the result we ask where to look. Here it is with the nearest texel,
# and by the library, which reads bilinearly between the four texels around the position. The two agree wherever these
# four have the same colour.

# %% tags=["derive", "call", "equal"]
texture = painting.paint("checkers", 8)  # (3, 256, 256)
size = texture.shape[-1]

# u -> column, v -> row
column, row = norm_to_index(uv, size).round().long().clamp(0, size - 1)
nearest = texture[:, row, column]

bilinear = sample(texture[None], uv[None], padding="border")[0]
column, row = norm_to_index(uv, size).floor().long().clamp(0, size - 2)
corners = torch.stack([texture[:, row + dy, column + dx] for dy in (0, 1) for dx in (0, 1)])
# pixels whose four texels have one colour
flat = on_body & (corners == corners[0]).all(0).all(0)

torch.testing.assert_close(nearest[:, flat], bilinear[:, flat], rtol=0, atol=1e-5)
record(share_of_pixels_compared=round(float(flat.sum() / on_body.sum()), 3))
assert flat.sum() > 0.8 * on_body.sum(), "Too few pixels were compared."

# %% [markdown] tags=["predict"]
# **Predict, then look.** We paint horizontal bands on the atlas: every band has one range of $v$. Look again at the
# atlas in section 1. On the person standing upright, will the bands be horizontal on the trunk? And on the head?


# %%
from posekit_course.predictions import predict

predict(
    "01 bands",
    "Are horizontal bands of the atlas horizontal on the head?",
    "yes",
    "no, up and down",
    "no, slanted",
)


# %% alt="Left: the atlas, painted with horizontal bands. Right: on the person the bands run around the trunk, but up and down on the head."
def upright(parts):
    """How much v changes down the picture, over across, on parts (> 1: horizontal bands)."""
    here = torch.isin(person.part[0], torch.tensor(parts))
    down = (uv[1, 1:] - uv[1, :-1]).abs()[here[1:] & here[:-1]]
    across = (uv[1, :, 1:] - uv[1, :, :-1]).abs()[here[:, 1:] & here[:, :-1]]
    return float(down.median() / across.median())


trunk, head = upright([1, 2]), upright([23, 24])
record(trunk=round(trunk, 2), head=round(head, 2))
if not surface_map:
    assert trunk > 2, "The bands are not horizontal on the trunk."
    assert head < 0.5, "The bands are not upright on the head."
painting.render_painting(person, labels, "rows", 16)

# %% [markdown]
# The bands run around the trunk, but up and down on the head: the head lies on its side in this atlas. An atlas is a
# storage layout; its directions mean something on one part and something else on the next. Try the other patterns.
# With many bands you see how much finer the face is charted than the legs.

# %% tags=["explore"] alt="A pattern painted on the atlas, and the same pattern on the person; here a chequerboard, whose squares are small on the face."
panel = painting.painting_panel(person, labels)
panel

# %% tags=["move"]
panel.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# ## 5. Left and right
#
# People are symmetric, and training sets are often doubled by flipping photographs. The map must be flipped with
# care. Flipping the *picture* of the map is not enough: in the mirror a right hand becomes a **left** hand, so every
# position must be replaced by its twin on the other side of the body. A table gives, for each texel of the atlas, the
# position of its twin; NaN where the atlas is empty.
#
# ### Exercise 3: the map of a flipped photograph
#
# Replace the positions by their twins (nearest texel), then flip the picture. Off the mask the map is 0.


# %% tags=["exercise"]
def mirror_map(uv, mask, mirror):
    """uv (2, h, w), mask (1, h, w), mirror (2, a, a) -> map, mask of the flipped picture."""
    # SOLUTION
    # STUB: # 1. row and column of the texel at each position: norm_to_index, round, clamp
    # STUB: # 2. the twin from the table, 0 where there is none or off the mask
    # STUB: # 3. flip map and mask left to right
    column, row = (
        norm_to_index(uv, mirror.shape[-1]).round().long().clamp(0, mirror.shape[-1] - 1)
    )
    twin = mirror[:, row, column].nan_to_num(0) * mask
    return twin.flip(-1), mask.flip(-1)
    # END SOLUTION


# %% tags=["check"]
checks.check_mirror_map(mirror_map)

# %% tags=["expected"] alt="Body parts in colours and numbers: the photograph; flipped as a picture, with left and right confused; flipped with twins, where a right hand is a right hand again."
mine, mine_mask = mirror_map(uv, person.mask, mirror)
flipped, flipped_mask = flip_map(uv, person.mask, mirror)  # the library's, bilinear
parts = {
    "photograph": person.part,
    "flipped as a picture: wrong": person.part.flip(-1),
    "flipped with twins: right": table.to_charts(mine, mine_mask)[0],
}
agree = (table.to_charts(flipped, flipped_mask)[0] == mirror_parts(person.part).flip(-1))[
    flipped_mask > 0.5
]
twice, twice_mask = flip_map(flipped, flipped_mask, mirror)
back = (twice - uv).norm(dim=0)[twice_mask[0] > 0.5].median() / 2 * 256
record(
    parts_agree=round(float(agree.float().mean()), 3),
    texels_off_after_two_flips=round(float(back), 3),
)
assert agree.float().mean() > 0.97, "The flipped map and the flipped parts disagree."
assert back < 0.5, "Two flips do not give the map back."

picture = fig.panels(
    [(title, fig.part_colors(part)) for title, part in parts.items()], width=6.5
)
for axis, part in zip(picture.axes, parts.values(), strict=True):
    fig.number_parts(axis, part)
picture

# %% [markdown]
# Look at the raised arm. In the middle picture its numbers are still those of a *right* arm (3, 16, 18, 20, 22),
# although the person in a flipped photograph raises the left one. Such a map tells a system that right arms grow on
# left sides.
#
# ## 6. The body behind the photograph
#
# Where does a body model come from? For our rendered people two ideas suffice. (SMPL, the model whose atlas the papers
# use, has a third: small corrections of the shape that depend on the pose, where a bent joint would look pinched.)
#
# **Blend shapes.** Stack the coordinates of all vertices of a mesh into one long vector $x$. Bodies of many people,
# in the same pose, lie near a flat subspace; principal components $b_k$ span it:
#
# $$x(c) = \bar x + c_1 b_1 + \dots + c_K b_K .$$
#
# One row of numbers $c$, in standard deviations, is a person.
#
# **Linear blend skinning.** A pose turns the bones; bone $j$ carries the space around it by a rigid motion $G_j$. A
# vertex $i$ at the position $x_i$ follows several bones with weights $w_{ij}$ that sum to 1:
#
# $$x_i' = \sum_j w_{ij}\, G_j\, x_i .$$

# %% tags=["derive", "equal"]
model = load_body()
c = model.bank[5, :10]  # the first ten components of a sampled adult

x = model.mean + sum(c_k * b_k for c_k, b_k in zip(c, model.basis, strict=False))
rest = model.rest(c)
np.testing.assert_allclose(x[: model.n_vertices], rest.vertices, atol=1e-4)

pose = bodies.blend_pose("wave", 1.0, 20)
# (bones, 4, 4)
G = bone_transforms(model, rest.joints, pose_rotations(pose, rest.joints, model))
points = np.concatenate([rest.vertices, np.ones((len(rest.vertices), 1))], axis=1)
# where each bone alone would carry each vertex
carried = np.einsum("bij,nj->nbi", G[:, :3], points)
posed = (model.weights[..., None] * carried).sum(axis=1)
np.testing.assert_allclose(posed, skin(rest.vertices, model.weights, G), atol=1e-4)

print(
    f"{model.n_vertices} vertices, {len(model.bones)} bones, {len(model.basis)} components; "
    "by hand = by the library"
)

# %% [markdown]
# The weights are known at the vertices, so they can be painted on the atlas, and section 4 shows them on a dressed
# person: yellow skin follows the named bone, dark blue skin does not. Around a joint the two mix; that is what bends
# the sleeve without tearing it.

# %% alt="A person who raises an arm, and three weights in yellow on dark blue: of the right upper arm, of the right forearm, of the left thigh. They fade around the joints."
waving = bodies.take((), "wave", 1.0, 20.0)
sheet = load_atlas(256)
pictures = [("photograph", waving.image)]
for bone, name in (
    ("upperarm_r", "right upper arm"),
    ("lowerarm_r", "right forearm"),
    ("thigh_l", "left thigh"),
):
    # vertices -> texels
    weight = sheet.from_vertices(model.weights[: model.n_skin, model.bone_index[bone]])
    weight = torch.from_numpy(sheet.image(weight)).float()[None]
    seen = sample(weight[None], waving.uv[None])[0]
    pictures.append((f"weight of the {name}", fig.scalar_colors(seen, waving.mask, 0, 1)))
fig.panels(pictures, width=8.5)

# %% [markdown]
# Shape, pose and view change the photograph, and the map changes with them; the atlas stays the same. In the first
# two rows one component of the shape runs from $-2$ to $2$ standard deviations (the camera stands still); in the
# third the person turns.

# %% alt="Fifteen photographs of one person: height from -2 to 2 in the first row, build from -2 to 2 in the second, five turns from -90 to 180 degrees in the third."
settings = [("height", (-s, 0.0), "stand", 0.0, f"{s:+d}" if s else "0") for s in range(-2, 3)]
settings += [("build", (0.0, s), "stand", 0.0, f"{s:+d}" if s else "0") for s in range(-2, 3)]
settings += [
    ("turn", (0.0, 0.0), "hand_on_hip", turn, f"{turn}°") for turn in (-90, -45, 0, 90, 180)
]
shots = [
    bodies.take(tuple(map(float, shape)), pose, 1.0, float(turn))
    for _, shape, pose, turn, _ in settings
]
fig.panels(
    [
        (f"{name} {value}", shot.image)
        for shot, (name, *_, value) in zip(shots, settings, strict=True)
    ],
    5,
    width=6.5,
)

# %% [markdown]
# Now move the person yourself. The last panel is the photograph scattered onto the atlas: everything that this view
# does **not** show is grey. Pose transfer has to invent it. Which turn shows most of the body? Can any single view
# show more than half? Guess before you read on.

# %% tags=["explore"] alt="A person, the charts as colours, the atlas position as colours, and the texture scattered onto the atlas: grey where this view shows nothing."
panel = bodies.body_panel()
panel

# %% tags=["move"]
panel.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# **The answer**, measured: how much of the body one photograph shows, turn by turn.

# %% tags=["experiment"]
turns = (0, 40, 90, 135, 180)
shares = {turn: [] for turn in turns}
for turn, name in (
    (turn, name) for turn in turns for name in ("wave", "walk_long", "hand_on_hip")
):
    shot = bodies.take((0.0, 0.0), name, 1.0, float(turn))
    shares[turn].append(bodies.seen_in_atlas(shot, 96)[1])
for turn, seen in shares.items():
    print(f"turned by {turn:3}°: {min(seen):.0%} to {max(seen):.0%} of the body's texels")
record(most_in_one_view=round(max(max(seen) for seen in shares.values()), 2))
assert max(max(seen) for seen in shares.values()) < 0.5, "One view shows half of the body."

# %% [markdown]
# No view shows half. A camera sees the side that faces it, less what an arm or the chin hides, and the surfaces that it
# sees at a slant fill few pixels: there, most texels receive no pixel at all. From front and back about two fifths are
# seen, from the side a quarter to a third. More than half of every texture in this course is a guess.
#
# ## 7. What the map does not say
#
# **Not everything on a person is body.** Long hair, skirts, coats, bags hang away from the surface and have no place
# in its atlas. For a skirt there are two readings: no map where cloth is seen, or the map of the legs *under* the
# skirt. Annotators of DensePose were asked for the body under the clothes, and estimators have learnt this from them;
# it is the default here (`skirts="legs"`). Legs painted with the colours of a skirt are then part of the game.

# %%
clothes = {"outfit": "dress", "hair": "long", "skirt_length": 0.6}
legs = make_person(seed, 8, 2, (height, width), skirts="legs", **clothes)
cloth = make_person(seed, 8, 2, (height, width), skirts="cloth", **clothes)
loose_hair = legs.hair * (1 - legs.mask)
hair_share = float(loose_hair.sum() / legs.hair.sum())
skirt_share = 1 - float(cloth.mask.sum() / legs.mask.sum())
record(
    hair_without_map=round(hair_share, 2), map_lost_with_cloth_reading=round(skirt_share, 2)
)
assert hair_share > 0.3, "Hardly any hair lies off the map."
assert skirt_share > 0.1, "The two readings of the skirt hardly differ."

# %% alt="A person in a skirt: the photograph, a map that goes on under the skirt, a map that stops at the skirt, and the loose hair in orange, which no map covers."
blue, orange = (0.0, 0.45, 0.70), (0.90, 0.62, 0.0)
fig.panels(
    [
        ("photograph", legs.image),
        ('map, skirts="legs"', result_figures.tinted(legs.image, legs.mask, blue)),
        ('map, skirts="cloth"', result_figures.tinted(legs.image, cloth.mask, blue)),
        (
            f"{hair_share:.0%} of the hair: no map",
            result_figures.tinted(legs.image, loose_hair, orange),
        ),
    ],
    width=8,
)

# %% [markdown]
# **A real estimator is not exact.** It misses hands and whole parts, and puts the surface a pixel or two beside where
# it is. `EstimatorNoise` imitates this on purpose, so that systems can be trained and tested with it. A fair way to
# see the damage: put the person's own colours on the atlas with the exact map, then read them back through the spoilt
# one. A perfect map gives the photograph back. The measure is the **PSNR** in decibels (dB), from the mean squared error:
# $-10 \log_{10}$ of it. More is better, and an error half as large gives 6 dB more.


# %%
def reread(estimate, size=256):
    """The person's colours, stored with the exact map, read through an estimate of the map."""
    texture = painting.own_texture(rendered.person, size)
    return sample(texture[None], estimate.uv[None])[0]


def psnr(image, estimate):
    """Peak signal-to-noise ratio in dB against the photograph, where both maps are."""
    both = (rendered.person.mask * estimate.mask > 0.5).expand_as(image)
    return float(-10 * torch.log10((image - rendered.person.image)[both].square().mean()))


# %% [markdown]
# One estimate that misses parts and shifts the rest by up to four pixels. *See:* the left hand and foot are gone. The rest
# looks nearly right, only a little bent; yet the number falls by 15 dB, for stripes and edges no longer lie on each other.

# %% alt="Exact parts; the parts of an estimate, which lacks the left hand and foot; the photograph re-read through the exact map, and through the estimate: hand and foot missing, the rest a little bent."
estimate = EstimatorNoise(part_dropout=0.1, missing_hands=0.6, jitter=4.0)(
    rendered.person, np.random.default_rng(3)
)
exact = reread(rendered.person)
picture = fig.panels(
    [
        ("exact parts", fig.part_colors(rendered.person.part)),
        ("an estimate: parts missing", fig.part_colors(estimate.part)),
        (
            f"re-read, exact map: {psnr(exact, rendered.person):.0f} dB",
            torch.where(rendered.person.mask > 0.5, exact, 1.0),
        ),
        (
            f"re-read, estimate: {psnr(reread(estimate), estimate):.0f} dB",
            torch.where(estimate.mask > 0.5, reread(estimate), 1.0),
        ),
    ],
    width=8.5,
)
fig.number_parts(picture.axes[0], rendered.person.part)
fig.number_parts(picture.axes[1], estimate.part)
picture

# %% [markdown]
# How much is a pixel worth? The next figure measures it. The horizontal lines are another loss, which comes with the
# file format: IUV pictures store $U$ and $V$ in 8 bits, as $\lfloor 255\,U \rfloor$. Rounding *down* shifts the whole
# map by half a step on average. If the stored number $n$ is read back as $(n + \tfrac12)/255$ instead of $n / 255$, half of
# that error is gone.

# %% tags=["experiment"]
jitters = (0.0, 0.5, 1.0, 2.0, 4.0)
curve = []
for jitter in jitters:
    noise = EstimatorNoise(part_dropout=0, missing_hands=0, jitter=jitter)
    estimates = [
        noise(rendered.person, np.random.default_rng([trial, 7])) for trial in range(trials)
    ]
    curve.append([psnr(reread(e), e) for e in estimates])
mean = np.mean(curve, axis=1)
assert mean[0] > mean[2] + 2 > mean[4] + 4, (
    "From 0 to 1 pixel, or from 1 to 4, the shift costs less than 2 dB."
)

# %% alt="A falling curve: PSNR of the re-read photograph against the largest shift of the map, from 38 dB at 0 to 23 dB at 4 pixels; two lines for maps of 8 bits."
stored = (rendered.person.chart * 255).floor()  # what an 8-bit IUV picture holds
eight_bit, texels_off = {}, {}
for name, chart in (
    ("n / 255", stored / 255),
    ("(n + ½) / 255", ((stored + 0.5) / 255).clamp(max=1)),
):
    uv8, mask8 = rendered.table.to_atlas(rendered.person.part, chart)
    eight_bit[name] = psnr(reread(replace(rendered.person, uv=uv8)), rendered.person)
    texels_off[name] = float(
        (uv8 - rendered.person.uv).norm(dim=0)[mask8[0] > 0.5].mean() / 2 * 256
    )
record(**{f"texels off, {name}": round(value, 3) for name, value in texels_off.items()})
assert texels_off["(n + ½) / 255"] < 0.7 * texels_off["n / 255"], (
    "The half step does not take a third of the error."
)
result_figures.draw_costs(jitters, np.array(curve), eight_bit)

# %% [markdown]
# ## 8. The convention card
#
# Copy this card. Most questions that people ask about DensePose files are answered by one of its rows.
#
# | what | where it lives | axes and order | range | traps |
# |---|---|---|---|---|
# | image, tensor | here | channels, rows, columns: `3 h w` | 0..1 | `size` is (h, w); Pillow's `size` is (w, h) |
# | grid, map $M$ | here | channel 0 is $x$ or $u$ (right), channel 1 is $y$ or $v$ (**down**) | $-1..1$, edge to edge | pixel $i$ of $n$ has its centre at $(2i+1)/n - 1$: `align_corners=False` |
# | mask | here | `1 h w`, travels with every map | 0 or 1 | off the mask a map is 0, and 0 is a valid place: always multiply by the mask |
# | chart $(U, V)$ | here, DensePose | with the part $I$ = 1..24; 0 is background | 0..1 | means nothing without $I$ |
# | `*_IUV.png` | DensePose files | OpenCV writes $I, U, V$ as blue, green, red: Pillow reads **$(V, U, I)$** | $I$: 0..24, $U, V$: $\lfloor 255\,\cdot \rfloor$ | other tools write $(I, U, V)$; the channel with maximum ≤ 24 is $I$; never JPEG |
# | chart → atlas table | DensePose, SMPL | index **$[I-1, V, U]$**, value $(u, v)$ | 0..1, $v$ **up** | $[I, U, V]$ scrambles the face |
# | SMPL-atlas `.npy` | released by the authors of coordinate-based inpainting | rows, columns, 2: `h w 2` | $x = 2u-1$, $y = 1-2v$ (**down**), NaN off the body | NaN must never enter a network |
# | key points CSV | the field's annotations | `name: y list: x list`, **$y$ first** | pixel indices | $-1$ means missing; photographs of 256 columns are often cut to the middle 176: there $x$ is 40 less |
# | flip | everywhere | picture flipped **and** $3 \leftrightarrow 4$, $5 \leftrightarrow 6$, ... $23 \leftrightarrow 24$ | | 1 and 2 stay; in DensePose's charts the torso flips $V$, head and feet flip $U$ |
#
# A card that nobody checks goes stale. So here most rows are sent on a round trip (the flip was, in section 5): written as the
# field writes it, read
# by the library, compared. First the three kinds of files.

# %%
import tempfile
from pathlib import Path

from posekit_course.densepose_uv import field_files

from posekit.data.annotations import read_annotations
from posekit.data.iuv import read_iuv
from posekit.data.smpl_atlas import read_smpl_atlas

one = rendered.person
with tempfile.TemporaryDirectory() as folder:
    files = [Path(folder) / name for name in ("a_IUV.png", "a.npy", "joints.csv")]
    iuv = read_iuv(field_files.write_iuv(one, files[0]))  # V, U, I for Pillow; 8 bits
    # v up, NaN
    uv_read, mask_read = read_smpl_atlas(field_files.write_smpl_atlas(one, files[1]))
    # y first, -1 is missing
    table_of_points = field_files.write_keypoints(one, files[2], "a.jpg")
    read, visible = read_annotations(table_of_points, one.size)["a.jpg"]

# %%
missing = one.visibility == 0
assert iuv.order == "VUI", "The order of the channels was not recognised."
assert torch.equal(iuv.part, one.part), "The parts did not come back from the IUV picture."
assert torch.equal(mask_read, one.mask), "The mask did not come back from the .npy map."
assert uv_read.isfinite().all(), "NaN came in from the .npy map."
assert torch.equal(visible == 0, missing), (
    "Other key points are missing than those that were not seen."
)

# %% [markdown]
# What comes back with an error, each beside the largest error that its file format allows; and the round trips that
# need no file.

# %%
off = (read - one.keypoints)[~missing].abs().amax(0) / 2  # of the width, of the height
worst = {
    "U, V through an IUV picture": ((iuv.chart - one.chart).abs().max(), 1 / 255),
    "u, v through a .npy map": ((uv_read - one.uv).abs().max(), 1e-6),
    "key points, x in pixels": (off[0] * one.size[1], 0.5001),
    "key points, y in pixels": (off[1] * one.size[0], 0.5001),
}
back = index_to_norm(norm_to_index(one.uv, 256), 256)
worst["norm -> index -> norm"] = (back - one.uv).abs().max(), 1e-6
worst["charts -> atlas -> charts"] = (chart_again - one.chart).abs().max(), 1e-4
identity = sample(one.image[None], identity_grid(*one.size)[None])[0]
worst["sample at the identity grid"] = (identity - one.image).abs().max(), 1e-5

for name, (value, limit) in worst.items():
    print(f"{name:30} largest error {float(value):.1e}   allowed {limit:.1e}")
    assert value <= limit + 1e-6, f"{name}: the error is larger than the format allows."

# %% [markdown]
# ### A guide to broken maps
#
# When a map is wrong, the result has a look. Here the person is painted with their own colours through maps with one
# classic mistake each; the number is the mean colour error on the body. Learn to recognise them.

# %% alt="One person painted through maps with a classic mistake each: swapped, upside down, halved, flipped, transposed, and two that look right; the error stands above."
broken = {
    mistake: painting.with_mistake(person, mistake, 128) for mistake in painting.MISTAKES
}
errors = {mistake: error for mistake, (_, error) in broken.items()}
others = ("no mistake", "align_corners=True", "mask forgotten")
loud = [m for m in painting.MISTAKES if m not in others]
quiet = errors["align_corners=True"]
hushed = [m for m in loud if errors[m] <= 3 * errors["no mistake"]]
if person is rendered.person:
    assert not hushed, f"Loud mistakes that are quiet: {hushed}."
    assert errors["no mistake"] < quiet < 2 * errors["no mistake"], (
        "align_corners=True is not a quiet mistake here."
    )
elif hushed:
    print(f"Here {', '.join(hushed)} can hardly be seen: plain clothes, or a rough map.")
fig.panels(
    [(f"{name}\nerror {errors[name]:.3f}", broken[name][0]) for name in broken],
    4,
    width=8,
    size=9,
)

# %% [markdown]
# Five mistakes are loud. One is dangerous because it is quiet: with `align_corners=True` the picture looks right and is
# up to half a texel off. On the small atlas below everything is smeared, with and without the mistake, because 32 texels
# are few; only the number tells them apart, on every size of atlas. And the forgotten mask costs nothing on the body:
# it paints the background. Choose other mistakes and sizes.

# %% tags=["explore"] alt="The photograph, the person repainted with the chosen mistake, and the difference on the body, which is faint at outlines for align_corners=True."
panel = painting.mistake_panel(person)
panel

# %% tags=["move"]
panel.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# ## What the papers do with these maps
#
# | paper | what it says | what we saw here |
# |---|---|---|
# | Coordinate-based texture inpainting | maps come from DensePose and are converted to *one* SMPL texture by the table supplied with it; they cover the body "excluding hair and loose clothing" | sections 2 and 7 |
# | Dense pose transfer | 24 charts of their own, each inpainted by its own autoencoder; the body-centred construction "does not take into account hair, hanging clothes, and accessories"; $(I, U, V)$ as the pose input of its predictive module alone gives SSIM 0.792, against 0.762 for key points and 0.776 for a part segmentation (the whole system has 0.796, 0.777 or 0.785, by its loss) | section 1: three numbers for a pixel; section 7 |
# | Deformable GANs; pose transfer by one spatial transformation | no surface map: 18 joints only | the last rows of the card |
#
# No figure of the papers can be compared with ours here: they never had exact maps to measure an estimate against.
# That is what rendered people are for.
#
# ## Take-away
#
# - A surface map says which point of the body a pixel shows: $(I, U, V)$ with 24 charts, or $(u, v)$ on one atlas.
# - A texture on the atlas, read through the map, is a picture of the person: $W = T(M)$.
# - Never average a map across a cut of the atlas, never flip it without its twins, never let it travel without its mask.
# - Shape is a weighted sum of meshes, pose is a weighted sum of rigid motions.
# - Hair and loose clothes have no place in the atlas. Estimated maps are off by pixels, and pixels cost decibels.
# - One convention, $(x, y)$ in $[-1, 1]$, edge to edge, $v$ down; everything else is converted at the door.
#
# Next: **02, scatter rasterization**. You read colours *from* the atlas here. There you put the colours of a
# photograph *onto* it.
