# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   posekit:
#     warm_up: posekit_course.garments_and_keypoints.figures:prepare_dressing
#     trains: false
#     timeout: 600
#     quick: {people: 2, wardrobe: 2}
# ---

# %% [markdown]
# # Dots and clothes
#
# *A pose can be given by 18 dots. What do they say of a body, and what do they leave open? And if the network can put a
# texture on a body: can it put on somebody else's clothes?*
#
# **Objectives.** Afterwards you can
# - draw a skeleton as pictures that a network reads, a bone in each;
# - say what dots do not tell, and see a network waver between two answers;
# - choose a position for a pixel without averaging across the cuts of an atlas;
# - measure what a map costs that was read from dots;
# - explain why a network that never saw two people at once can dress one in the clothes of the other;
# - measure a fitting against the truth.
#
# **Prerequisites.** `01_densepose_uv` (parts, atlas), `03_color_vs_coordinate_inpainting` (f, W and E),
# `04_deformable_skips` (g).
#
# **Run time.** {{run_time}}.
#
# *The system, drawn. Blue is given, white is data, orange is learnt, green is computed, red is a loss. The letters are explained as
# they come; come back to the drawing then.*
#
# ![From joints a network reads the target's map; for clothes, g also sees what of the target must stay.](images/diagrams/keypoints_and_garments.svg)

# %%
import json

import numpy as np
import torch
from posekit_course import checks
from posekit_course.densepose_uv.close_ups import with_close_ups
from posekit_course.garments_and_keypoints import figures, probes
from posekit_course.garments_and_keypoints import widgets as fittings
from posekit_course.outcomes import expect
from posekit_lab.source import ROOT

from posekit.evaluation.table import Evaluation
from posekit.ops.keypoints import BONES, JOINTS, skeleton_maps
from posekit.ops.part_positions import winning_part
from posekit.plots import coordinate_colors
from posekit.sweeps.recorded import record
from posekit.systems.cut_out import kept_of, laid_on_white

# %% tags=["parameters"]
seed: int = 0  # 0..: of the studio people
people: int = 6  # 2..64: how many people of the test split the measurements use
shown: list[int] = [0, 5, 9]  # 0..255: the pairs in the pictures
wardrobe: int = 4  # 2..8: people who change clothes in section 5

# %% [markdown]
# ## 1. Eighteen dots
#
# So far the target's pose was a *surface map*: two numbers for every pixel of the body. Who has one? A photograph of the
# target, given to DensePose, has. But a pose is often known as **18 joints**: nose, neck, shoulders, elbows, and so on.
# The coordinate-based paper of notebook 03 ("the paper" from here on) meets it with a small trick. A network draws the surface
# map from the joints, and then everything goes on as
# before. It is called *Ours-K*, for keypoints.
#
# A network reads pictures. So every **bone** becomes one: a line from joint $a$ to joint $b$. Let $p$ be the centre of a
# pixel. The nearest point of the bone is $a + t (b - a)$ with
#
# $$ t = \min\Bigl(1, \max\Bigl(0, \frac{(p - a) \cdot (b - a)}{\lVert b - a \rVert^2}\Bigr)\Bigr) , $$
#
# and $d$ is the distance to it. A line of width $w$ takes the value $\min(1, \max(0, w/2 + 1/2 - d))$: 1 inside, 0 outside,
# and in between at the edge.
#
# **Exercise 1: one bone.** Write the map.


# %% tags=["exercise"]
def bone_map(a, b, size, width):
    """a, b: (2,), x and y in pixel indices; -> (size, size) in [0, 1]."""
    # SOLUTION
    # STUB: # The pixel in row r and column c has its centre at x = c, y = r.
    # STUB: # Where on the bone is the point that is nearest to it?
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    pixels = torch.stack([x, y], -1).float()
    along = b - a
    t = (((pixels - a) * along).sum(-1) / along.square().sum()).clamp(0, 1)
    d = (pixels - a - t[..., None] * along).norm(dim=-1)
    return (width / 2 + 0.5 - d).clamp(0, 1)
    # END SOLUTION


# %% tags=["check"]
checks.check_bone_map(bone_map)

