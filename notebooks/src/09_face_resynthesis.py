# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   posekit:
#     warm_up: posekit_course.face_resynthesis.figures:prepare_faces
#     trains: false
#     timeout: 600
#     quick: {people: 2}
# ---

# %% [markdown]
# # Faces
#
# *The networks f and g never asked whose surface they complete. So let us give them another one: the face. How far can a
# head turn before a texture is worth its trouble, and what breaks it?*
#
# **Objectives.** Afterwards you can
# - say why a close-up needs an atlas of its own;
# - turn a mesh into a surface map with barycentric coordinates and a z-buffer;
# - carry a known head onto the points of a face in a photograph;
# - choose near and far pairs as the paper does, by the angle between two looks;
# - measure from which turn on a texture is better than a copy;
# - use the symmetry of faces, and say where it fails.
#
# **Prerequisites.** `02_scatter_rasterization` (splat), `03_color_vs_coordinate_inpainting` (f, T and W),
# `04_deformable_skips` (g).
#
# **Run time.** {{run_time}}.

# %%
import numpy as np
import torch
from posekit_course import checks
from posekit_course.face_resynthesis import figures, probes
from posekit_course.face_resynthesis import widgets as turning
from posekit_course.garments_and_keypoints.probes import maps_of
from posekit_lab.diagrams import show_diagram
from posekit_lab.recorded_figures import draw_recorded

from posekit.data.face_protocol import pose_cosines, quantile_targets
from posekit.person import Pair
from posekit.photo.face_map import carried_head, head_mesh, point_places
from posekit.studio.base.raster import Buffers, rasterize
from posekit.studio.body.head_atlas import head_mirror, onto_head
from posekit.studio.generate import UV_STEPS
from posekit.sweeps.recorded import record

# %% tags=["parameters"]
seed: int = 0  # 0..: of the studio people
people: int = 10  # 2..64: how many people of the test split the measurements use
shown: list[int] = [3, 6]  # 0..63: the people in the pictures

# %% [markdown]
# ## 1. A face needs a texture of its own
#
# Here is a close-up of 128 x 128 pixels. On the *body's* atlas a face takes a small corner, because legs and back need room
# too. In an atlas of 128 x 128 texels, many pixels of the face then fall into the same texel, and only their mean is left.
# So we cut the head's rectangle out of the atlas and stretch it over a whole square, upright. Let $u, v$ be the
# position in the body's atlas, and let the rectangle have its middle at $(m_u, m_v)$ and the half sides $h_u, h_v$. The head
# lies sideways in the body's atlas, so across the face goes $-v$, and down the face goes $u$:
#
# $$ u' = -\frac{v - m_v}{h_v}, \qquad v' = \frac{u - m_u}{h_u} . $$
#
# This is all that changes. f and g get these numbers and ask no questions.


# %% tags=["derive"]
def into_the_rectangle(uv):
    """uv: (2, h, w) in the body's atlas -> (2, h, w) in the head's."""
    m_u, h_u, m_v, h_v = 0.64, 0.36, 0.026, 0.55
    return torch.stack([-(uv[1] - m_v) / h_v, (uv[0] - m_u) / h_u])


# %% tags=["call"]
faces = probes.some_faces(people, seed=seed)
shown = [i % people for i in shown]
person, shot = faces.person(shown[0], 0), faces.shots(shown[0])[0]
in_body = torch.from_numpy(shot.uv.transpose(2, 0, 1) / UV_STEPS * 2 - 1).float()
in_head, part = onto_head(in_body, torch.from_numpy(shot.part[None]).long())

# %% tags=["equal"]
on_map = person.mask[0] > 0
torch.testing.assert_close(into_the_rectangle(in_body)[:, on_map], in_head[:, on_map])
torch.testing.assert_close(person.uv[:, on_map], in_head[:, on_map], rtol=0, atol=1e-6)
print("equal: the rectangle, stretched over the square")

# %% alt="A face; the same pixels on the body's atlas, a small spot; and on the head's atlas, a large face."
one = person.batched()
body_texture = probes.texture_of(one, 128, in_body[None])
head_texture = probes.texture_of(one, 128)
counts = [int(known.sum()) for _, known in (body_texture, head_texture)]
figures.grid_of(
    ["photograph", f"body's atlas: {counts[0]} texels", f"head's atlas: {counts[1]} texels"],
    [
        [
            figures.picture(one.image),
            *(figures.known_picture(*x) for x in (body_texture, head_texture)),
        ]
    ],
    scale=2,
)

