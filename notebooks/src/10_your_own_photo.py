# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   posekit:
#     warm_up: posekit_course.your_own_photo.figures:prepare_photographs
#     trains: false
#     timeout: 600
#     quick: {people: 2}
# ---

# %% [markdown]
# # Your own photograph
#
# *So far somebody always told us where the body is. A photograph from your own album comes with nothing. What has to be
# estimated first, how much is lost at each step, and what do you owe the person in the picture?*
#
# **Objectives.** Afterwards you can
# - find a person in a photograph with a small network, and say what each of its numbers means;
# - go back from the square that a network sees to the pixels of your photograph;
# - measure joints (PCK) and outlines (IoU);
# - say which step of the whole chain loses most, because you replaced one step after the other;
# - name what a photograph needs so that the chain works, and what its owner has to agree to.
#
# **Prerequisites.** `03_color_vs_coordinate_inpainting` (f, T and W), `08_garments_and_keypoints` (maps from joints).
#
# **Run time.** {{run_time}}.

# %%
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from posekit_course import checks
from posekit_course.garments_and_keypoints.probes import posed_people
from posekit_course.study_panel import StudyPanel
from posekit_course.your_own_photo import figures, probes
from posekit_course.your_own_photo import widgets as albums

from posekit.cli.results import MADE
from posekit.data.photo import write_photo
from posekit.evaluation.study_folders import make_study
from posekit.evaluation.transfer import transfer
from posekit.metrics.surface_map import map_errors
from posekit.ops.grids import norm_to_points
from posekit.photo.find_person import find_person
from posekit.photo.models import run_model
from posekit.photo.photographed import GROUND, photographed
from posekit.photo.put_back import put_back
from posekit.photo.regions import Region, sampled
from posekit.sweeps.recorded import record
from posekit.systems.rough_pose import silhouette

# %% tags=["parameters"]
me: str = ""  # a photograph of yours; empty: Eileen Collins, by NASA, in the public domain
you: str = ""  # another one; empty: Grace Hopper, by the US Navy, in the public domain
seed: int = 0  # 0..: of the studio people
people: int = 12  # 2..64: how many studio people are treated as strangers

# %% [markdown]
# ## 1. Where is somebody?
#
# A pose model (MediaPipe's, shipped with this package) has two networks. The first one sees the whole photograph, made
# small, in a square of 224 x 224 pixels. The photograph is not stretched: its longer side fills the square, and a black
# border fills the rest. This is called a **letterbox**.
#
# The network looks for people from 2,254 fixed places of the square, its **anchors**. There are 28 x 28 x 2 of them for
# small people, 14 x 14 x 2 for larger ones and 7 x 7 x 6 for the largest. For each anchor it gives a score (how likely
# somebody is here) and points, as distances from the anchor. Two of the points are used: the middle of the **hips**, and a
# point on a **circle** around the whole body.


# %% tags=["derive"]
def detected(image):
    """image (3, h, w) -> middle of the hips and a point on the circle, in pixels: (2, 2)."""
    h, w = image.shape[-2:]
    small = [max(1, round(n * 224 / max(h, w))) for n in (h, w)]
    top, left = ((224 - n) // 2 for n in small)
    square = torch.zeros(3, 224, 224)
    square[:, top : top + small[0], left : left + small[1]] = F.interpolate(
        image[None], small, mode="bilinear", antialias=True
    )[0].clamp(0, 1)
    out = run_model("pose_detection", 2 * square.permute(1, 2, 0).numpy() - 1)
    anchors = []
    for n, each in ((28, 2), (14, 2), (7, 6)):
        y, x = np.mgrid[0:n, 0:n]
        centres = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) / n
        anchors.append(np.repeat(centres, each, axis=0))
    best = out["Identity_1"][0, :, 0].argmax()
    points = out["Identity"][0, best, 4:8].reshape(2, 2) + 224 * np.concatenate(anchors)[best]
    return (points - [left, top]) * [w / small[1], h / small[0]] - 0.5


# %% [markdown]
# The last line goes back: from the square to the photograph. Off-by-one mistakes live in such lines.
#
# **Exercise 1: back to the photograph.** A photograph of h x w pixels was laid in the middle of a square with `side` pixels;
# its longer side fills the square. Given are points (x, y) in pixels of the square. The centre of pixel $i$ lies at $i$, in
# both pictures; so its left edge lies at $i - 1/2$.