# %%
system = probes.package_system("keypoints")
data = probes.posed_people(people, system.size[0], seed)
pairs = [data[i].batched() for i in range(len(data))]
shown = [i % len(pairs) for i in shown]
target = pairs[shown[0]].target

# %% tags=["call"]
maps = skeleton_maps(target.keypoints, target.visibility, (64, 64))

# %% tags=["equal"]
a, b = (64 * (target.keypoints[0, joint] + 1) / 2 - 0.5 for joint in BONES[0])
for point in (
    (a + b) / 2,
    a,
    b,
    b + 2.0,
    a - 9.0,
):  # the pixels at these places, by the formulas
    p = point.round()
    t = ((p - a) @ (b - a) / ((b - a) @ (b - a))).clamp(0, 1)
    by_formula = (3.0 / 2 + 0.5 - (p - a - t * (b - a)).norm()).clamp(0, 1)
    x, y = p.long().tolist()
    torch.testing.assert_close(maps[0, 0, y, x], by_formula, rtol=0, atol=1e-4)
print(f"equal: bone 1 of {len(BONES)}, {JOINTS[BONES[0][0]]} to {JOINTS[BONES[0][1]]}")

# %% alt="17 small pictures, each with one line of a skeleton; some are empty."
figures.draw_planes(target, 64)

# %% [markdown]
# *See:* one bone a picture. Empty ones miss a joint, because the photograph cuts it off. Why not draw all bones into one
# picture? Then a right arm could not be told from a left one. Here the *number* of the picture says it.
#
# ## 2. What dots cannot say
#
# The network answers, for every pixel, with 25 probabilities: background, and the 24 parts of DensePose. Let us ask it about
# one pose, and then make the pose poorer.
#
# - **Turned.** Exchange the *names* of right and left, and leave the dots where they are. It is the pose of somebody seen
#   from the other side. Half way between, both shoulders lie in one place: a view from the side.
# - **No head.** Nose, eyes and ears are not found.
#
# How sure is an answer? We take its **entropy** in bits, $-\sum_k p_k \log_2 p_k$ over the 25 probabilities $p_k$: 0 bits
# where one of them is 1, and 1 bit where two of them are 1/2.

# %% [markdown] tags=["predict"]
# **Predict, then look.** The dots are the same in "as it is" and "names exchanged". Will the network still see which side
# is the front? And when both shoulders lie in one place: what can still tell it?

# %%
from posekit_course.predictions import predict

predict(
    "08 front or back",
    "Does the network still see the front when names are exchanged?",
    "yes",
    "no, it sees a back",
    "it doubts",
)

# %% alt="Four skeletons; below each the torso's probable front in blue and back in red; below that the doubt in bits, brightest in the fourth."
pose = probes.pose_of(target)
half_way = probes.turned(pose, 0.5)
poses = {
    "as it is": pose,
    "names exchanged": probes.turned(pose, 1.0),
    "half way": half_way,
    "half way, no head": probes.without(half_way, probes.GROUPS["head"]),
}
panels, doubts = {}, {}
for name, one in poses.items():
    probability, _ = probes.answers(system, one)
    panels[name] = (figures.bones_picture(one), probability)
    doubts[name] = probes.body_doubt(probability)
figures.draw_doubt(panels)

# %%
fronts = [probes.back_share(panels[name][1]) for name in ("as it is", "names exchanged")]
expect("the names of the joints decide the side", (fronts[0] < 0.5) != (fronts[1] < 0.5))
expect(
    "told less, the network doubts more",
    doubts["as it is"] < doubts["half way"] < doubts["half way, no head"],
)

# %% [markdown]
# *See:* blue is front, red is back. The names decide. With right and left exchanged the same dots are a back instead of a
# front. Half way, in a view
# from the side, the network doubts more. The nose still says which way this person looks. Take the head away, and nothing
# says it: the whole torso is torn between front and back. The answer is then not one map but two, each with a
# probability. Whoever takes the likelier one at every pixel gets pieces of both.
#
# What else do 18 dots leave open? How **wide** somebody is: a line has no width. Which of two crossing arms is **in front**.
# And whatever is no bone: the belly, a skirt, hair. The network fills this in from what bodies are like on the average.
#
# **Turn the pose, hide joints,** and see map and photograph.

