# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   posekit:
#     warm_up: posekit_course.scatter_rasterization.figures:prepare_scatter
#     timeout: 120
#     browser: true
#     quick: {people: 3}
# ---

# %% [markdown]
# # Scattering a photograph onto a surface
#
# *A surface map tells every body pixel where it lies on the atlas. How does this become a texture?*
#
# **Objectives.** Afterwards you can
# - say why a texture needs a *forward* warp, and where its holes come from;
# - derive the bilinear kernel, and write a splat in ten lines;
# - choose between colours and coordinates as the thing to splat, and choose the size of the atlas, with measurements
#   as reasons;
# - differentiate a splat in its values and in its positions;
# - recognise five classic mistakes by the picture that they give.
#
# **Prerequisites.** One course in deep learning; tensors in PyTorch; the maps and the conventions of
# `01_densepose_uv`: a position is (x, y) or (u, v) in [-1, 1], and the centre of pixel $i$ of $n$ lies at
# $(2i + 1)/n - 1$.
#
# **Run time.** {{run_time}}.

# %%
import os
import time
from functools import partial

# Before numpy, and to be fair: griddata inverts thousands of tiny matrices; threads slow it.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import torch
from posekit_course import checks
from posekit_course.scatter_rasterization import figures, result_figures
from posekit_course.scatter_rasterization import widgets as scatter
from scipy.interpolate import griddata

from posekit.ops.fill import fill_nearest
from posekit.ops.grids import identity_grid, index_to_norm, norm_to_index, resize_mask
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.plots import coordinate_colors
from posekit.sweeps.recorded import record

# %% tags=["parameters"]
seed: int = 0  # 0..: which studio people
person: int = 10  # 0..: the one in most pictures
view: int = 1  # 0..9999: which photograph of that person
people: int = 6  # 1..1000: how many people the measurements use
size: int = 128  # 32..512: pixels along an edge of a photograph
atlas_sizes: list[int] = [32, 64, 128, 256, 512]  # 16..1024: texels along an edge of the atlas

# %%
# photo_of(person, view, size): a photograph with its maps; `everyone`: others, in other poses.
photo_of = partial(figures.photograph_of, seed)
everyone = [(number, number % 6) for number in range(people)]  # (person, view)
photo = photo_of(person, view, size)
S, M, mask = photo.image, photo.uv, photo.mask  # 1 3 h w, 1 2 h w, 1 1 h w
x_grid = identity_grid(size, size)[None]  # the (x, y) of every pixel of the photograph

# %% [markdown]
# ## 1. Forward and backward
#
# There are two ways to move a picture.
#
# | | it asks | it needs | it gives |
# |---|---|---|---|
# | **backward** warp, `sample` | every *target* pixel: where are you from? | a map on the target | a value everywhere |
# | **forward** warp, `splat` | every *source* pixel: where do you go? | a map on the source | holes and collisions |
#
# Backward is simpler, so use it wherever you have its map. For a texture you do not. The surface map
# $M_S$ lives on the *photograph*: pixel $(x, y)$ knows its place $(u, v) = M_S[x, y]$. No texel knows where to look.

# %% alt="Seven numbered pixels of a person in a striped pullover, and the places on the atlas where the map sends them."
places = []  # one pixel in the middle of each of the largest parts of the body
for part in photo.part[mask > 0].bincount().topk(7).indices:
    pixels = (photo.part[0, 0] == part).nonzero()
    middle = pixels.float().mean(0)
    places.append(tuple(pixels[(pixels - middle).square().sum(1).argmin()].tolist()))
figures.draw_journeys(S, M, places)

# %% [markdown]
# The same difference on a small example, where both maps exist: turn a 24 x 24 picture and enlarge it to more than twice its
# size. We know the turn, so we can write the map in either direction.

# %% alt="A small picture of a face, turned and enlarged: backward without holes; forward into one texel each, as loose dots; forward with a bilinear kernel, still with holes."
top, left = (int(c) for c in (photo.head[0, 0] > 0).nonzero().float().mean(0) - 12)
top, left = min(max(top, 0), size - 24), min(max(left, 0), size - 24)
face = S[..., top : top + 24, left : left + 24]
sine, cosine = 0.31, 0.85
turn = torch.tensor([[cosine, -sine], [sine, cosine]])
# Where every source pixel goes, and where every target pixel looks:
forward = torch.einsum("ij,bjhw->bihw", turn, identity_grid(24, 24)[None])
backward = torch.einsum("ij,bjhw->bihw", turn.inverse(), identity_grid(60, 60)[None])

looked_up = sample(face, backward)
# the centre of the nearest texel
nearest = index_to_norm(norm_to_index(forward, 60).round(), 60)
dropped, spread = splat(face, nearest, (60, 60)), splat(face, forward, (60, 60))
on_white = [torch.where(warped.known > 0, warped.values, 1) for warped in (dropped, spread)]
figures.row(
    {
        "source": figures.picture(face),
        "backward: no holes": figures.picture(looked_up),
        "forward, into one texel each": figures.picture(on_white[0]),
        "forward, with a bilinear kernel": figures.picture(on_white[1]),
    },
    "Forward warps leave holes where a picture is stretched",
)