# %% tags=["exercise"]
def to_photograph(points, h, w, side):
    """points: (n, 2), (x, y) in the square -> (n, 2) in the photograph of h x w pixels."""
    # SOLUTION
    # STUB: # How large is a pixel of the square, in pixels of the photograph?
    # STUB: # How wide is the border on the left, and at the top?
    scale = max(h, w) / side
    border = (side - torch.tensor([w, h]) / scale) / 2
    return (points + 0.5 - border) * scale - 0.5
    # END SOLUTION


# %% tags=["check"]
checks.check_to_photograph(to_photograph)

# %% [markdown]
# The second network wants the person **upright** and of a known size. So a square is cut out whose middle is the hips, whose
# half side is 1.25 times the radius of the circle, and whose upward direction is from the hips to the point on the circle. It
# is laid in 256 x 256 pixels. The network gives 39 points with five numbers each: x, y, depth, and two scores: how surely the
# point is *visible*, and how surely it is *inside the picture*. And it gives a silhouette.


# %% tags=["derive"]
def landmarks(image, hips, rim):
    """39 points in pixels of the photograph, (39, 2); and their two scores, (39, 2)."""
    radius = np.linalg.norm(rim - hips)
    square = Region(centre=hips, half=1.25 * radius, up=(rim - hips) / radius)
    cut = sampled(image, square, 256)
    out = run_model("pose_landmark_full", cut.permute(1, 2, 0).numpy())
    table = out["Identity"].reshape(39, 5)
    inside = 2 * table[:, :2] / 256 - 1  # from pixels of the cut to [-1, 1]
    return inside @ square.axes().T + square.centre, 1 / (1 + np.exp(-table[:, 3:]))


# %% [markdown]
# Points 33 and 34 are again hips and circle, more exactly. So the second network runs twice, the second time on the square
# that its own points give. At last the 33 points of the body become the 18 joints that the field uses. The *neck* is not
# among the 33: we take the middle of the shoulders. In the list below, every joint is the mean of the points named.

# %% tags=["call"]
names = probes.chosen(me, you)
album = {Path(name).name: probes.album_photo(name) for name in names}
detections = {name: find_person(image) for name, image in album.items()}

# %% tags=["equal"]
# nose, neck; shoulder, elbow, wrist, right and left; hip, knee, ankle; eyes; ears
OF_33 = [0, (11, 12), 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7]
circles, squares = {}, {}
for name, image in album.items():
    circles[name] = hips, rim = detected(image)
    squares[name] = Region(hips, 1.25 * np.linalg.norm(rim - hips), rim - hips)
    squares[name] = squares[name]._replace(up=squares[name].up / np.linalg.norm(rim - hips))
    points, _ = landmarks(image, hips, rim)
    points, scores = landmarks(image, points[33], points[34])
    joints = np.stack([points[np.atleast_1d(n)].mean(0) for n in OF_33])
    there = detections[name].visibility.numpy() > 0
    ours = norm_to_points(detections[name].keypoints, image.shape[-2:]).numpy()
    if detections[name].people == 1:
        np.testing.assert_allclose(joints[there], ours[there], atol=0.01)
        print(f"equal: {there.sum()} of 18 joints lie in the photograph of {name}")

# %% alt="Two portraits, each with a circle around the body and a square around the circle."
figures.draw_search(album, circles, squares)

# %% [markdown]
# *See:* the circle is meant for the *whole* body. In a portrait most of it lies outside the photograph. The network guesses
# where the hips would be, and gives a low score for "inside": such joints are **missing** for us.

# %% alt="Two portraits with skeletons drawn over them; what lies outside of the silhouettes is darker."
figures.draw_attempts(album)

# %% [markdown]
# *See:* orange is the person's own right side, blue their left. A hollow dot is a joint that the network believes to be
# hidden. The silhouette follows hair and clothes.
#
# ## 2. When is nobody there?

# %% [markdown] tags=["predict"]
# **Predict, then look.** You may turn a photograph, show only its upper part, and make it smaller. Which of the three does the
# pose model mind least? And what will happen to a picture that is 20 pixels high?

# %%
from posekit_course.predictions import predict

predict(
    "10 nobody there",
    "What does the pose model mind least?",
    "being turned",
    "being cut",
    "being small",
)

# %% tags=["explore"] alt="A photograph with the skeleton that is found in it; controls turn it, cut it and make it smaller."
search = albums.attempts(names)
search