# %% tags=["explore"] alt="A source photograph, a skeleton, the surface map that is read from it, and the photograph in this pose."
turn = fittings.pose(system, [pairs[i] for i in shown])
turn

# %% tags=["move"]
turn.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# ## 3. The part that wins says where
#
# A map needs a position $(u, v)$ on the atlas for every pixel. Could the network give *one* position, as a regression? Think
# of a pixel between the front and the back of an arm. On the atlas these two lie far apart. A network that doubts gives
# the mean of both, and the mean lies on some other part of the body.
#
# So the network gives **24 positions** for each pixel, one for each part that it might belong to. First the part is
# chosen, then its position is taken. DensePose does the same.
#
# **Exercise 2: choose.**


# %% tags=["exercise"]
def winning_position(scores, positions):
    """scores (25, h, w), 0: background; positions (24, 2, h, w), parts 1-24 -> (2, h, w)."""
    # SOLUTION
    # STUB: # Which of the 25 wins at each pixel?  What do you give where the background wins?
    part = scores.argmax(0)
    index = (part - 1).clamp(min=0)
    where = positions.gather(0, index[None, None].expand(1, 2, *part.shape))[0]
    return where * (part > 0)
    # END SOLUTION


# %% tags=["check"]
checks.check_winning_position(winning_position)

# %% tags=["equal"]
probability, positions = probes.answers(system, pose)
part, uv, mask = winning_part(probability, positions)
for row, column in ((12, 30), (32, 32), (50, 28), (5, 5)):  # by definition, at some pixels
    k = int(probability[0, :, row, column].argmax())
    expected = positions[0, k - 1, :, row, column] if k else torch.zeros(2)
    torch.testing.assert_close(uv[0, :, row, column], expected.clamp(-1, 1))
print("equal: the position of the part that wins, and 0 on the background")

# %% [markdown]
# Now compare with the mean of all 24 positions, by their probabilities.

# %% tags=["experiment"]
errors = {"the part that wins": [], "the mean of all parts": []}
for pair in pairs:
    one = pair.target
    probability, positions = probes.answers(system, one)
    truth, on = (
        torch.nn.functional.interpolate(x, (64, 64), mode="nearest-exact")
        for x in (one.uv, one.mask)
    )
    _, uv, mask = winning_part(probability, positions)
    both = on * mask
    errors["the part that wins"].append(probes.position_errors(uv, truth, both))
    mean = probes.averaged(probability, positions)
    errors["the mean of all parts"].append(probes.position_errors(mean, truth, both))
for name, values in errors.items():
    values = torch.cat(values)
    far = (values > 8).float().mean()
    print(f"{name:24} median {values.median():.2f} texels of 64; more than 8 off: {far:.1%}")
    record(**{f"{name.split()[-1]}_far": round(float(far), 4)})

# %% [markdown]
# *See:* over a whole body the mean is worse, though not by much, because the network is sure nearly everywhere. At its
# doubtful pixels the mean can lie far away, on another part or on no part; these pixels catch the eye.

# %% [markdown]
# ## 4. What does a map from dots cost?
#
# Here is what the network makes of held-out people (recorded by `posekit_lab.surface_maps`).

# %%
kept = ROOT / "experiments" / "results" / "surface_maps.json"
table = json.loads(kept.read_text())["shown"] if kept.exists() else {}
for name, row in table.items():
    part, outline, median, ninety = (entry["mean"] for entry in row.values())
    print(f"{name:30} part right {part:.0%}, outline {outline:.2f}, ", end="")
    print(f"position off by {median:.2f} texels (nine of ten below {ninety:.1f})")

# %% [markdown]
# *See:* joints alone give the right part on four pixels of five. A silhouette gives the outline, and little else. Joints that
# are off by one or two pixels cost
# less than one might fear, because the network was trained on rough ones.
#
# And the photograph? The paper says that it is "very similar". We put both beside each other: the same source and the same
# f, once with the exact map (D) and once with the map from dots (K). Each has a g of its own; that of K was trained a
# little longer, on maps from dots.