# %%
assert counts[1] > 4 * counts[0], (
    "The head's atlas does not hold four times as much of the face."
)

# %% [markdown]
# *See:* the same photograph fills a spot of one atlas and a large part of the other. Neck, shoulders and loose hair are not
# on the head's atlas. For those g has to do without a map.
#
# ## 2. From a mesh to a map
#
# In the studio the map is exact. For real faces the coordinate-based paper of notebook 03 ("the paper" in this notebook) takes
# it from a program that puts a **mesh** on the face: points
# in three dimensions, joined into triangles. Every point of the mesh also has its place $(u, v)$ on the atlas. Give each
# point the *colour* $(u, v, 1)$, draw the mesh as any mesh is drawn, and the picture is the surface map. The third colour is
# 1 where something was drawn: the mask.
#
# Drawing a triangle needs its **barycentric coordinates**. A pixel $p$ inside the triangle with corners $a, b, c$ is a mean
# of the corners, $p = \beta_0 a + \beta_1 b + \beta_2 c$ with $\beta_0 + \beta_1 + \beta_2 = 1$. Write
# $x \times y = x_1 y_2 - x_2 y_1$ for two vectors of the plane, so that $x \times x = 0$. Multiply $p - a = \beta_1 (b - a) +
# \beta_2 (c - a)$ by $c - a$ from the right and by $b - a$ from the left; one term drops out each time:
#
# $$ \beta_1 = \frac{(p - a) \times (c - a)}{(b - a) \times (c - a)}, \qquad
#    \beta_2 = \frac{(b - a) \times (p - a)}{(b - a) \times (c - a)}, \qquad \beta_0 = 1 - \beta_1 - \beta_2 . $$
#
# $p$ lies inside where no $\beta$ is below 0, and its colour is $\beta_0$ times the colour of $a$ plus $\beta_1$ times that of
# $b$ plus $\beta_2$ times that of $c$.
#
# **Exercise 1: where in the triangle?** Write the coordinates.


# %% tags=["exercise"]
def barycentric(p, a, b, c):
    """p: (n, 2) points; a, b, c: (2,) corners -> (n, 3), how much of each corner."""

    # SOLUTION
    # STUB: # Write a function for the product x times y first; you need it three times.
    # STUB: # Which corner does each of the three columns belong to?
    def cross(x, y):
        return x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]

    area = cross(b - a, c - a)
    first, second = cross(p - a, c - a) / area, cross(b - a, p - a) / area
    return torch.stack([1 - first - second, first, second], -1)
    # END SOLUTION


# %% tags=["check"]
checks.check_barycentric(barycentric)

# %% [markdown]
# Where triangles lie over each other, the nearest one wins. A **z-buffer** remembers for each pixel how near the nearest
# triangle so far was.