# %% tags=["move"]
search.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# *See (move the controls):* neither turning nor shrinking to 80 pixels matters much; cutting does. The point on the circle says
# which way is up, so the second network sees everybody upright. 80 pixels are as good as 400: beyond 256 the networks see nothing more, and 80 still show where the limbs are. At 20 pixels,
# or where the head alone is left,
# often nobody is found. Then a sentence comes back that says what to do. But sometimes a whole body is invented, with scores
# near 1.
# Look at the picture, not at the score.
#
# ## 3. From dots to a map
#
# Joints and silhouette are all we have. The rest is notebook 08: the network reads the surface map from them. It was trained on
# rendered people only. It never sees a colour, so it does not matter to it that a photograph looks unlike a rendering.
#
# Before that, the person is **cut out** and **framed**. f and g learnt on people before plain walls, so they get a plain ground,
# and a square in which the person stands as high as rendered people do.

# %% alt="For each photograph: the person cut out on grey, the map in colours, and the part of the texture that it shows."
system = probes.reading_system()
mine = {name: photographed(image, system, name) for name, image in album.items()}
rows = []
for person in mine.values():
    rows.append(
        [
            figures.picture(person.image),
            figures.map_picture(person),
            figures.known_picture(*probes.texture_of(person, 128)),
        ]
    )
figures.grid_of(["cut out and framed", "map", "texels that it shows"], rows, scale=2)

# %% [markdown]
# *See:* the map is that of a bare body. Hair and hats have no map; a collar lies where the neck is.
#
# ## 4. Into another pose

# %% tags=["explore"] alt="A photograph cut out, its map, its texels, the completed texture, the new photograph, and the rendered person who gives the pose."
poses = posed_people(4, seed=seed)
new_pose = albums.new_poses(names, system, poses)
new_pose

# %% tags=["move"]
new_pose.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# *See:* colours and large patterns of the clothes arrive. What no photograph showed is a guess: the legs take the colour of
# something that was seen. Faces are small here and suffer most. (For faces alone there is notebook 09. This notebook works at 128
# pixels, to be quick; the command `posekit transfer me.jpg you.jpg` does the same at 256.)
#
# Two photographs, one new one. The pose is the second person's, and the new person can be put back into that photograph. For
# this the old person is taken out: where only they stood, the nearest pixel of the background is repeated.

# %% alt="Each person in the other's pose, on a plain ground and in the other's photograph."
titles, pictures = [], []
for (name, person), (other, pose) in zip(
    mine.items(), reversed(list(mine.items())), strict=True
):
    made = transfer(person, pose, system, read=False).image
    back = put_back(made[0], pose.mask[0], album[other], detections[other])[None]
    back = F.interpolate(back, (128, 128), mode="bilinear", antialias=True)
    titles += [f"{name}, as", "and put back"]
    pictures += [figures.picture(made), figures.picture(back)]
figures.grid_of(titles, [pictures], scale=2)

# %% [markdown]
# *See:* nobody would take these for photographs. Sleeves, collar and badge are in their places; faces are not. The next section
# finds out which step is to blame.
#
# ## 5. How much is lost at each step?
#
# For your photograph there is no truth. So we take people of whom everything is known, and forget it: rendered people, written
# to disk as JPEG files, with nothing beside them. They are treated as strangers. Then each step can be compared with what it
# should have given.
#
# **Joints** are judged by PCK, the *percentage of correct keypoints*. A joint is correct if it is less than $0.2\,d$ away from
# the true one, where $d$ is the length of the person's torso, from the neck to the middle of the hips. Only joints that are
# known in both count (`seen` is 1).
#
# **Exercise 2: PCK.**


# %% tags=["exercise"]
def pck(guess, truth, seen, torso):
    """guess, truth: (n, 18, 2); seen: (n, 18) of 0 and 1; torso: (n,) -> a share in [0, 1]."""
    # SOLUTION
    # STUB: # How far is each joint from the true one?  How far may it be, for each person?
    apart = (guess - truth).norm(dim=-1)
    near = (apart < 0.2 * torso[:, None]).float()
    return (near * seen).sum() / seen.sum()
    # END SOLUTION


# %% tags=["check"]
checks.check_pck(pck)

# %% [markdown]
# **Outlines** are judged by IoU, *intersection over union*: the pixels of both outlines, divided by those of either.
#
# **Exercise 3: IoU.**


# %% tags=["exercise"]
def iou(a, b):
    """a, b: (h, w) of 0 and 1 -> the pixels of both by those of either."""
    # SOLUTION
    # STUB: # A pixel belongs to either if it belongs to a, or to b, or to both: count it once.
    return (a * b).sum() / torch.maximum(a, b).sum()
    # END SOLUTION


# %% tags=["check"]
checks.check_iou(iou)