# %% tags=["experiment"]
dense = probes.package_system("full")
off = {"D": [], "K": []}
rows = []
for i, pair in enumerate(pairs):
    made = {"D": probes.maps_of(dense, pair).image, "K": probes.maps_of(system, pair).image}
    for name, image in made.items():
        wrong = (image - pair.target.image).abs().mean(1, keepdim=True)
        off[name].append(float((wrong * pair.target.mask).sum() / pair.target.mask.sum()))
    if i in shown:
        read = system.read_pose(pair.target)
        colours = coordinate_colors(read.uv, read.mask)
        row = [with_close_ups(pair.source.image, pair.source), with_close_ups(colours, None)]
        made = (*made.values(), pair.target.image)
        rows.append(row + [with_close_ups(image, pair.target) for image in made])
exact, dots = np.mean(off["D"]), np.mean(off["K"])
print(f"error on the body: exact map {exact:.3f}, map from dots {dots:.3f}")
assert exact < dots, "Dots are as good as the exact map."

# %% alt="Three people: source, the map read from dots, the photograph by the exact map, the photograph by dots, and the target; beneath each photograph, head and hand enlarged."
figures.grid_of(("source", "map from dots", "D: exact map", "K: dots alone", "target"), rows)

# %% [markdown]
# *See:* the poses are right, and clothes lie where they should. Hands, hair and outline are not: dots do not say where they
# end. The paper calls both "very similar". In the whole figure they nearly are; enlarged they are not: by dots the hand has no
# fingers, and hair ends at the skull. (Head and larger hand are enlarged beneath each photograph; the place is white where none is
# seen.) To a difference of pixels they are not either, because
# where the map is off by a pixel, so is everything that lies on it.
#
# ## 5. Dressing
#
# The texture of a person is their skin *and* their clothes, on one surface that everybody has. Put A's texture on B's
# map, and B wears A's clothes, and A's face. The face is the trouble. The paper's answer is one more input: **N'**, the
# photograph of B in which everything but head, hair and hands is hidden. The network is trained on two photographs of
# **one** person, as ever: source, and target with its N'. It learns to copy what N' shows, because that is always right.
#
# Used on **two** people, N' comes from B and the source is A. The wanted photograph has a white background. Here are N' and
# the wanted photograph by their definition:


# %% tags=["derive"]
def by_definition(person):
    """N', its mask, and the person on white: 1 3 h w, 1 1 h w, 1 3 h w."""
    kept = ((person.head + person.hair + person.hands) > 0).float()
    shown = ((person.mask + person.head + person.hair) > 0).float()
    return person.image * kept, kept, person.image * shown + 1 - shown


# %% tags=["call"]
N_kept = target.image * kept_of(target)
wanted = laid_on_white(target)

# %% tags=["equal"]
derived, kept, on_white = by_definition(target)
torch.testing.assert_close(N_kept, derived, rtol=0, atol=0)
torch.testing.assert_close(wanted, on_white, rtol=0, atol=1e-6)
print(f"equal: {float(kept.mean()):.1%} of the photograph is kept")

# %% [markdown]
# First without learning: copy A's texture to B's map (this picture is $W$), and paste B's own pixels over it, where they are kept.
#
# **Exercise 3: paste.** Off body and hair the photograph is white.


# %% tags=["exercise"]
def pasted(person, kept, W, mask):
    """person, W (3, h, w); kept, mask (1, h, w): what stays, B's body -> (3, h, w)."""
    # SOLUTION
    # STUB: # Hair is kept and lies beside the body.  What is where neither body nor hair is?
    dressed = W * mask + 1 - mask
    return kept * person + (1 - kept) * dressed
    # END SOLUTION


# %% tags=["check"]
checks.check_pasted(pasted)

# %% alt="Clothes, a person, their head and hands, the clothes pasted on, the network's photograph, and the truth."
garments = probes.package_system("garments")
numbers = [10 * n + 9 for n in range(wardrobe)]
fitting = probes.dressed_pair(numbers[0], numbers[1], seed=seed)
made = {"pasted": probes.dressed(None, fitting), "network": probes.dressed(garments, fitting)}
figures.draw_fitting(fitting, made)