# %% [markdown]
# ## 2. Why there are holes
#
# On the atlas a texel can be unknown for three reasons.
#
# 1. **No skin.** That part of the square shows no piece of the body.
# 2. **Not in view.** The camera did not see that side of the body. Only inpainting helps: a network $f$ must complete the
#    texture (notebook 03).
# 3. **Missed.** The camera saw it, but the texels are finer than the pixels, and no pixel fell near enough.
#    This happens first where the surface turns away from the camera: few pixels then cover many texels.
#
# How do we know what was in view? The people here are rendered. So we photograph the same pose again with four times
# as many pixels along each edge, and call a texel *in view* if that finer photograph reaches it.

# %% [markdown] tags=["predict"]
# **Predict, then look.** A pixel gives something to four texels at most. The photograph has 128 x 128 pixels. What
# share of the texels in view will be known in an atlas of 64 x 64, and of 256 x 256? Write two numbers down before you
# run the next cell.

# %%
from posekit_course.predictions import predict

predict(
    "02 known texels",
    "Which share of the texels in view is known at 256 x 256?",
    "a quarter",
    "about 60 %",
    "nearly all",
)

# %% alt="A photograph, its texture on an atlas of 256 x 256 with many holes, and the texels in view: known in blue, in view but missed in orange."
shares = {}
for atlas in (size // 2, size, 2 * size):
    known = splat(x_grid, M, (atlas, atlas), mask).known
    seen = figures.seen_texels(seed, person, view, size, atlas)
    shares[atlas] = figures.coverage(figures.texel_states(known, seen))
    print(
        f"atlas {atlas:3d}: {int(known.sum()):5d} texels known, "
        f"{shares[atlas]:.0%} of those in view"
    )
print(f"({int(mask.sum())} body pixels)")
assert shares[size // 2] > shares[2 * size] + 0.15, (
    "The fine atlas is covered as well as the coarse one."
)
scatter.render_texture((person, view), 2 * size, "colours", seed=seed, size=size)

# %% [markdown]
# The orange rim and the orange stripes are the third reason. They follow the outline of the body and its steep
# places. Even the coarse atlas has a rim: its outermost texels are in view by a sliver that no pixel centre hits.
#
# ## 3. The bilinear kernel
#
# Source pixel $i$ has the value $v_i$ and lands at $p_i = (x_i, y_i)$, measured in texels. It rarely hits the centre
# of a texel, so we share it out among those around. We want shares that
#
# - are *local*, so that little is blurred;
# - *sum to one*, so that every pixel counts the same;
# - *change continuously* with $p_i$, so that there is a gradient;
# - have their *centre of mass at* $p_i$, so that nothing is shifted.
#
# Along one axis, let the point lie between texels $0$ and $1$, at $x$. Only these two take part. The shares $k_0$ and
# $k_1$ must satisfy $k_0 + k_1 = 1$ and $0 \cdot k_0 + 1 \cdot k_1 = x$. This leaves no choice: $k_1 = x$ and
# $k_0 = 1 - x$. Written with the distance $d$ to the texel, it is a tent:
#
# $$ k(d) = \max(0,\ 1 - |d|) . $$
#
# In two dimensions the shares multiply, and a texel $t$ takes the weighted mean of what reached it:
#
# $$ w_{it} = k(x_i - x_t)\, k(y_i - y_t), \qquad
#    W_t = \sum_i w_{it}, \qquad
#    T_t = \frac{1}{W_t} \sum_i w_{it}\, v_i . $$
#
# The division is needed because $\sum_t w_{it} = 1$ holds for every *pixel*, not for every texel: one texel may
# get a lot, another nearly nothing. Here are the equations in ten lines.


# %% tags=["derive"]
def splat_by_definition(values, positions, size, mask):
    """values (c, h, w), positions (2, h, w), mask (1, h, w) -> T (c, H, W), W, known."""
    height, width = size
    keep = mask[0] > 0
    x = norm_to_index(positions[0][keep], width)  # in texels
    y = norm_to_index(positions[1][keep], height)
    # (i, column): k(x_i - x_t)
    k_x = (1 - (x[:, None] - torch.arange(width)).abs()).clamp(min=0)
    # (i, row):    k(y_i - y_t)
    k_y = (1 - (y[:, None] - torch.arange(height)).abs()).clamp(min=0)
    weight = torch.einsum("iy,ix->yx", k_y, k_x)[None]  # W_t
    total = torch.einsum("ci,iy,ix->cyx", values[:, keep], k_y, k_x)  # sum_i w_it v_i
    known = weight >= 1e-3
    return (
        torch.where(known, total / weight.clamp(min=1e-3), 0),
        weight,
        known.to(values.dtype),
    )


# %% tags=["call"]
t = size // 2
by_definition = splat_by_definition(S[0].double(), M[0].double(), (t, t), mask[0])
ours = splat(S.double(), M.double(), (t, t), mask.double())

# %% [markdown]
# Both must agree. And there is a second way to see a splat. `sample` takes from four pixels with the same weights
# with which a splat gives to four texels. So the bare sums of a splat are the *transpose* of a lookup:
#
# $$ \langle\, \mathrm{sample}(A, p),\ v \,\rangle = \langle\, A,\ \textstyle\sum_i w_{it} v_i \,\rangle
#    \quad \text{for every picture } A . $$

# %% tags=["equal"]
for name, a, b in zip(("values", "weight", "known"), ours, by_definition, strict=True):
    assert torch.allclose(a[0], b, rtol=0, atol=1e-9), name

A = torch.rand(1, 3, t, t, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
lookup = (sample(A, M.double()) * S * mask).sum()
scatter_sums = (A * ours.values * ours.weight).sum()
# Not to the last digit: texels of less than the least weight are left out of the sums.
torch.testing.assert_close(lookup, scatter_sums, rtol=1e-4, atol=0)
print(
    f"equal: splat and its definition; lookup {lookup:.4f} = scattered sums {scatter_sums:.4f}"
)

# %% [markdown]
# **Drag one point.** Move it with the sliders. On the left are its four shares. On the right a second point, of
# value 0, stays where it is. Where both reach the same texel, the mean decides. Untick the division and see what the
# bare sums would claim: a texel at the edge of a kernel looks as if the value itself were small.

# %% tags=["explore"] alt="Left: the four shares of one point on a grid of texels. Right: the weighted mean where a point of value 1 and one of value 0 meet."
kernel = scatter.kernel()
kernel

# %% tags=["move"]
kernel.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# ## 4. Splat colours, or coordinates?
#
# We may scatter the **colours**. Or we may scatter the **coordinates**: the values are then the pixel positions
# $(x, y)$ themselves. This gives the map $C$, which says for every texel where in the photograph it is shown. It is
# the *backward* map that was missing in section 1! The colours are looked up afterwards, $T = S[C]$.
#
# Coordinates have a second use. To draw the person again, we read the texture at $M$. With coordinates
# we may also read $C$ itself at $M$, which gives $E = C[M]$, and look up the colours at the very end, $S[E]$.

# %% [markdown] tags=["predict"]
# **Predict, then look.** Take an atlas of half the size of the photograph, so that about four pixels share a texel.
# We bring the photograph to the atlas and back in three ways: (a) splat colours and read them at $M$; (b) splat
# coordinates, and look up colours only at the very end, $S[E]$; (c) splat coordinates, look up $T = S[C]$ on the atlas,
# and read $T[M]$. Which of the three come back blurred?


# %%
predict(
    "02 blurred",
    "Which ways come back blurred?",
    "(a)",
    "(a) and (b)",
    "(a) and (c)",
    "all three",
)


# %%
def there_and_back(photo, atlas):
    """Photograph -> atlas -> photograph, in three ways.  Holes take the nearest texel."""
    grid = identity_grid(*photo.size)[None]
    scattered = splat(torch.cat((photo.image, grid), 1), photo.uv, (atlas, atlas), photo.mask)
    colours, C = fill_nearest(scattered.values, scattered.known).split((3, 2), 1)
    T = sample(photo.image, C, padding="border")
    E = sample(C, photo.uv, padding="border")
    back = {
        "colours": sample(colours, photo.uv, padding="border"),
        "coordinates": sample(T, photo.uv, padding="border"),
        "late": sample(photo.image, E, padding="border"),
    }
    return {"colours": colours, "coordinates": T, "C": C}, back, scattered.known


def psnr(image, wanted, mask):
    """Peak signal-to-noise ratio on the mask in dB; an error half as large gives 6 dB more."""
    squares = (image - wanted).square().mean(1, keepdim=True)
    return float(-10 * torch.log10((squares * mask).sum() / mask.sum()))


# %% alt="A photograph through a small atlas in three ways: splatted colours, splatted coordinates, colours looked up. Drawn again, only the coordinates keep the stripes sharp."
textures, back, known = there_and_back(photo, t)
rows, columns = figures.window(mask, size // 2)


def close_up(image):
    return figures.on_white(image, mask)[rows, columns]


holes = partial(figures.with_holes, known=known)
figures.row(
    {
        "photograph": figures.picture(S),
        "(a) splatted colours": holes(textures["colours"]),
        "(b) splatted coordinates, C": holes(coordinate_colors(textures["C"])),
        "(c) colours looked up, S[C]": holes(textures["coordinates"]),
        "the photograph, closer": close_up(S),
        f"(a) back: {psnr(back['colours'], S, mask):.1f} dB": close_up(back["colours"]),
        f"(b) back, S[E]: {psnr(back['late'], S, mask):.1f} dB": close_up(back["late"]),
        f"(c) back, T[M]: {psnr(back['coordinates'], S, mask):.1f} dB": close_up(
            back["coordinates"]
        ),
    },
    f"A {size} x {size} photograph through an atlas of {t} x {t} texels",
    rows=2,
)


# %% [markdown]
# Is this one lucky person? Measure it on several people, and at two sizes of the atlas. Beside PSNR we take the
# mean step between neighbouring known texels, relative to that of splatted colours, as a measure of sharpness.


# %% tags=["experiment"]
def step(texture, known):
    """Mean absolute difference of horizontal neighbours that are both known."""
    both = known[..., 1:] * known[..., :-1]
    steps = (texture[..., 1:] - texture[..., :-1]).abs().mean(1, keepdim=True)
    return float((steps * both).sum() / both.sum())


gain, sharper, alike = {}, {}, {}
for atlas in (t, 2 * size):
    decibels, steps = [], []
    for who in everyone:
        one = photo_of(*who, size)
        textures, back, known = there_and_back(one, atlas)
        ways = (back["colours"], back["late"], back["coordinates"])
        decibels.append([psnr(image, one.image, one.mask) for image in ways])
        steps.append(step(textures["coordinates"], known) / step(textures["colours"], known))
    a, b, c = np.mean(decibels, axis=0)
    gain[atlas], alike[atlas], sharper[atlas] = b - a, abs(c - a), float(np.mean(steps))
    print(f"atlas {atlas}: (a) {a:.1f} dB, (b) {b:.1f} dB, (c) {c:.1f} dB; ", end="")
    print(f"steps of S[C] / steps of (a): {sharper[atlas]:.2f}")

# %%
assert alike[t] < 1, "(a) and (c) do not come back alike."
assert gain[t] > 1, "(b) is not better than (a) by more than 1 dB."
assert sharper[t] > 1.05, "The texture S[C] is not sharper than splatted colours."
assert sharper[2 * size] < sharper[t] - 0.03, (
    "The difference in sharpness does not shrink on a fine atlas."
)
record(gain_of_late_colours_db=round(gain[t], 2), sharper_texture=round(sharper[t], 3))

# %% [markdown]
# Three things to learn from these numbers.
#
# - On a coarse atlas, $S[C]$ is a *sharper* texture than splatted colours. A splat averages the four pixels of a
#   texel; a lookup takes the colour at one place. (It also aliases: it may hit or miss a thin line.)
# - Once $T$ is read at $M$, (a) and (c) are about equally blurred. The blur comes from interpolating *colours* on
#   coarse texels, whichever way they got there.
# - (b) is clearly better. Coordinates are smooth over the body, so a coarse atlas carries them well. Colours are not.
#   Whoever carries coordinates can leave the colours in the photograph until the last step.
#
# On an atlas finer than the photograph the difference in sharpness shrinks: there a texel holds one pixel or none.
#
# ## 5. How large should the atlas be?
#
# Small texels mix fewer pixels; but more of them stay empty. So we measure, for every size,
#
# - **coverage**: the share of the texels in view that are known;
# - **coordinate error**: the finer photograph (four times as many pixels along each edge) asks $C$ for *its* pixels, which lie between
#   those that were splatted; holes take the nearest known texel; the median distance to the truth, in pixels
#   of the coarse photograph;
# - **self-PSNR**: the photograph to the atlas and back, compared with itself; and, beside it, the same texture
#   read by the finer photograph and compared with that one.

# %% [markdown] tags=["predict"]
# **Predict, then look.** Which of these four curves rises, which falls, and which one has its best place in the middle?
# Which curve would you trust to choose the size of the atlas?


# %%
predict(
    "02 size of the atlas",
    "Which curve would you trust to choose the size?",
    "coverage",
    "coordinate error",
    "self-PSNR",
)


# %% tags=["experiment"]
def coordinate_error(C, fine):
    """C read by a finer photograph: median distance to its pixels, in coarse pixels."""
    off = sample(C, fine.uv, padding="border") - identity_grid(*fine.size)[None]
    return float((off * size / 2).norm(dim=1, keepdim=True)[fine.mask > 0].median())


table = np.zeros((4, people, len(atlas_sizes)))
for i, who in enumerate(everyone):
    one, fine = photo_of(*who, size), photo_of(*who, figures.FINER * size)
    for j, atlas in enumerate(atlas_sizes):
        textures, back, known = there_and_back(one, atlas)
        seen = figures.seen_texels(seed, *who, size, atlas)
        fresh = sample(textures["coordinates"], fine.uv, padding="border")
        table[:, i, j] = (
            figures.coverage(figures.texel_states(known, seen)),
            coordinate_error(textures["C"], fine),
            psnr(back["coordinates"], one.image, one.mask),
            psnr(fresh, fine.image, fine.mask),
        )
covered, error, self_psnr, fresh_psnr = table.mean(1)
for j, atlas in enumerate(atlas_sizes):
    print(f"{atlas:3d} texels: {covered[j]:3.0%} known, error {error[j]:.2f} px, ", end="")
    print(f"self-PSNR {self_psnr[j]:.1f} dB, pixels in between {fresh_psnr[j]:.1f} dB")

# %% alt="Four curves over the size of the atlas: coverage falls; the error of coordinates is least where texels equal pixels; self-PSNR rises without end, but for pixels in between PSNR stays near 24 dB."
result_figures.draw_sizes(atlas_sizes, size, table)

# %%
best = int(error.argmin())
ratio = [atlas / size for atlas in atlas_sizes]
assert 0.5 <= ratio[best] <= 2, (
    "The least error is not where texels are about as large as pixels."
)
for end in (0, -1):  # far from it, on either side, the error is half as large again or more
    if not 0.3 < ratio[end] < 3:
        assert error[end] > 1.5 * error[best], (
            "Far from the size of a pixel the error is not much larger."
        )
assert covered[0] > covered[-1] + 0.2, (
    "The finest atlas is covered as well as the coarsest one."
)
assert self_psnr[-1] > self_psnr[best] + 3, "Self-PSNR does not go on rising."
assert fresh_psnr[-1] < fresh_psnr[best] + 1, "Pixels in between gain from a finer atlas, too."
record(
    best_atlas=atlas_sizes[best], error_px=round(error[best], 3), known=round(covered[best], 3)
)

# %% [markdown]
# The error is least where a texel is about as large as a pixel. A larger texel averages places that are
# further apart; a smaller one is more often empty, and then borrows from a neighbour. (Thin lines are single people.)
#
# **Self-PSNR does not see the holes.** It asks the texture exactly where it was written. Every pixel made its own four
# texels known, so its question is always answered, and better the fewer neighbours mix in. A new view asks in between.
# Measure on data that the method has not used: the rule holds for textures as it does for networks.
#
# **Choose** a person, a size of the atlas, and what to splat.

# %% tags=["explore"] alt="A photograph, its texture on an atlas of the chosen size, and the texels in view that are known or missed."
partial_texture = scatter.texture(
    [(person, view), *everyone[:3]], atlas_sizes, seed=seed, size=size
)
partial_texture

# %% tags=["move"]
partial_texture.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# ## 6. Gradients
#
# In the *values*, a splat is linear: $\partial T_t / \partial v_i = w_{it} / W_t$. In the *positions*, the quotient
# rule gives
#
# $$ \frac{\partial T_t}{\partial x_i} = \frac{v_i - T_t}{W_t}\ k'(x_i - x_t)\ k(y_i - y_t), \qquad
#    k'(d) = \begin{cases} -\operatorname{sign}(d) & |d| < 1 \\ 0 & \text{else.} \end{cases} $$
#
# So a position gets a gradient only if its value differs from the mean around it, and only within one texel.
# At the centre of a texel the tent has a kink: there the derivative jumps. The library returns the one from the right.
#
# Below, a point of value 1 moves along a row of texels, and we watch texel 3. Where will the slope jump?

# %%
h = 1e-6
x = torch.linspace(1.5, 4.5, 61, dtype=torch.float64) + 0.013  # texels; none lies on a kink


def texel_three(x):
    """Weight, value of texel 3 of 7: a point of value 1 lies at x, one of value 0 at 3.4."""
    points = index_to_norm(torch.stack((x, torch.full_like(x, 3.4)), -1), 7)  # n 2
    # n 2 1 2; y = 0
    positions = torch.stack((points, torch.zeros_like(points)), 1)[:, :, None]
    values = torch.tensor([1.0, 0.0], dtype=x.dtype).expand(len(x), 1, 1, 2)
    alone = splat(values[..., :1], positions[..., :1], (1, 7))
    return alone.weight[:, 0, 0, 3], splat(values, positions, (1, 7)).values[:, 0, 0, 3]


# %% alt="Two curves over the place of a point: the weight of a texel, a tent, and the texel's value; their slopes by autograd lie on those by finite differences."
curves = {}
for title, which in (
    ("weight that texel 3 gets", 0),
    ("value of texel 3 (a 0 lies at 3.4)", 1),
):
    moving = x.clone().requires_grad_()
    level = texel_three(moving)[which]
    (slope,) = torch.autograd.grad(level.sum(), moving)
    measured = (texel_three(x + h)[which] - texel_three(x - h)[which]) / (2 * h)
    torch.testing.assert_close(slope, measured, rtol=0, atol=1e-6)
    curves[title] = (level.detach(), slope, measured)
result_figures.draw_slopes(x, curves)

# %% [markdown]
# It jumps at 3, the centre, where the tent turns, and at 2 and 4, where the tent begins and ends: there the point starts or
# stops to reach texel 3. Between these places autograd and finite differences agree.
#
# Now all gradients of a small scene as pictures: 8 x 8 pixels scattered over 6 x 6 texels, with the loss
# $\frac12 \sum_t (T_t - Z_t)^2$ to some smooth target $Z$. Each small square is one source pixel.

# %%
random = torch.Generator().manual_seed(seed)
values = torch.rand(1, 1, 8, 8, dtype=torch.float64, generator=random)
positions = identity_grid(8, 8, dtype=torch.float64)[None]
positions = positions + 0.25 * torch.sin(3 * positions.flip(1))
positions = positions + 0.02 * torch.rand(1, 2, 8, 8, generator=random)
target = identity_grid(6, 6, dtype=torch.float64)[None, :1]


def loss(inputs):
    """inputs: 1 3 8 8, the value and the position (x, y) of every pixel."""
    scattered = splat(inputs[:, :1], inputs[:, 1:], (6, 6))
    return 0.5 * ((scattered.values - target).square() * scattered.known).sum()


# %% [markdown]
# The gradient in all 8 x 8 x 3 numbers by autograd, and beside it by moving one number at a time.

# %% alt="Gradients of a splat as coloured squares, in the values, in x and in y: the row by autograd equals the row by finite differences."
inputs = torch.cat((values, positions), 1)
(by_autograd,) = torch.autograd.grad(loss(inputs.requires_grad_()), inputs)
by_differences = torch.zeros_like(by_autograd)
with torch.no_grad():
    for place in range(inputs.numel()):
        bump = torch.zeros_like(inputs)
        bump.view(-1)[place] = h
        by_differences.view(-1)[place] = (loss(inputs + bump) - loss(inputs - bump)) / (2 * h)
torch.testing.assert_close(by_autograd, by_differences, rtol=0, atol=1e-6)

print(f"largest difference: {float((by_autograd - by_differences).abs().max()):.0e}")
result_figures.draw_gradients(by_autograd, by_differences)

# %% [markdown]
# In coordinate-based inpainting $C$ is an *input*, so nothing is trained through this splat. Its gradients matter when
# the map itself is predicted. The network $f$ of notebook 03 completes $C$ to a map $D$ without holes. Two kinds of loss train
# it: on coordinates, which act on $D$ directly, and on
# colours, whose gradient passes through the other operator, the lookup $S[D]$.
#
# ## 7. The alternative: triangulate
#
# "Scattered interpolation" often means `scipy.interpolate.griddata`: join the points to triangles and
# interpolate inside them. It is the usual tool, so let us compare honestly: time, error, and what it says about places
# that the camera never saw.

# %% tags=["experiment"]
on = mask[0, 0] > 0
points, coordinates = M[0, :, on].T.numpy(), x_grid[0, :, on].T.numpy()
texels = identity_grid(size, size).flatten(1).T.numpy()

threads = torch.get_num_threads()
torch.set_num_threads(1)  # one thread for all
# the best of seven rounds counts; a busy machine disturbs some of them
clock = np.zeros((7, 5))
for times in clock:
    times[0] = time.perf_counter()
    by_triangles = griddata(points, coordinates, texels, method="linear")
    times[1] = time.perf_counter()
    outside = np.isnan(by_triangles).any(1)
    by_triangles[outside] = griddata(points, coordinates, texels[outside], method="nearest")
    times[2] = time.perf_counter()
    scattered = splat(x_grid, M, (size, size), mask)
    times[3] = time.perf_counter()
    C = fill_nearest(scattered.values, scattered.known)
    times[4] = time.perf_counter()
linear, nearest, scattering, filling = 1000 * np.diff(clock, axis=1).min(0)
torch.set_num_threads(threads)
print(f"griddata: linear {linear:.1f} ms, nearest for the rest {nearest:.1f} ms")
print(f"splat:    {scattering:.2f} ms, nearest for the rest {filling:.2f} ms")

# %%
faster, faster_with_fill = linear / scattering, (linear + nearest) / (scattering + filling)
assert faster > 5, "The splat is not five times as fast as griddata."
assert faster_with_fill > 2, "With the filling the splat is not twice as fast as griddata."
record(griddata_ms=round(linear, 1), splat_ms=round(scattering, 2), faster=round(faster))
record(faster_with_fill=round(faster_with_fill, 1))

# %% [markdown]
# Next the error, as in section 5, and, of the texels that each method claims to know, the share that was not in view.

# %%
fine = photo_of(person, view, figures.FINER * size)
C_triangles = torch.from_numpy(by_triangles.T.reshape(1, 2, size, size)).float()
errors = {"griddata": coordinate_error(C_triangles, fine), "splat": coordinate_error(C, fine)}
assert errors["griddata"] < 0.8 * errors["splat"], "griddata is not more exact than the splat."
assert errors["splat"] < 0.5, "The splat is off by half a pixel."
seen = figures.seen_texels(seed, person, view, size, size)
claimed = torch.from_numpy(~outside).reshape(1, 1, size, size).float()
invented = {}
for name, said in (("griddata", claimed), ("splat", scattered.known)):
    invented[name] = float((said * (1 - seen)).sum() / said.sum())
assert invented["griddata"] > invented["splat"] + 0.2, (
    "griddata does not invent more than the splat."
)
record(**{f"error_px_{name}": round(value, 3) for name, value in errors.items()})
record(**{f"not_seen_{name}": round(value, 3) for name, value in invented.items()})

# %% alt="Two textures: the splat, grey between the pieces of the atlas, and griddata, whose triangles smear colours across the gaps."
T_triangles = sample(S, C_triangles, padding="border")
by_splat = figures.with_holes(sample(S, C, padding="border"), scattered.known)
by_griddata = figures.with_holes(T_triangles, claimed)
figures.row(
    {
        f"splat: {invented['splat']:.0%} of what it knows was not in view": by_splat,
        f"griddata: {invented['griddata']:.0%} of it was not in view": by_griddata,
    },
    "Triangles bridge the gaps between pieces of the atlas",
    width=8.5,
)

# %% [markdown]
# - **Speed.** The splat is faster by far, and it runs on a whole batch and on a GPU.
# - **Error.** Inside the pieces that were seen, `griddata` is *more exact*. It gives the value at the centre of the
#   texel. The splat gives the mean of what fell near it, which belongs to the centre of mass of those points.
#   Both are well below half a pixel.
# - **Honesty.** Triangles span every gap, between the arm and the chest, across the back, from one piece of the atlas
#   to another. The picture looks full and is invented. The splat returns `known`, and the network is told.
# - **Gradients.** `griddata` has none.
#
# ## 8. Classic mistakes and their pictures
#
# Every texture but the first has one mistake (atlas at half the size of the photograph). Below each texture, the person is
# drawn again from it with the right lookup. Learn the pictures: you will meet them.


# %%
def texture(positions, mask=mask, normalise=True):
    """Colours in the atlas, and which texels are known."""
    scattered = splat(S, positions, (t, t), mask)
    divided = scattered.values if normalise else scattered.values * scattered.weight
    return divided, scattered.known


made = {
    "right": texture(M),
    "u and v\nswapped": texture(M.flip(1)),
    # an edge taken for a centre
    "half a texel\noff": texture(index_to_norm((M + 1) / 2 * t, t)),
    "not divided\nby the weights": texture(M, normalise=False),
    "forward taken\nfor backward": (resize_mask(sample(S, M), (t, t)), torch.ones(1, 1, t, t)),
    "mask\nforgotten": texture(M, mask=None),
}

# %%
drawn = {
    name: sample(fill_nearest(*T_known), M, padding="border") for name, T_known in made.items()
}
costs = {
    name: psnr(drawn["right"], S, mask) - psnr(image, S, mask) for name, image in drawn.items()
}
for name in ("u and v\nswapped", "not divided\nby the weights", "forward taken\nfor backward"):
    assert costs[name] > 3, "A mistake that should be glaring costs less than 3 dB."
smallest = costs["half a texel\noff"]
assert 0.5 < smallest < costs["u and v\nswapped"], (
    "Half a texel off costs nothing, or as much as swapping u and v."
)

# %% alt="Six textures and the photographs drawn from them: right, u and v swapped, half a texel off, not divided by the weights, forward taken for backward, mask forgotten."
pictures = {}
for three in (list(made)[:3], list(made)[3:]):
    pictures |= {name: figures.with_holes(*made[name]) for name in three}
    for name in three:
        label = "drawn again" if name == "right" else f"{costs[name]:.1f} dB worse"
        pictures[label + " " * len(pictures)] = figures.on_white(drawn[name], mask)
heading = "A texture; below it, holes filled, drawn again with the right lookup"
figure = figures.row(pictures, heading, width=7.5, rows=4)
middle, last = t / 2 - 0.5, figure.axes[list(pictures).index("mask\nforgotten")]
last.plot(middle, middle, "o", fillstyle="none", color=figures.ORANGE, markersize=15)
figure

# %% [markdown]
# - **u and v swapped**: the texture is reflected in its diagonal; the person becomes a patchwork.
# - **Half a texel off**: looks right! Fine detail is blurred and shifted, and only a number or a flicker between
#   the two pictures shows it. This is why every convention here has a round-trip test.
# - **Not divided**: glaring where several pixels share a texel, dark at the rim, where little arrives.
# - **Forward taken for backward**: `sample(S, M)` reads the *photograph* at atlas positions. The result has the outline
#   of the person, because $M$ lives on the photograph, and is no texture at all.
# - **Mask forgotten**: pixels off the body hold $(0, 0)$. All of them land in the middle of the atlas (in the circle)
#   and put a patch of background on the body. It is easy to overlook.
#
# ## 9. Exercises
#
# **Exercise 1: look up by hand.** Write the backward warp: every place of the grid takes from the four pixels
# around it. Outside the picture there are zeros. (By hand: the check notices a call of the library.)


# %% tags=["exercise"]
def backward_warp(image, grid):
    """image (c, h, w), grid (2, H, W) in [-1, 1] of the image -> (c, H, W)."""
    # SOLUTION
    # STUB: # 1. From [-1, 1] to pixel indices: norm_to_index.
    # STUB: # 2. The four pixels around: floor, and floor + 1.
    # STUB: # 3. Weight each by the tents of its distances; take 0 for those outside.
    _, h, w = image.shape
    x, y = norm_to_index(grid[0], w), norm_to_index(grid[1], h)
    result = torch.zeros(image.shape[0], *x.shape)
    for column in (x.floor().long(), x.floor().long() + 1):
        for row in (y.floor().long(), y.floor().long() + 1):
            inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
            weight = (1 - (x - column).abs()) * (1 - (y - row).abs()) * inside
            result = result + weight * image[:, row.clamp(0, h - 1), column.clamp(0, w - 1)]
    return result
    # END SOLUTION


# %% tags=["check"]
checks.check_backward_warp(backward_warp)

# %% [markdown]
# **Exercise 2: splat by hand, with confidence.** Not every pixel is worth the same: at the rim of the body, or where
# a map is unsure, one would rather trust the neighbours. Let pixel $i$ bring a confidence $q_i \ge 0$ along, so that
# its weight in texel $t$ is $w_{it}\, q_i$. A texel takes the mean with these weights, and 0 where they come to less
# than 1e-3. For $q = 1$ this is the splat of section 3.
#
# The ten lines there compare every pixel with every row and column of texels. Write the fast version: every pixel
# touches only its four texels, and no tensor is larger than a few pictures. `index_add_` adds many values to a tensor,
# also where several go to the same place.


# %% tags=["exercise"]
def splat_by_hand(values, positions, size, confidence):
    """values (c, h, w), positions (2, h, w), (H, W), confidence (1, h, w) -> (c, H, W)."""
    # SOLUTION
    # STUB: # sums: zeros of shape (c + 1, H * W), weighted values and, last, weights.
    # STUB: # What belongs into the c + 1 rows, if every pixel counts by its confidence?
    # STUB: # For each of the four texels: sums.index_add_(1, row * W + column, share * data).
    # STUB: # Divide the first c rows by the last one, where there is enough weight.
    height, width = size
    x = norm_to_index(positions[0], width).flatten()
    y = norm_to_index(positions[1], height).flatten()
    data = torch.cat((confidence * values, confidence)).flatten(1)
    sums = torch.zeros(len(data), height * width)
    for column in (x.floor().long(), x.floor().long() + 1):
        for row in (y.floor().long(), y.floor().long() + 1):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            share = (1 - (x - column).abs()) * (1 - (y - row).abs()) * inside
            place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            sums.index_add_(1, place, share * data)
    total, weight = sums[:-1], sums[-1:]
    return torch.where(weight >= 1e-3, total / weight.clamp(min=1e-3), 0).reshape(
        -1, height, width
    )
    # END SOLUTION


# %% tags=["check"]
checks.check_splat_by_hand(splat_by_hand)

# %% [markdown]
# **Exercise 3: turn a forward map into a backward one.** `positions` says where every source pixel goes. Return the
# grid that says where every *target* pixel comes from, and the mask of those that know. You may use `splat`, and you
# need only one call of it. The check also moves the face of section 1 with your grid.


# %% tags=["exercise"]
def to_backward(positions, size):
    """positions (2, h, w) in the target, size (H, W) -> grid (2, H, W), known (1, H, W)."""
    # SOLUTION
    # STUB: # What should each source pixel carry, so that the target knows where it came from?
    carried = identity_grid(*positions.shape[1:])
    scattered = splat(carried[None], positions[None], size)
    return scattered.values[0], scattered.known[0]
    # END SOLUTION


# %% tags=["check", "expected"] alt="A small picture of a face, and the same face turned by the grid that the exercise gives."
checks.check_to_backward(to_backward)
grid, certain = to_backward(forward[0], (36, 36))
turned = torch.where(certain > 0, sample(face, grid[None])[0], 1)
figures.row(
    {
        "source": figures.picture(face),
        "moved with the grid of your function": figures.picture(turned),
    },
    width=5.5,
)

# %% [markdown]
# ## Take-away
#
# - A surface map sits on the photograph, so its texture needs a *forward* warp: splat. It is the transpose of a lookup.
# - The bilinear kernel is the only one with two texels an axis that shares out exactly one and shifts nothing.
# - Divide by the weights, and keep `known`. Holes are information.
# - Splat coordinates, and you hold the missing backward map. They survive a coarse atlas; colours do not.
# - Texels about as large as pixels give the least coordinate error. Do not let self-PSNR choose for you.
# - Values and positions both have gradients, with kinks at the centres of texels.
#
# ## What the paper says
#
# *Coordinate-based texture inpainting for pose-guided human image generation*, section 3, "Coordinate-based texture
# inpainting":
#
# > "we use scattered interpolation with bilinear kernel, so that each source pixel [x, y] is rasterized at position
# > [M¹[x, y], M²[x, y]]. [...] we rasterize not the color values, but the values x and y themselves"
#
# | the paper | here |
# |---|---|
# | splats the meshgrid with a bilinear kernel; the formula is not written out | section 3, equal to `posekit.ops.splat` |
# | photographs and UV space both of 256 x 256 (supplementary) | section 5: error least at about equal size |
# | unknown texels get -10; the network receives the mask too | `known` from the splat; the system writes -10 |
# | colour inpainting gives "very blurred details" | another cause: a *network* guesses colours (see below) |
# | reports no figure for the splat alone | coverage, error and PSNR measured in sections 4, 5 and 7 |
#
# Do not mix up two kinds of blur. The paper's colour textures are blurred because the network is unsure which colour is
# right and takes a mean of the possible ones. Section 4 shows only what interpolation costs, with nothing to guess.
#
# *Dense pose transfer* (section 3.2) also uses "scattered interpolation", of colours, into 24 charts of
# 256 x 256 each.