# %% tags=["experiment"]
folder = tempfile.TemporaryDirectory()
strangers = probes.strangers(people, Path(folder.name), seed=seed)
pairs, refused = probes.all_steps(strangers, system)
every = [steps for pair in pairs for steps in pair]
print(f"{2 * people} photographs, in {len(refused)} of them nobody is found")
distances = torch.cat([probes.joint_distances(steps) for steps in every])
correct = float((distances[distances.isfinite()] < 0.2).float().mean())
print(f"joints: {correct:.1%} are correct (PCK at 0.2)")
outlines = [probes.overlap(steps.cut.mask, silhouette(steps.exact)) for steps in every]
print(f"silhouettes: IoU {np.mean(outlines):.2f}, the worst {min(outlines):.2f}")
record(pck=round(correct, 4), outline=round(float(np.mean(outlines)), 4))

# %% alt="Strangers with the joints that were found and the true ones as crosses; below them the map that was read, and the exact map."
worst = np.argsort([-probes.joint_distances(steps).nanmean() for steps in every])
figures.draw_joints([every[n] for n in (*worst[:2], *worst[-3:])])

# %% tags=["experiment"]
errors = [map_errors(s.pose.part, s.pose.uv, s.exact.part, s.exact.uv) for s in every]
part, outline, median, ninety = (
    float(torch.cat(values).nanmean()) for values in zip(*errors, strict=True)
)
print(f"maps: part right on {part:.0%} of the body, outline {outline:.2f}, ", end="")
print(f"position off by {median:.2f} texels of 64 (nine of ten below {ninety:.1f})")

# %% [markdown]
# *See:* the two photographs with the largest errors are on the left. The first person is seen from behind and is taken for a
# front: right and left are exchanged in every joint, and so the map is that of a front. No later step can mend this. The second
# person has crossed arms. All maps miss fingers, because the 18 joints end at the wrist, and hair, which has no map.

# %% [markdown] tags=["predict"]
# **Predict, then look.** Three things are estimated: the silhouette of the source, the map of the source, and the
# map of the target. We replace the exact thing by the estimated one, step by step. Which step costs most?

# %%
predict(
    "10 costliest step",
    "Which step costs most?",
    "silhouette",
    "map of the source",
    "map of the target",
)

# %% tags=["experiment"]
ladder, copied = {}, []
for source, target in pairs:
    for name, (one, other) in probes.ladder(source, target).items():
        made = transfer(one, other, system, read=False).image
        ladder.setdefault(name, []).append(probes.error_inside(made, target.exact))
    copied.append(probes.error_inside(source.exact.image, target.exact))
ladder = {name: np.array(values) for name, values in ladder.items()}
for name, values in ladder.items():
    print(f"{name:32} {values.mean():.3f}")
print(f"{'the source as it is':32} {np.mean(copied):.3f}")
record(exact=round(float(ladder["everything exact"].mean()), 4))
record(estimated=round(float(list(ladder.values())[-1].mean()), 4))

# %% alt="Bars of the error after each step: nothing is lost by the silhouette, most by the map of the source."
figures.draw_ladder(ladder, float(np.mean(copied)))

# %%
exact, cut, source_read, all_read = (values.mean() for values in ladder.values())
assert exact < all_read < np.mean(copied), "Estimating costs nothing, or more than copying."
if len(pairs) >= 8:
    assert cut - exact < source_read - cut, "The silhouette costs more than the map."
    assert all_read - source_read < source_read - cut, "The target's map costs most."

# %% [markdown]
# *See:* a rough silhouette costs next to nothing. In this order the map of the source costs most (the target's map was only
# estimated after it). A colour that is read from a wrong pixel lies
# in the texture at a wrong place, and stays wrong in every picture. A wrong map of the target moves right colours by a pixel or
# two.
# And even with everything exact most of the error is still there: that is what f and g have to guess.
#
# ## 6. What you owe the person in the picture
#
# One of the four papers speaks of misuse: Dense Pose Transfer names "the potential malevolent use of this technology" and the
# detection of forged images in its introduction. None has a word on consent. (Three are from 2018 and 2019, the fourth is
# later; conferences ask for such a section today.) Their training pictures are photographs of shop models and of passers-by
# before a supermarket, who were not
# asked either. So here is what a user owes.
#
# - **Ask.** Before you put somebody into a pose they never took, ask them, and say what you will do with the picture. The two who
#   are shown here were not asked. Their portraits are in the public domain, which is a matter of copyright and not of consent;
#   so they are named, shown in ordinary poses, and nothing is claimed about them.
# - **Say that it was made.** A made picture that travels alone is a lie. Write it beside the picture, and into the file.
# - **Know whom it fails.** The surface is that of a studio body with two arms and two legs. Wheelchairs, prostheses, wide clothes
#   and veils are not on it. DeepFashion shows young, slim shop models; what was trained on it, draws those best.
# - **Do not undress.** The map is that of a bare body, and clothes are its colour. The system has no notion of what lies below
#   clothes, and whoever asks it for that gets an invention that harms a real person. Do not do it, and do not help with it.
#
# What `posekit transfer` writes says of itself, in the file, that it was made. Whoever means well leaves it there. Whoever does
# not, saves the picture again, and it is gone. A note helps honest people only.