# %% tags=["derive"]
def drawn(points, triangles, size):
    """points: (n, 3), x and y in pixels, z towards us -> number of the triangle, or -1."""
    pixels = torch.cartesian_prod(torch.arange(size), torch.arange(size)).flip(1) + 0.5
    nearest, number = torch.full((size * size,), -1e9), torch.full((size * size,), -1)
    for n, corners in enumerate(points[triangles]):
        (ax, ay), (bx, by), (cx, cy) = corners[:, :2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        x, y = pixels.T
        first = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
        second = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
        z = (
            (1 - first - second) * corners[0, 2]
            + first * corners[1, 2]
            + second * corners[2, 2]
        )
        wins = (first >= 0) & (second >= 0) & (first + second <= 1) & (z > nearest)
        nearest[wins], number[wins] = z[wins], n
    return number.reshape(size, size)


# %% tags=["call"]
portraits = {name: probes.portrait_points(name) for name in probes.PORTRAITS}
name = next(iter(portraits))
face = portraits[name][1]
vertices = torch.from_numpy(carried_head(face)).float()
small = (vertices - vertices.amin(0)) * 40 / (vertices.amax(0) - vertices.amin(0)).max()
triangles = torch.from_numpy(head_mesh().triangles).long()
buffers = Buffers.empty(40, 40)
rasterize(
    torch.cat([small[:, :2], 1 + small[:, 2:] / 4000], 1).numpy(), triangles.numpy(), buffers
)

# %% tags=["equal"]
same = drawn(small, triangles, 40) == torch.from_numpy(buffers.triangle)
print(f"equal: {float(same.float().mean()):.1%} of the pixels show the same triangle")
assert same.float().mean() > 0.99, (
    "The two drawings differ in more than the edges of triangles."
)

# %% [markdown]
# ## 3. A head for a photograph
#
# A photograph comes without a mesh. A small network (MediaPipe's, shipped with this package) finds **468 points** of a face,
# with a depth for each.

# %% alt="Two portraits with the 468 points of their faces, red at the nose and blue at the rim."
figures.draw_points(portraits)

# %% [markdown]
# The points lie on no surface that we know. But for each of them we know its place $q_i$ on the studio's head (looked up
# once, in rendered faces, whose maps are exact). So we take the studio's head and *carry* it to the points $y_i$ of the
# photograph, with one smooth map of space:
#
# $$ F(q) = A q + t - \sum_i w_i \lVert q - q_i \rVert . $$
#
# $A$ and $t$ are the affine part: they turn, stretch and move the head. The sum bends it where the face is another one than the
# studio's. We ask for $F(q_i) + \lambda w_i = y_i$ for all $i$, and for $\sum_i w_i = 0$ and $\sum_i w_i q_i^T = 0$, so that
# the weights take over nothing that $A$ and $t$ can do. With
# $\lambda = 0$ the map meets every point; a larger $\lambda$ lets it miss the points a little and be smoother. These are linear
# equations. Crown and ears, where the network has no points, come along.


# %% tags=["derive"]
def carried(places, points, vertices, smooth=1.0):
    """places on the head, points in the photograph: (n, 3); -> where vertices (m, 3) go."""
    with_ones = torch.cat([torch.ones(len(places), 1), places], 1).double()
    distances = torch.cdist(places, places).double()
    top = torch.cat([smooth * torch.eye(len(places)) - distances, with_ones], 1)
    below = torch.cat([with_ones.T, torch.zeros(4, 4)], 1)
    right = torch.cat([points, torch.zeros(4, 3)]).double()
    solution = torch.linalg.solve(torch.cat([top, below]), right)
    bent = -torch.cdist(vertices, places).double() @ solution[:-4]
    return (
        bent + torch.cat([torch.ones(len(vertices), 1), vertices], 1).double() @ solution[-4:]
    )


# %% tags=["equal"]
mesh, places = (torch.from_numpy(x) for x in (head_mesh().vertices, point_places()))
torch.testing.assert_close(
    carried(places, torch.from_numpy(face.points), mesh),
    torch.from_numpy(carried_head(face)),
    rtol=0,
    atol=1e-3,
)
print(f"equal: {len(mesh)} vertices of the head in the photograph of {name}")

# %% alt="Two portraits; beside each its map in colours, and the texture that it shows on the head's atlas."
rows = []
for each in probes.PORTRAITS:
    real = probes.portrait(each).person.batched()
    texture = probes.texture_of(real, 128)
    rows.append(
        [
            figures.picture(real.image),
            figures.map_picture(real),
            figures.known_picture(*texture),
        ]
    )
figures.grid_of(["photograph", "map", "texels that it shows"], rows, scale=2)

# %% [markdown]
# *See:* eyes lie on eyes, mouth on mouth. Glasses and a cap are painted onto the head: the map knows no glasses. How exact is
# such a map? For rendered faces the truth is known: on people whom nothing was built from, half of the pixels are off by less
# than two and a half texels of 128 (a test asserts it).
#
# ## 4. Near and far
#
# Some pairs are easy: the target looks as the source does. Others show the other side of the face. A fair test needs both. The
# paper describes where a face looks by a vector, takes the **cosine** between the source and every other frame of the video,
# and for each source chooses the four targets "closest to all of the 4-quantiles" of these cosines. Which four numbers these
# are is not said. We take the quantiles 1/4, 2/4, 3/4 and 1.
#
# **Exercise 2: choose four.** You get the cosines. Position 0 is the source itself, which is no target. `torch.quantile` gives
# the four numbers. Take each time the frame that is nearest to the number, and no frame twice.


# %% tags=["exercise"]
def four_targets(cosines):
    """cosines: (n,), the source itself first -> the four frames, from far to near."""
    # SOLUTION
    # STUB: # Quantiles of which numbers?  What must not be chosen a second time?
    levels = torch.quantile(cosines[1:], torch.tensor([0.25, 0.5, 0.75, 1.0]))
    chosen = []
    for level in levels:
        distance = (cosines - level).abs()
        distance[[0, *chosen]] = torch.inf
        chosen.append(int(distance.argmin()))
    return torch.tensor(chosen)
    # END SOLUTION


# %% tags=["check"]
checks.check_four_targets(four_targets)

# %% alt="Two people: a source, and four targets from near to far, each with its angle."
looks = probes.looks_of(faces)
rows = []
for i in shown:
    line = [("source", faces.person(i, 0).image)]
    for frame in reversed(quantile_targets(looks[i], 0)):
        angle = np.degrees(np.arccos(pose_cosines(looks[i], 0)[frame]))
        line.append((f"{angle:.0f}°", faces.person(i, frame).image))
    rows.append([(title, image[None]) for title, image in line])
figures.draw_targets(rows)

# %% [markdown]
# ## 5. The same two networks
#
# f and g were trained as in notebooks 03 and 06, on rendered faces in place of bodies. The networks are built alike; the
# trainings are shorter (4,000 and 3,000 steps), and f has one more loss, for positions that lie off the head.

# %% alt="The system as a drawing: C from the source's map, D by f, T and W by sampling, the photograph by g."
show_diagram("coordinate_inpainting")

# %% alt="For two people every step from the source over texture and warp to the photograph, beside the target."
full, rgb = (probes.face_system(variant) for variant in ("full", "rgb"))
rows = []
for i in shown:
    far = quantile_targets(looks[i], 0)[0]
    pair = Pair(faces.person(i, 0), faces.person(i, far)).batched()
    rows.append(figures.steps_shown(pair, maps_of(full, pair)))
figures.grid_of(list(rows[0]), [list(row.values()) for row in rows], scale=1)

# %% [markdown]
# *See:* T is filled everywhere, but the half that was turned away is crooked: smeared eye and lips. W puts it onto the target's map. Eyeballs are no skin and lie on
# no map: in W they are holes, and g draws them. Bright dots in T are pixels from the rim of the source's head, whose colour is
# half wall. Hair beside the head, neck
# and shoulders have no map; there g guesses.
#
# The paper prints three rows for faces: the whole system, the same without deformable skips, and with *colours* completed in
# place of coordinates. `posekit sweep experiments/faces.yaml` trains them for equal steps a stage, three seeds each; where its
# results are kept, they are drawn here.

# %% alt="The variants of the system on faces, a dot for each seed, by several measures."
draw_recorded("faces")

# %% [markdown]
# *See:* by SSIM, MS-SSIM, perceptual distance and l1 the means have the order of the paper's SSIM: coordinates, without
# deformable skips, colours; without textures, which it does not print for faces, is last. By patches and sharpness the first two
# cannot be told apart. Skips bring .011 of SSIM (in print .004, and the same LPIPS), which three seeds just tell from nothing.
# The step from there to colours is undecided; both together, .040, are not. Where the source hides the face, colours are
# nearer by l1, at every seed.
#
# **Coordinates or colours?** The same pair through both.

# %% alt="For one person the completed texture and the photograph, by coordinates and by colours."
rows = []
for i in shown[-1:]:
    pair = Pair(
        faces.person(i, 0), faces.person(i, quantile_targets(looks[i], 0)[0])
    ).batched()
    made = {"coordinates": maps_of(full, pair), "colours": maps_of(rgb, pair)}
    rows.append(
        {"source": pair.source.image}
        | {f"T, {name}": result.T for name, result in made.items()}
        | {f"g, {name}": result.image for name, result in made.items()}
        | {"target": pair.target.image}
    )
figures.grid_of(
    list(rows[0]), [[figures.picture(x) for x in row.values()] for row in rows], scale=1
)

# %% [markdown]
# *See:* colours give T a smooth face, nearly symmetric, without detail. Coordinates keep the source's own brow and beard on
# the side that was seen, and smear them over the other. g makes a face of both. That of coordinates has the sharper features; where a profile
# leaves too much to guess, its T is crooked, and the smooth one may look better.
#
# ## 6. From which turn on is a texture worth it?
#
# The paper closes with a doubt about itself: "for smaller variation of pose, the mapping and estimation of the full texture
# may be unnecessary", and "more direct warping approaches" may do. With rendered faces we can look: all pairs of the test people,
# by the angle between their looks. Three answers: hand back the **source** as it is; the **warp** W of the completed texture; the
# **photograph** of g. And one question: how much of the head that the target shows does the source **not** show?

# %% [markdown] tags=["predict"]
# **Predict, then look.** Handing back the source is exact at a turn of 0 degrees, if nothing else changes. What else changes
# between two photographs of one face?

# %%
from posekit_course.predictions import predict

predict("09 copied face", "Is handing back the source best at small turns?", "yes", "no")

# %% tags=["experiment"]
turns, unseen_share, errors = (
    [],
    [],
    {"source copied": [], "warp W": [], "photograph of g": []},
)
for n in range(len(faces)):
    i, s, t = faces.where(n)
    pair = faces[n].batched()
    made = maps_of(full, pair)
    turns.append(probes.turn_between(looks[i, s], looks[i, t]))
    unseen_share.append(probes.share_to_complete(pair))
    for name, image in zip(errors, (pair.source.image, made.W, made.image), strict=True):
        errors[name].append(probes.on_head(image, pair, pair.target.mask))
turns, errors = np.array(turns), {name: np.array(values) for name, values in errors.items()}
print(f"{len(turns)} pairs of {people} people")

# %% alt="Error on the head against the turn between source and target: all three grow, the copy's most, g's least."
figures.draw_by_turn(turns, errors, [0, 10, 20, 30, 45, 60, 90, 140])

# %%
near, far = turns < 15, turns > 45
means = {name: (values[near].mean(), values[far].mean()) for name, values in errors.items()}
for name, (small, large) in means.items():
    print(f"{name:16} below 15 degrees {small:.3f}, above 45 degrees {large:.3f}")
    record(**{f"{name.split()[-1]}_far": round(float(large), 4)})
few, many = (np.mean(np.array(unseen_share)[which]) for which in (near, far))
print(f"pixels of the head that have to be completed: {few:.0%}, and {many:.0%}")
copied, warped, made = means.values()
assert made[1] < copied[1], "A far turn is no better with g."
assert warped[0] < copied[0], "Near the source the copy is better than the warp."
assert made[1] < warped[1], "g repairs nothing in a far turn."
assert few < many, "A near target has more to complete."

# %% [markdown]
# *See:* the copy is worse at *every* turn, the small ones too. Between two photographs of one face the expression changes, and
# the camera is not at the same distance; a copy follows neither. So in the studio moving pixels by an exact map pays at every turn. The paper's doubt is
# about the *completed* texture. That was not tested here, since W is made from it; what we can say is that at small turns next
# to nothing has to be completed, at large ones nearly half. Below 15 degrees W alone is as good as g's photograph, above 45 g
# is ahead.
#
# **Turn heads yourself.**

# %% tags=["explore"] alt="All steps from one photograph of a face to another of the same person."
panel = turning.two_faces(full, faces)
panel

# %% tags=["move"]
panel.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# ## 7. Where it breaks
#
# ### The half that nobody saw
#
# A profile shows half a face. But faces are symmetric, nearly. On the head's atlas we know the **mirror**: for every texel the
# position of its twin on the other half. So here is a completion without any learning.
#
# **Exercise 3: fill from the mirror.** `twin` holds the colour of each texel's twin, and `there` says whether that twin is
# known.


# %% tags=["exercise"]
def mirrored(texture, known, twin, there):
    """texture, twin: (3, t, t); known, there: (1, t, t) -> texture, and what is known now."""
    # SOLUTION
    # STUB: # What was seen stays.  Where may the twin be taken?
    taken = there * (1 - known)
    return texture * known + twin * taken, known + taken
    # END SOLUTION


# %% tags=["check"]
checks.check_mirrored(mirrored)

# %% tags=["experiment"]
mirror = head_mirror(128)
unseen = {"twin": [], "T": []}
rows = []
for n in probes.across(faces):
    pair = faces[n].batched()
    result = maps_of(full, pair)
    texture, known = probes.texture_of(pair.source, 128)
    filled, now_known = probes.mirrored_fill(texture, known, mirror)
    truth, visible = probes.texture_of(pair.target, 128)
    hidden = visible * (1 - known) * now_known
    if hidden.sum() < 100:
        continue
    for name, one in (("twin", filled), ("T", result.T)):
        unseen[name].append(probes.mean_error(one, truth, hidden))
    rows.append((texture, known, filled, now_known, result.T, truth, visible))
print(f"{len(rows)} pairs from one side to the other")
for name, values in unseen.items():
    print(f"{name:5} error where the twin alone is known: {np.mean(values):.3f}")
if len(rows) >= 20:
    assert np.mean(unseen["twin"]) < np.mean(unseen["T"]), "f is nearer than the mirror."

# %% alt="Textures: what the source shows, filled from the mirror, completed by f, and what the target shows."
lines = []
for row in rows[:: max(1, len(rows) // 2)][:2]:
    seen, mirrored_too, shown_there = (
        figures.known_picture(*row[n : n + 2]) for n in (0, 2, 5)
    )
    lines.append([seen, mirrored_too, figures.picture(row[4]), shown_there])
figures.grid_of(
    ["seen", "filled from the mirror", "completed by f", "what the target shows"], lines
)

# %% [markdown]
# *See:* where the twin was seen, the mirror is nearer to the truth than f. Faces are that symmetric, in a studio whose lamps
# reach both sides. f is farther off; whether it looks near the twin at all is not measured here (notebook 03 asks it for
# bodies: no). Where the twin is not seen either, the mirror has nothing to say, and f has.
#
# ### The mouth
#
# The map says where the lips are, not what lies between them. A source with its mouth shut has no teeth to give.

# %% alt="Two pairs whose target opens the mouth: source, photograph, target."
rows = []
for i in range(people):
    shut = [
        v for v in range(faces.card.views) if probes.opened(seed, faces.numbers[i], v) == 0
    ]
    wide = [
        v for v in range(faces.card.views) if probes.opened(seed, faces.numbers[i], v) > 0.2
    ]
    if shut and wide and len(rows) < 2:
        pair = Pair(faces.person(i, shut[0]), faces.person(i, wide[0])).batched()
        result = maps_of(full, pair)
        rows.append(
            [
                figures.picture(x)
                for x in (pair.source.image, result.W, result.image, pair.target.image)
            ]
        )
figures.grid_of(["mouth shut", "W", "g's picture", "target"], rows, scale=1)

# %% [markdown]
# *See:* in W the mouth is a hole, because its inside is not on the map. g paints something dark there. Teeth are lost.
#
# ## 8. A real face
#
# f and g never saw a real face. Give them one: the photograph and its map of section 3, and as the target the map of a rendered
# head.

# %% tags=["explore"] alt="A portrait, its texels, the completed texture, the warp, the photograph, and the rendered head that gives the pose."
real = turning.portraits(full, faces)
real

# %% tags=["move"]
real.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# *See:* the portrait's hair, cheeks and smile lines are on another head, which looks another way. What the texture holds comes
# along: also the smile, whatever the mouth of the map does. The shape is that of the rendered head. Around it, where g has only
# ever seen studio walls, the picture is mottled.
#
# To draw somebody's face in a pose they never took can harm them. The two who are shown here were not asked; their portraits are in
# the public domain, and they are named. Ask before you do it with anybody else.
#
# **Exercise 4 (open).** In section 6 g's error grows less with the turn than the other two. Does that mean that a profile is
# drawn as well as a
# front? Find three pairs of similar error that look good, bad, and wrong to you, and say what the number does not see.
# *Points:* one for three pairs whose largest error is at most a tenth above the smallest; one for saying, of each, what you see and where in
# the picture; one for naming what the number misses, so that another reader could measure it.
#
# ## Take-away
#
# - f and g complete positions on *some* surface; which one it is, only the map knows.
# - A mesh whose points have the colours (u, v, 1) is drawn into a surface map: barycentric coordinates inside a triangle, a
#   z-buffer between triangles.
# - A known head carried to found points gives a map for a photograph.
# - Pairs are chosen by the angle between two looks, or a test measures what is easy.
# - With exact maps, moving pixels pays at every turn; a second network at the larger ones.
# - In the studio a face's two halves are so alike that a mirror beats a network, where it can be used.
# - What the map does not cover (inside of the mouth, hair, neck) is guessed.
#
# ## What the paper reports
#
# | the paper | here |
# |---|---|
# | section 4.2: (u, v, 1) as colours of a posed mesh, z-buffer | section 2 |
# | PRNet's mesh | section 3: 468 points, and the studio's head carried to them |
# | 1,356 held-out images: 4 targets for each source (339 sources, if each image is one target), by the quantiles of the cosine | section 4, on rendered faces |
# | Table 2, faces: SSIM .613, .609, .595; MS-SSIM .764, .758, .745; LPIPS .203, .203, .221 | section 5 |
# | "for smaller variation of pose ... may be unnecessary" | section 6: little has to be completed at small turns; whether completing pays was not tested |