# %% [markdown]
# In our studio B can *really* put on A's clothes, in the same pose: the last picture. None of the four papers had this
# truth. For garments the coordinate-based paper asked people which of two pictures they prefer.

# %% tags=["experiment"]
table = {"pasted": [], "network": []}
matrix, owners = [], []
for person in numbers:
    matrix.append([])
    for owner in numbers:
        fitting = probes.dressed_pair(person, owner, seed=seed)
        for name, one in (("pasted", None), ("network", garments)):
            image = probes.dressed(one, fitting)
            if person != owner:
                table[name].append(probes.fitting_errors(image, fitting))
        matrix[-1].append(image)
print("                error on head and hands    on the rest")
for name, values in table.items():
    inside, outside = np.mean(values, 0)
    print(f"{name:16} {inside:18.3f} {outside:15.3f}")

# %% alt="A matrix: people in rows, clothes in columns; the diagonal shows everybody in their own clothes."
own = [probes.dressed_pair(n, numbers[0], seed=seed).neighbours[0].image for n in numbers]
clothes = [probes.dressed_pair(numbers[0], n, seed=seed).source.image for n in numbers]
figures.draw_wardrobe(matrix, own, clothes)

# %%
pasting, network = (np.mean(values, 0) for values in table.values())
assert network[1] < pasting[1], "On the clothes the network is not ahead of pasting."
assert pasting[0] < network[0], "Pasted pixels are not the nearest on head and hands."

# %% [markdown]
# *See:* every row is one person, every column one outfit. Heads and hands stay. Clothes arrive in every pose; what the
# photograph of the clothes did not show is a guess. On the clothes the network is ahead of pasting, which spreads whatever
# colour is nearest. On head and hands pasted pixels are exact, and the network's are not quite: it has to draw them anew.
#
# ### What N' gives away
#
# **Keep less,** and see what the network does without.

# %% tags=["explore"] alt="Clothes, what is kept of a person, the photograph made with it, and the truth."
keep = fittings.kept(garments, probes.dressed_pair(numbers[0], numbers[1], seed=seed))
keep

# %% tags=["move"]
keep.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# N' also tells what it should not. A hand that is shown says where a sleeve may end; a head says how large somebody is. And
# arms that A's short sleeves leave bare have A's skin: N' shows B's skin, but the texture is stronger.
#
# **Try all of it.**

# %% tags=["explore"] alt="Clothes, a person, what is kept, the clothes pasted on, the network's photograph, and the truth."
try_on = fittings.fitting(garments, numbers)
try_on

# %% tags=["move"]
try_on.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# More people, recorded by `posekit_lab.try_on`, with 95 % intervals over people:

# %% alt="Bars of three ways to dress a person by four measures, with intervals."
path = ROOT / "experiments" / "results" / "try_on.json"
measures = {
    "ssim": "SSIM",
    "perceptual": "perceptual distance",
    "head.l1": "l1, head",
    "rest.l1": "l1, clothes",
}
figures.draw_try_on(Evaluation.load(path), measures)

# %% [markdown]
# ## Take-away
#
# - A network reads pictures, so a bone becomes a picture, and its number says which bone it is.
# - Dots do not say how wide a body is or which limb is in front. Where they leave two answers, a network doubts; a mean of
#   both answers would be neither of them.
# - The part that wins says where: nothing is averaged across a cut of the atlas.
# - A texture lies on a surface that everybody has, so it can be put on anybody. What must stay is shown once more, as N'.
# - Pairs of one person are enough: in training N' is always right, so the network learns to copy it, and takes the rest from
#   the source.
# - A fitting can be measured where somebody can really change clothes.
#
# ## What the paper reports
#
# | the paper | here |
# |---|---|
# | section 4.1: a fully convolutional network, one bone a map, predicts the DensePose result | sections 1 to 3 |
# | "we fine-tune our full network, while showing such fake DensePose results": "very similar" (Figure 4) | section 4 |
# | garment transfer: the masked target image is added to the input; white background | section 5 |
# | 57.1 % of 3,650 answers prefer it to another method | not repeated: no people are asked here |