# %%
first, again = Path(folder.name) / "made.png", Path(folder.name) / "again.jpg"
write_photo(first, made[0], note=MADE)
print("in the file:   ", probes.note_in(first))
write_photo(again, probes.album_photo(str(first)))
print("saved again as:", probes.note_in(again) or "nothing")

# %% [markdown]
# ### Can you tell?
#
# Dense Pose Transfer asked people. They saw 55 real and 55 made pictures, for one second each, and said which was which. Of the
# made ones 17.2 % were taken for real (and 13.1 % of the real ones for made; its Table 2). Here is the same study with our
# strangers. Real is what the studio rendered; made is what the chain made of the other photograph, with everything estimated.
# All are cut out by the same silhouette, or the wall would give the made ones away.

# %% [markdown] tags=["predict"]
# **Predict, then look.** How many of the made pictures will *you* take for real? Write the number down before you start.

# %%
for kind in ("real", "made"):
    (Path(folder.name) / kind).mkdir()
for n, (source, target) in enumerate(pairs):
    new = transfer(source.read, target.pose, system, read=False).image
    on = silhouette(target.exact)
    for kind, image in (("real", target.exact.image), ("made", new)):
        image = image * on + GROUND * (1 - on)
        write_photo(Path(folder.name) / kind / f"{n}.png", image[0])
study, shown, _ = make_study(
    "realism",
    Path(folder.name) / "made",
    real=Path(folder.name) / "real",
    count=len(pairs),
    warm_up=0,
)
panel = StudyPanel(study, shown)
panel

# %% [markdown]
# (The buttons need a running notebook.) Six of the pictures, for readers:

# %% alt="Six pictures in a row, some rendered, some made; rendered ones have sharp patterns and whole hands."
trials = study.trials[:6]
six = [probes.decoded(shown[trial.pictures[0]]) for trial in trials]
figures.grid_of([str(n + 1) for n in range(len(six))], [six])

# %%
print("made:", [n + 1 for n, trial in enumerate(trials) if trial.kinds[0] == "generated"])

# %% [markdown]
# *See:* look at faces, hands and limbs. Faces lose their features, fingers melt, and clothes can end up on the wrong limb; a
# large pattern can survive. At 128
# pixels, and for one second, that is less easy than it sounds.
#
# **Exercise 4 (open).** Write what you would ask a friend to sign before you use their photograph in this notebook, in five
# sentences. Then name one case that your text does not cover. *Points:* one for which pictures are made and who sees them; one for
# where and how long they are kept; one for how to take the agreement back, and what then happens to pictures already made; one
# for a case that is not covered, such as other people in the photograph.
#
# **Exercise 5 (open).** Give the notebook two photographs of your own (parameters `me` and `you`; nothing leaves your computer).
# Which step fails first: joints, silhouette, map, texture or g? Say what you see that tells it, and change the photograph so that
# the step works.
# *Points:* one for the step, with the picture that shows its failure; one for why everything before it is right; one for a
# change of the photograph after which the step works, or for the reason why none helps.
#
# ## Take-away
#
# - A photograph comes with nothing: joints and silhouette are found, the map is read from them, and only then the systems begin.
# - Between a network's square and your photograph lie a scale, a border and half a pixel.
# - Joints outside the photograph are missing, not guessed. Who is not found gets a sentence, not a picture.
# - Steps are measured with people of whom the truth is known, one estimate after the other.
# - A picture that can be made of anybody has to be agreed to by somebody.
#
# ## What the papers say
#
# | the papers | here |
# |---|---|
# | all four take joints or maps from a network (OpenPose, DensePose) and do not measure what its errors cost | section 5 |
# | coordinate-based: "fake" DensePose results from keypoints | sections 1 to 3, for photographs |
# | Dense Pose Transfer, Table 2: shown for one second, 17.2 % of its pictures are taken for real | section 6: the same study, with you as the judge |
# | misuse and detection: half a sentence in one of them; consent: nothing | section 6 |
