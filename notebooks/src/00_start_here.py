# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   posekit:
#     timeout: 120
#     quick: {people: 20, rows: 1}
#     without: {derive: "every later notebook derives its part; here the whole is seen once", equal: "the same"}
# ---

# %% [markdown]
# # Start here
#
# How do you show a person in a pose in which nobody has photographed them?
#
# You get **one** photograph of a person, the **source**, and a drawing of a pose, the **target map**. You want the
# photograph that was never taken: the same person, the same clothes, the other pose. Much of the body is not visible
# in the source, so a system must carry over what it saw, and invent the rest.
#
# This course builds the four published systems that do this, from their parts, on an ordinary laptop. The people
# in it are rendered: their surface is known exactly, so everything can be measured, and no photograph of a real person
# is needed.
#
# **Objectives.** After this notebook you
#
# - know the steps between a source and a new photograph, and their names,
# - know which notebook teaches which step, and which paper it comes from,
# - have checked that your installation works,
# - have transferred a pose yourself, in five lines.
#
# **Prerequisites.** One course in deep learning: convolutional networks, losses, PyTorch.
#
# **Run time.** {{run_time}}

# %% tags=["parameters"]
people: int = 40  # 20..: rendered people; every tenth is held out and shown here
rows: int = 3  # 1..4: people in the first figure
seed: int = 0  # 0..: which set of rendered people
reference: bool = True  # use the trained reference weights where this installation has them

# %%
import torch
from posekit_course import checks
from posekit_course.densepose_uv import figures as fig
from posekit_course.densepose_uv import surface_widgets as steps
from posekit_course.densepose_uv.body_widgets import seen_in_atlas
from posekit_course.densepose_uv.close_ups import with_close_ups

from posekit.cli.check import run_checks
from posekit.data.studio import StudioPeople
from posekit.evaluation.transfer import transfer
from posekit.metrics.image import gradient_energy_ratio
from posekit.ops.splat import splat
from posekit.person import collate_pairs
from posekit.reference import load_reference
from posekit.studio.body.surface_tables import mirror_table, part_labels
from posekit.studio.generate import make_person
from posekit.sweeps.recorded import record
from posekit.systems.baselines import CopySource
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.util.errors import InputError

# %% [markdown]
# ## 1. Is everything there?
#
# `posekit check` in a terminal says what this machine has, what is missing, and what to do about it. The same from
# Python. (Here in short: `posekit check` prints each line in full.) A line with `WARN` is something optional that is not
# there; nothing in this course needs it. Each `reference weights` line is another trained system.

# %%
findings = run_checks()
for line in findings:
    print(line if line.status == "FAIL" else f"{line.status:4}  {line.subject}")
assert not [line for line in findings if line.status == "FAIL"], (
    "Something is missing; mend the lines above first."
)

# %% [markdown]
# ## 2. What the course builds
#
# Every row is a person that no system was trained on. From left to right:
#
# | step | in words | taught in |
# |---|---|---|
# | source $S$ | the one photograph that is given | |
# | $S[C]$ | what the source shows of the body's surface, laid out on a flat **atlas**, whose pixels are called **texels** ($C$ says for each texel where in $S$ it is seen, and $S[C]$ reads $S$ there); grey is what it does not show | 01, 02 |
# | $T$ | the atlas completed: the system decides, for every texel, from which place of the source to copy | 03 |
# | $W = T[M]$ | the completed atlas, read at the target map $M$: it is wrapped around the target pose | 01 |
# | result | a second network turns it into a photograph: hair, folds, light, background | 04, 06 |
# | truth | the photograph that was really taken, for comparison | |
#
# With the reference weights, two trained networks do the third and the fifth step. Without them, `TexelFill` stands
# in, which learns nothing: it copies unknown texels from the body's other half or from the nearest known texel.


# %% tags=["call"]
def copying():
    """Geometry alone: unknown texels are copied from the twin, or the nearest known."""
    return TexelFill(
        TexelFillConfig(variant="mirror", atlas_size=128, trim=1), mirror=mirror_table()
    )


def best_system():
    """The trained reference system where it is there and wanted, else copying."""
    if reference:
        try:
            return load_reference()
        except InputError:
            print("No reference weights here: TexelFill stands in.")
    return copying()


system = best_system()

# %% [markdown]
# Now the steps for some held-out people.

# %% alt="Held-out people, a row each: the source, its body texture as far as the photograph shows it, the texture completed, the result in the other pose, and the truth; beneath each photograph, head and hand enlarged."
held_out = StudioPeople(people, views=4, size=128, seed=seed, split="test", progress=False)
each = 4 * 3  # ordered pairs of a person's four photographs
pairs = [held_out[i] for i in range(len(held_out))]
# person i, pair i: not chosen by eye
shown = [pairs[each * i + i % each] for i in range(rows)]

panels, shares = [], []
for pair in shown:
    # share of the body's texels that the source shows
    shares.append(seen_in_atlas(pair.source, 128)[1])
    made = steps.transfer_steps(pair.source, system, pair.target)
    made[1] = (f"S[C]: {shares[-1]:.0%} known", made[1][1])
    made.append(("truth", pair.target.image))
    lenders = (pair.source, None, None, *3 * [pair.target])  # whose head and hand to enlarge
    panels += [
        (title, with_close_ups(image, whose))
        for (title, image), whose in zip(made, lenders, strict=True)
    ]
record(least_known=round(min(shares), 2), most_known=round(max(shares), 2))
assert max(shares) < 0.7, "One photograph shows nearly the whole body."
titled = [
    (title if n < 6 or n % 6 == 1 else "", picture)
    for n, (title, picture) in enumerate(panels)
]
fig.panels(titled, 6, width=9.5, size=9)

# %% [markdown]
# Look at the second column: how much of the body does one photograph show? Look at the third: what was invented? And
# look at what the warped picture lacks: wall, floor and shadow. (Long hair and skirts would be missing, too: what hangs
# away from the body has no place on the atlas.) Beneath each picture of a person, head and larger hand are enlarged, up
# to three times; beneath $W$ and the result they are cut out where the *truth* has them. See how little of a face is left.
#
# **Exercise 1: what is seen.** The percentages above the second column count texels. Write the count: `known` holds for
# every texel how much of the photograph fell on it, 0 where nothing did (sometimes it holds only 0 and 1: count any texel
# above 0). `body` is 1 on the texels that belong to the body, else 0. The share is a number from 0 to 1.


# %% tags=["exercise"]
def seen_share(known, body):
    """known, body (t, t) -> of the body's texels, the share on which anything fell."""
    # SOLUTION
    # STUB: # Which texels count, and by how many is divided?
    return ((known > 0) * body).sum() / body.sum()
    # END SOLUTION


# %% tags=["check"]
checks.check_seen_share(seen_share)

first = shown[0].source
on_atlas = splat(first.image[None], first.uv[None], (128, 128), first.mask[None])
body_texels = torch.from_numpy(part_labels(128) > 0)
mine = float(seen_share(on_atlas.known[0, 0], body_texels.float()))
assert abs(mine - shares[0]) < 1e-5, "Your share is not that of the figure's first row."

# %% [markdown]
# **Exercise 2: wrap it.** The step from $T$ to $W$ is one line. The target map says for every pixel which texel it
# shows; here it is already turned into the `column` and the `row` of that texel. Read $T$ there, for all pixels at once.
# `mask` is 1 on the body and 0 off it; off the body the picture is white, and white is 1 in every channel.


# %% tags=["exercise"]
def wrapped(T, column, row, mask):
    """T (3, t, t); column, row (h, w), whole numbers; mask (1, h, w) -> W (3, h, w)."""
    # SOLUTION
    # STUB: # In which order does a picture want its channel, row and column?
    return T[:, row, column] * mask + 1 - mask
    # END SOLUTION


# %% tags=["check"]
checks.check_wrapped(wrapped)

pose, made = shown[0].target, transfer(shown[0].source, shown[0].target, system)
t = made.T.shape[-1]
# positions run from -1 to 1, texels from 0 to t - 1
column, row = ((pose.uv + 1) / 2 * t - 0.5).round().long().clamp(0, t - 1)
W = wrapped(made.T[0], column, row, pose.mask)
off = ((W - made.W[0]).abs() * pose.mask).sum() / (3 * pose.mask.sum())
print(f"{off:.3f} from the W of the figure, which mixes the four nearest texels")
assert off < 0.05, "Your W is not that of the figure."

# %% [markdown]
# ## 3. How good is it?
#
# The laziest "system" hands back the source. A pose transfer that is worth its name must come closer to the truth
# than that. A fairer rival is `TexelFill`, which knows the geometry but learns nothing. All held-out pairs, three
# numbers:
#
# - **body**: mean absolute colour difference over the pixels of the target's body map (0 is perfect),
# - **rest**: the same over all other pixels: background, loose hair, skirts,
# - **sharpness**: energy of the edges on the body, divided by that of the truth (1 is as sharp as the truth; the median).
#
# One number would not do: a blurred picture can have a small error.


# %% tags=["experiment"]
def error_on(mask, image, truth):
    """Mean absolute difference to the truth over a mask, one value for each picture."""
    difference = ((image - truth).abs() * mask).sum((1, 2, 3))
    return difference / (3 * mask.sum((1, 2, 3)))


batches = [collate_pairs(pairs[i : i + each]) for i in range(0, len(pairs), each)]
body, rest, sharpness = {}, {}, {}
tried = {"copy the source": CopySource(), "TexelFill": copying(), "shown above": system}
for name, candidate in tried.items():
    made = [
        (transfer(b.source, b.target, candidate).image, b.target.image, b.target.mask)
        for b in batches
    ]
    body[name] = torch.cat([error_on(mask, image, truth) for image, truth, mask in made])
    rest[name] = torch.cat([error_on(1 - mask, image, truth) for image, truth, mask in made])
    sharpness[name] = torch.cat(
        [gradient_energy_ratio(image, truth, mask) for image, truth, mask in made]
    )
    numbers = f"body {body[name].mean():.3f}   rest {rest[name].mean():.3f}"
    numbers += f"   sharpness {sharpness[name].median():.2f}"
    print(f"{name:16} {numbers}   ({len(body[name])} pairs)")

# %%
mean = {name: round(float(values.mean()), 4) for name, values in body.items()}
record(
    body_error_source=mean["copy the source"],
    body_error_copying=mean["TexelFill"],
    body_error=mean["shown above"],
)
record(system=type(system).__name__, rest_error=round(float(rest["shown above"].mean()), 4))
for name in ("TexelFill", "shown above"):
    assert mean[name] < 0.7 * mean["copy the source"], (
        "Knowing the geometry takes away less than 30 % of the error."
    )
if not isinstance(system, TexelFill):
    assert rest["shown above"].mean() < 0.8 * rest["TexelFill"].mean(), (
        "The networks do not draw what has no map."
    )

# %% [markdown]
# Knowing the geometry does most of the work on the body, even without learning. What remains is the harder part: to
# invent what was not seen, to draw what has no map, and to stay sharp. With the reference weights, the clear gain is
# in the *rest*: the networks draw hair, skirts, shadow and background that copying cannot. They come from a laptop's budget:
# on the body their error is hardly smaller than that of `TexelFill`, but their pictures are sharper there (0.60 against 0.43;
# still far from 1). Notebook 06
# trains, measures and takes apart the whole system.
#
# ## 4. The map of the course
#
# The papers are numbered in the second table. $(I, U, V)$ says for every pixel which of 24 body parts it shows, and where
# on that part; a **chart** is one part laid out flat (notebook 01).
#
# | notebook | it answers | built on |
# |---|---|---|
# | **00 start here** | what is built here, and does it run? | |
# | **01 densepose uv** | which point of the body does a pixel show, and how is that written down? | DensePose, used by papers 1 and 2 |
# | **02 scatter rasterization** | how do pixels get onto the atlas, without holes, with gradients? | paper 1, section 3 |
# | **03 colour against coordinate inpainting** | why inpaint *where from* instead of *what colour*? | paper 1 |
# | **04 deformable skips** | how do a network's features follow the body into another pose? | papers 1 and 3 |
# | **05 affine consistency flow** | can joints alone tell where every pixel goes? | paper 4 |
# | **06 full training** | all of it together: stages, losses, metrics, ablations, scale | all four |
# | **07 dense pose transfer** | can a guess and a carried texture correct each other? | paper 2 |
# | **08 garments and keypoints** | what do 18 joints say, and can a person wear another's clothes? | paper 1, section 4.1 |
# | **09 face resynthesis** | do the same networks work on a face? | paper 1, section 4.2 |
# | **10 your own photo** | what must be estimated before a real photograph can be used? | notebooks 03 and 08 |
# | **11 losses and metrics** | what does each loss want, and what does each metric see? | all four |
#
# | paper | pose is given as | what moves | in one line |
# |---|---|---|---|
# | 1. Coordinate-based texture inpainting | surface map $M$ | texture coordinates | complete the atlas with *positions in the source*, then sample colours |
# | 2. Dense pose transfer | $(I, U, V)$ | colours in 24 charts | a predicting and a warping stream, blended |
# | 3. Deformable GANs | 18 joints | features | an affine map for each of ten body parts, inside the skip connections |
# | 4. Pose transfer by one spatial transformation | 18 joints | features | one dense flow for the whole body, kept honest by affine maps with known answers |
#
# Each notebook runs from top to bottom in less than four minutes (its first cell says how long). Each has a figure that
# you can move, a question to
# answer *before* you look, and exercises whose checks name your mistake.
#
# ## 5. A pose in five lines
#
# Only the **map** of the target is looked at, never its picture. So anybody can lend a pose.

# %% [markdown] tags=["predict"]
# **Predict, then look.** The source below and the lender of the pose are two different people. Whose clothes will the
# result show? Whose *build*: shoulders, arms, height?

# %%
from posekit_course.predictions import predict

predict(
    "00 whose build",
    "Whose build will the result have?",
    "the source's",
    "the lender's",
    "something between",
)

# %% alt="Three photographs: the source, the other person who lends the pose, and the result, which has the clothes of the source and the outline of the lender."
source = make_person(seed, 9, 1)  # person 9, photograph 1
lender = make_person(seed, 19, 1)
result = transfer(source, lender, system)
new_photograph = result.image[0]
fig.panels(
    [("source", source.image), ("lends the pose", lender.image), ("result", new_photograph)],
    width=6.5,
)

# %% [markdown]
# The clothes come from the source and the outline from the lender: a surface map says where each point of *a* body
# is, and this body is the lender's. (Transfer between people of different build needs a map that was fitted to the
# source; published systems ignore this too.)
#
# Now move it yourself. Poses beyond the first four come from the other people.

# %% tags=["explore"] alt="The source, the target pose, the completed texture and the photograph made from them, for the people and poses that the controls choose."
photographs = [
    [held_out.person(i, view) for view in range(4)]
    for i in range(rows + 1 if rows == 1 else rows)
]
panel = steps.transfer_panel(photographs, system)
panel

# %% tags=["move"]
panel.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# ## 6. The error by hand
#
# **Exercise 3: the error on the body.** The error of section 3 looks harmless, but it is easy to get wrong: by what you
# sum, by what you divide, and where the signs go. Write it for one photograph: the mean absolute difference over all three channels of the pixels **on the mask**.


# %% tags=["exercise"]
def body_error(image, truth, mask):
    """image, truth (3, h, w), mask (1, h, w) of 0 and 1 -> the mean error on the mask."""
    # SOLUTION
    # STUB: # What is summed, and by how many numbers is the sum divided?
    difference = ((image - truth).abs() * mask).sum()
    return difference / (3 * mask.sum())
    # END SOLUTION


# %% tags=["check"]
checks.check_body_error(body_error)

pair = shown[0]
mine = body_error(
    transfer(pair.source, pair.target, system).image[0], pair.target.image, pair.target.mask
)
of_section_3 = body["shown above"][0]  # the first pair
assert abs(float(mine) - float(of_section_3)) < 1e-5, (
    "Your error is not that of section 3 for the same pair."
)

# %% [markdown]
# ## What the papers promise
#
# | paper, full body, DeepFashion | SSIM | note |
# |---|---|---|
# | 1. Coordinate-based texture inpainting | 0.791 | 8,670 test pairs; LPIPS 0.169, the best of its four variants |
# | 2. Dense pose transfer | 0.796, 0.777 or 0.785 | by its loss; its predictive module alone has 0.792, and 0.762 with key points in the place of $(I, U, V)$ |
#
# (SSIM compares the local structure of two pictures; 1 means equal. LPIPS is a distance between features of a network; 0 means
# equal. Notebook 11 explains both.) Our numbers in section 3 are of another kind: rendered people at 128 pixels, few pairs,
# error on the body only. They
# must not be put beside these. What can be compared is *which variant wins*, and that is what the later notebooks
# measure. (Even between papers, padding and crop change SSIM; see the protocol that `posekit evaluate` prints.)
#
# ## Take-away
#
# - Pose transfer here means: find what each pixel shows of the body, lay it out flat, complete it, wrap it around the new
#   pose, refine.
# - The hard part is what the source does not show.
# - `transfer(source, target, system)` does all of it and keeps every intermediate under its symbol.
#
# Next: **01, a photograph is a picture of a surface**.
