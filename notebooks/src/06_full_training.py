# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   posekit:
#     warm_up: posekit_course.full_training.figures:prepare_training
#     trains: true
#     timeout: 600
#     quick: {steps: 3, restart_steps: 4, people: 20, leak_people: 12, measured: 4, verdicts: 4}
# ---

# %% [markdown]
# # Full training
#
# *A loss has fallen for hours. Are the pictures better, is the number right, and would it come out again?*
#
# **Objectives.** Afterwards you can
# - run any system of this course from data to table, here or on a GPU, by parameters alone;
# - say what leaks into a test that is split by photograph, and measure it;
# - stop a training at any moment and get, after a restart, the same weights bit for bit;
# - read the losses of a GAN, and say what they do *not* tell;
# - name, for every usual metric, a failure that it does not see;
# - compare systems with intervals, and say of a published claim whether your runs reproduce it.
#
# **Prerequisites.** `03_color_vs_coordinate_inpainting` (stage 1) and `04_deformable_skips` (the network $g$).
# `11_losses_and_metrics`
# builds these losses and judges from nothing.
#
# **Run time.** {{run_time}}.
#
# *The system, drawn. Blue is given, white is data, orange is learnt, green is computed, red is a loss. The letters are explained as
# they come; come back to the drawing then.*
#
# ![The coordinate-based system: C from the source's map, D by f, T and W by looking up, the photograph by g.](images/diagrams/coordinate_inpainting.svg)

# %%
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import Markdown
from posekit_course import checks
from posekit_course.densepose_uv.close_ups import with_close_ups
from posekit_course.full_training import failures, figures, probes
from posekit_course.full_training import widgets as live
from posekit_course.full_training.budget_figures import draw_budget
from posekit_course.full_training.padding import ssim_by_margin
from posekit_course.full_training.padding_figures import draw_padding
from posekit_course.outcomes import expect
from posekit_lab import claims
from posekit_lab.recorded_figures import recorded

# %%
from posekit.data.studio import StudioPeople
from posekit.evaluation.budget import budget
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.regions import regions_of
from posekit.losses.bounded_gan import bounded_discriminator, bounded_generator
from posekit.losses.cross_entropy_gan import (
    cross_entropy_discriminator,
    cross_entropy_generator,
)
from posekit.losses.lsgan import lsgan_discriminator, lsgan_generator
from posekit.metrics.image import ssim
from posekit.metrics.interval import interval_over_people
from posekit.metrics.protocol import Protocol, check_same
from posekit.person import collate_pairs
from posekit.reference import load_reference, reference_log
from posekit.sweeps.recorded import record
from posekit.systems import build
from posekit.training.checkpoint import read_latest
from posekit.training.dry_run import as_table, dry_run
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.training.runlog import logged_minutes, read_log, waited_share
from posekit.util.errors import InputError

# %% tags=["parameters"]
system: str = "coordinate_inpainting"  # or another one: `posekit describe` lists them
preset: str = "laptop"  # or paper: for a GPU
variant: str = ""  # one of the system's ablations; the preset's if empty
overrides: str = "auto"  # other settings, as YAML; auto: 64 pixels for the laptop preset
steps: int = 100  # 0..: of each stage; the preset's if 0
batch_size: int = 0  # 0..: pairs a step; the preset's if 0
people: int = 200  # 20..: numbers considered: 8 of 10 are for training, 1 of 10 is held out
views: int = 4  # 2..9999: photographs of each
seed: int = 0  # 0..: of weights and batches
device: str = "auto"  # auto, cpu or cuda
precision: str = "32-true"  # or bf16-mixed
workers: int = 0  # 0..64: processes that load pairs ahead of the training
ema: float = 0.0  # 0..1: decay of a moving average of the weights (exercise 3), such as 0.999
folder: str = ""  # of the run, which goes on if it holds one; a temporary one if empty
restart_steps: int = 6  # 4..: of each stage, in the experiment that pulls the plug; 4 or more
leak_people: int = 60  # 20..: in the experiment on splits
measured: int = 24  # 4..: held-out pairs in the tables
verdicts: int = 24  # 1..: steps of the discriminator in the experiment on fixed pictures

# %% [markdown]
# ## 1. The plan
#
# This notebook is a program: the cell above holds all that one may want to change, and `papermill` changes it.
#
#     papermill notebooks/06_full_training.ipynb out/run.ipynb -p system deformable_gan
#     papermill notebooks/06_full_training.ipynb out/run.ipynb -p system spatial_transformation \
#         -p overrides "{sigma: 3.0}"
#     papermill notebooks/06_full_training.ipynb out/paper.ipynb -p preset paper -p steps 0 \
#         -p people 2000 -p measured 200 -p device cuda -p precision bf16-mixed \
#         -p workers 8 -p folder out/paper       # a GPU; again: goes on
#
# The paper preset compares features of VGG-16 and VGG-19: `posekit check` says where their files belong. And it first renders its
# people, which the time below does not count.
#
# First ask what will happen, and how long it will take. A *dry run* trains a copy for four steps of each stage,
# measures the last three, and keeps nothing (`posekit train --dry-run` in a terminal).

# %% tags=["call"]
settings = probes.settings_of(system, preset, variant, overrides)
model = build(system, preset, seed=seed, **settings)
size = probes.size_of(model)
common = {"people": people, "views": views, "size": size}
training = StudioPeople(**common, split="train", **model.training_data)
held_out = StudioPeople(**common, split="val")
options = TrainingOptions(
    seed=seed, steps=steps or None, batch_size=batch_size or None, device=device,
    precision=precision,
    workers=workers, ema=ema, progress=False,
)  # fmt: skip
print(as_table(dry_run(model, training, options)))

# %% [markdown]
# ## 2. The data, and what leaks
#
# Every person here has a number, and the number decides: 8 of 10 people are for training, one for validation, one for
# the test. A person, with body and clothes, is on one side only.

# %% alt="Two rows of rendered people: those for training, and others, held out."
sides = {"trained on": training, "held out": held_out}
shown = min(7, len(held_out.numbers))
rows = {
    name: [data.person(i, i % views).image for i in range(shown)]
    for name, data in sides.items()
}
known, unknown = (
    {data.person(i, 0).identity for i in range(len(data.numbers))} for data in sides.values()
)
assert not known & unknown, "A person is on both sides of the split."
print(
    f"{len(training):,} pairs of {len(known)} people; "
    f"{len(held_out):,} pairs of {len(unknown)} others"
)
figures.draw_people(rows)

# %% [markdown]
# Why not simply split the *photographs*? Then other photographs of the tested people are among the training data. Let
# us build the worst student there is: **a memory**. It holds photographs as textures; for a source it looks up the
# most similar one it has seen, and copies from there whatever the source does not show. It can do nothing else.

# %% [markdown] tags=["predict"]
# **Predict, then look.** The same sources, the same targets, memories of the same size. How much smaller is the
# memory's error if the photographs are split, not the people: by some per cent, by a half, to almost nothing?

# %%
from posekit_course.predictions import predict

predict(
    "06 split by photograph",
    "How much smaller is the error if photographs are split?",
    "some per cent",
    "a fifth",
    "a half",
    "almost nothing is left",
)

# %% tags=["experiment"] alt="Lines from the error with people split to the error with photographs split: most fall, by a fifth on average. Right: tested sources and the people that were remembered."
leak = probes.leak(leak_people, size=min(probes.side_of(model), 64), views=views)
by_person, by_photograph = leak.by_person.mean(), leak.by_photograph.mean()
record(
    error_by_person=by_person, error_by_photograph=by_photograph, recognised=leak.recognised
)
gain = leak.by_person - leak.by_photograph
if leak_people >= 60:
    standard_error = gain.std(ddof=1) / len(gain) ** 0.5
    assert by_photograph < 0.9 * by_person, (
        "Splitting the photographs hardly helps the memory."
    )
    assert gain.mean() > 2 * standard_error, "The memory's gain may be chance."
    assert leak.recognised > 0.8, "The memory does not recognise the people."
figures.draw_leak(leak)

# %% [markdown]
# *See:* the memory has learnt nothing about people. It recognises nine of ten (right: people in the order
# of its errors, and below whom it remembered; orange: taken for another), and its error falls by a fifth. A network with
# millions of parameters can do the same, and no loss will show it. **Split by person; and by garment, by video, by
# shop, where one of them comes more than once.**
#
# ## 3. The run
#
# The plan above names the stages. Those of the coordinate-based system: stage 1 trains $f$ alone, on coordinates and
# colours; stage 2 trains $g$ with $f$ frozen, and a discriminator against it. The curve below is drawn *from the log in
# the run's folder*, by a function that sees nothing else. On the side, one held-out pair sits for snapshots.

# %% alt="Losses of the two stages over the steps, on a logarithmic axis, each curve a loss: most fall, those of the GAN stay level."
temporary = tempfile.TemporaryDirectory()  # gone with this kernel
run = Path(folder or Path(temporary.name) / "run")
planned = sum(steps or stage.steps for stage in model.stages())
curve = live.LiveCurve(run, planned).show()
snapshots = probes.Snapshots(held_out[1])
logged = dataclasses.replace(options, log_every=max(1, planned // 60))
log = fit(model, training, run, logged, on_step=probes.call_each(curve, snapshots))
curve.update()
if not snapshots.kept:  # a finished run that was only read
    stage = dataclasses.replace(model.stages()[-1], steps=log[-1]["step"])
    snapshots(model, stage, stage.steps)

# %% alt="One held-out person as the training goes on, stage by stage: the warped texture W and the photograph made, from noise to a person; source and truth beside them."
seconds = np.median([entry["seconds"] for entry in log])
print(
    f"{len(log)} records, median {seconds:.2f} s a step, "
    f"{waited_share(log):.0%} of the time waiting for data"
)
figures.draw_strip(snapshots, scale=max(1, 96 // probes.side_of(model)))

# %% [markdown]
# *See* (the coordinate-based system; others show what they have): the upper row is what the first network alone achieves,
# the texture in the target's pose; the lower row is the photograph that $g$ makes of it. In stage 1 it is noise: nobody
# trains $g$ yet. In stage 2 the outline is there at once, because the map gives it; then the ground, then colours; details last.
#
# ## 4. Pull the plug
#
# Long runs die: of a full disk, a reboot, a time limit. A run here must be *the same run* after a restart, or no
# number of it can be trusted. Below, one training runs undisturbed. A second one, equal in everything, dies in the
# middle of its last stage by an exception, as if the plug were pulled: nothing is saved at that moment. The newest
# checkpoint is older than the crash (here by one step), and the log on the disk is *ahead* of it. Then a third call of `fit`,
# with fresh
# weights of another seed, is pointed at that folder.


# %% tags=["experiment"]
class Unplugged(Exception):
    pass


if restart_steps < 4:
    raise InputError(
        f"restart_steps is 4 or more: a checkpoint lies before the crash; got {restart_steps}."
    )
last = model.stages()[-1].name
every = max(1, restart_steps * 2 // 3)
small = dataclasses.replace(options, steps=restart_steps, log_every=1, checkpoint_every=every)
never = build(system, preset, seed=seed, **settings)
whole = fit(never, training, options=small)

# %% [markdown]
# That one was undisturbed. Now the second one, its crash, and the third.


# %%
def unplug(_, stage, done):
    if stage.name == last and done == min(every + 2, restart_steps - 1):
        raise Unplugged


broken = Path(temporary.name) / "broken"
try:
    fit(build(system, preset, seed=seed, **settings), training, broken, small, on_step=unplug)
except Unplugged:
    on_disk = read_log(broken / "log.jsonl")[1]
saved = read_latest(broken / "checkpoints")[0]["total_step"]
again = build(system, preset, seed=seed + 1, **settings)
fit(again, training, broken, small)
resumed = read_log(broken / "log.jsonl")[1]

# %% [markdown]
# Are the undisturbed run and the restarted one the same?

# %% alt="The loss of a run that was never interrupted, of one that crashed, and of its restart, which drops the lines after the checkpoint and lies on the first again."
assert len(on_disk) > saved, "The log was not ahead of the checkpoint."
one, other = never.state_dict(), again.state_dict()
equal = sum(torch.equal(one[name], other[name]) for name in one)
# a GPU adds up the gradients of warps in no fixed order
if probes.device_of(again).type == "cpu":
    assert equal == len(one), "The restarted run ends with other weights."
    losses, again_losses = (
        [entry["losses"] for entry in entries] for entries in (whole, resumed)
    )
    assert losses == again_losses, "The restarted run wrote other losses into its log."
print(f"died with {len(on_disk)} lines in the log and a checkpoint of step {saved}; ", end="")
print(f"after the restart {len(resumed)} lines, and {equal} of {len(one)} tensors are equal")
loss = next(iter(whole[-1]["losses"]))
figures.draw_restart(whole, on_disk, resumed, loss, saved)

# %% [markdown]
# *See:* the lines of the log that were ahead of the checkpoint are dropped and written again, with the same numbers;
# the curve goes on as if nothing had happened (grey: the undisturbed run). On a CPU all tensors are **equal bit for
# bit** (on a GPU, which adds up some gradients in no fixed order, the line above counts them), though the third call
# began with other weights. For this a checkpoint holds weights, Adam's moments and the states
# of all random number generators, and a batch is a pure function of (seed, stage, step).
#
# ## 5. How to read the losses of a GAN
#
# In this section $D$ is the discriminator (not the map $D$ of the drawing), and $G$ is the network that makes the pictures,
# here $g$. $D$ gives verdicts $d \in [0, 1]$, where 1 means real; a bar is the mean over all verdicts. In the least-squares
# game
# $\;L_D = \overline{(1 - d_{real})^2} + \overline{d_{fake}^2}\,,\quad L_G = \overline{(1 - d_{fake})^2}.$
# If real and generated pictures are equally frequent and $D$ cannot tell them apart, its best verdict is the same $d$
# for all. What is it, and what are the losses then? Scan all verdicts.

# %% tags=["derive"] alt="The loss of D over its verdict for three losses: least squares and cross-entropy have their minimum at one half, the linear one is level."
d = np.linspace(0.001, 0.999, 999)
by_hand = {
    # minimum where 2 d = 2 (1 - d)
    "least squares": ((1 - d) ** 2 + d**2, lambda d: (1 - d) ** 2),
    # where 1 / d = 1 / (1 - d)
    "cross-entropy": (-np.log(d) - np.log(1 - d), lambda d: -np.log(d)),
    "linear": ((1 - d) + d, lambda d: 1 - d),  # nowhere: constant
}
chance = {name: (float(D.min()), float(G(d[D.argmin()]))) for name, (D, G) in by_hand.items()}
figures.draw_chance({name: (d, D, chance[name][1]) for name, (D, _) in by_hand.items()})

# %% tags=["equal"]
half = torch.full((2, 1, 8, 8), 0.5)
library = {
    "least squares": (lsgan_discriminator(half, half), lsgan_generator(half)),
    # logits
    "cross-entropy": (
        cross_entropy_discriminator(0 * half, 0 * half),
        cross_entropy_generator(0 * half),
    ),
}
for name, losses in library.items():
    torch.testing.assert_close(
        torch.stack(losses), torch.tensor(chance[name]), rtol=0, atol=1e-6
    )
    print(f"{name}: D at chance {losses[0]:.4f}, G at chance {losses[1]:.4f}")
for verdict in (0.1, 0.5, 0.9):
    all_alike = torch.full_like(half, verdict)
    # whatever the verdict
    torch.testing.assert_close(bounded_discriminator(all_alike, all_alike), torch.tensor(1.0))
    torch.testing.assert_close(bounded_generator(all_alike), torch.tensor(1 - verdict))

# %% [markdown]
# So look at $D$ first. **0.5** is the best that a $D$ can do that cannot tell (least squares; $2 \ln 2 = 1.386$ with
# cross-entropy). Above it, $D$ has not learnt yet, or is wrong; the nearer to 0, the more surely it tells. The linear game of
# the single spatial transformation, $L_D = \overline{1 - d_{real}} + \overline{d_{fake}}$ and $L_G = \overline{1 - d_{fake}}$,
# has no such landmark for $G$: at chance, $L_G$
# is $1 - d$ for any $d$.
#
# Now a recorded log: stage 2 of the training that made the shipped weights.

# %% [markdown] tags=["predict"]
# **Predict, then look.** In that stage the l1 of the pictures falls by more than half. What does the loss of $G$ do?

# %%
predict(
    "06 loss of G",
    "What does the loss of G do while the pictures improve?",
    "falls",
    "rises",
    "stays",
)

# %% tags=["experiment"] alt="Losses of D and of G over 6,000 steps, both level near chance, and the l1 of the pictures against the loss of G: a cloud without direction."
reference = reference_log("coordinate_inpainting")
reference = [entry for entry in reference if entry["stage"] == "refinement"]
game = [entry["losses"] for entry in reference]
D, G, l1 = (
    np.array([entry[name] for entry in game])
    for name in ("discriminator", "adversarial", "l1")
)
n = len(game) // 10
ends = [(name, x[:n].mean(), x[-n:].mean()) for name, x in (("l1", l1), ("G", G), ("D", D))]
print(", ".join(f"{name} from {first:.3f} to {final:.3f}" for name, first, final in ends))
with_l1, with_D = np.corrcoef(G, l1)[0, 1], np.corrcoef(G, D)[0, 1]
record(correlation_of_G_with_l1=with_l1, correlation_of_G_with_D=with_D)
assert l1[-n:].mean() < 0.5 * l1[:n].mean(), "The pictures do not get much better."
assert abs(G[-n:].mean() / G[:n].mean() - 1) < 0.1, "The loss of G does not stay where it was."
assert abs(with_l1) < 0.25, "The loss of G goes with the l1 of the pictures."
assert with_D < -0.8, "The loss of G is not that of D, upside down."
figures.draw_reading(reference, "l1", chance["least squares"])

# %% [markdown]
# *See:* the pictures get better and better, and **the loss of $G$ stays where it is** (right: it does not depend on the l1).
# Both players learn, so the score stays level. It says how the game stands, and not how good the pictures are.
#
# And the other way round? Hold the pictures fixed, then: the photographs of the shipped $g$, never touched again.
# $D$ alone is trained on them. In the middle it is exchanged for a fresh one.

# %% tags=["experiment"] alt="With pictures that never change the loss of D falls and that of G climbs; both start again with a new D."
teacher = load_reference("coordinate_inpainting")
pairs = figures.held_out_pairs(128, people=max(2, measured // 2))
pairs = [pairs[i * len(pairs) // measured] for i in range(measured)]
fixed = collate_pairs(pairs[:8])
with torch.no_grad():
    result = teacher(fixed)
critics = [build("coordinate_inpainting", seed=seed + n).discriminator for n in range(2)]
game = probes.verdicts_on_fixed(teacher, fixed, result, critics, verdicts)
start, end, new = game[0][1], game[verdicts - 1][1], game[verdicts][1]
record(G_at_first=start, G_judged_by_a_trained_D=end, G_judged_by_a_new_D=new)
print(
    f"loss of G: {start:.3f} at first, {end:.3f} judged by a trained D, {new:.3f} by a new one"
)
if verdicts >= 24:
    expect("the loss of G climbs as D learns", end > 1.1 * start)
    expect("the loss of G falls back with a new D", new < end / 1.1)
figures.draw_verdicts(game, verdicts, chance["least squares"])

# %% [markdown]
# *See:* not a pixel changes, and yet in most runs the loss of $G$ climbs, and falls back at once with a new $D$.
# **A falling loss of $G$ can mean that $D$ got worse.** Judge pictures by held-out pairs, with a metric; better, with
# several.
#
# ## 6. Trained for long
#
# What a long run gives, shipped with this package, beside our run of a minute. First its whole log, drawn by the function
# that drew ours; it knows how long each step took. In the third panel $g$ is trained once more: its first training
# compared features of *random* weights, the second one those of a network that has seen a million photographs.

# %% alt="Losses of three stages over 19,500 steps, on a logarithmic axis: identity, texture and l1 fall, adversarial and discriminator stay level."
try:
    shipped = load_reference(system, preset, variant or "full")
    long = reference_log(system, preset, variant or "full")
except InputError as error:
    print(f"{error}\nThis run stands in for them.")
    shipped, long = model, log
long_name = "this run" if shipped is model else "trained long"
minutes = logged_minutes(long)
figures.draw_curves(long, heading=f"{long[-1]['total_step']:,} steps, {minutes:.0f} minutes")

# %% [markdown]
# Now the tables. The mean over held-out pairs, and in brackets a 95 % interval for the mean over all such people:
# intervals made in this way hold it in about 95 of 100 cases. It is a *bootstrap*: draw as many people again, with
# replacement, each with all of their pairs, 2000 times. (With a dozen people it holds the mean in fewer than 95 of 100 cases, and
# in rows that few pairs enter, `perceptual` is measured on one of four, a narrow interval means nothing.) People and not pairs, for the reason of section 2: two pairs
# of one person are alike. Above a system stands what needs no learning: the source handed back, and colours copied
# from the nearest known texel, or from the other half of the body.

# %%
where = probes.device_of(model)
count = min(measured, len(held_out))
ours = [held_out[round(i)] for i in np.linspace(0, len(held_out) - 1, count)]
how = {"device": where, "perceptual_every": 4}  # the measure that costs most
short_table = evaluate(probes.baselines(model) | {"this run": model}, ours, **how)
print(short_table, "\n")
theirs = pairs if probes.size_of(shipped) == 128 else ours
long_table = evaluate(probes.baselines(shipped) | {long_name: shipped}, theirs, **how)
print(long_table)
if folder:
    print("kept:", short_table.save(run / "evaluation.json"))

# %%
enough = measured >= 24 and system == "coordinate_inpainting" and shipped is not model
given = (steps, batch_size, people, views, overrides, ema)
usual = enough and given == (100, 0, 200, 4, "auto", 0)
copies = ("nearest texel", "mirrored texel")
if usual:
    here = short_table.row("this run", "ssim")
    expect(
        "a minute's training beats the source by SSIM",
        short_table.row("source copied", "ssim").high < here.low,
    )
    for copied in copies:
        expect(
            f"it loses to the {copied} by SSIM",
            here.mean < short_table.row(copied, "ssim").mean,
        )
if enough:
    for copied in copies:
        ahead = (
            long_table.row("trained long", "ms_ssim").mean
            - long_table.row(copied, "ms_ssim").mean
        )
        assert ahead > 0.02, f"By MS-SSIM the long training does not beat the {copied}."

# %% [markdown]
# *See:* after a minute, in most runs, training beats the source by SSIM, and loses to copied texels. The long training
# is ahead of those by SSIM and by MS-SSIM; with so few people three of the four pairs of intervals still overlap.
#
# May one compare tables of pictures of different size? Take the photographs of the shipped coordinate-based system at
# 128 pixels, and measure them again at half the size:

# %%
batch = collate_pairs(pairs)
shown = "coordinate-based"
made = {"source copied": batch.source.image, shown: probes.made_photographs(teacher, pairs)}
truth = batch.target.image
for name, photos in made.items():
    whole, halved = ssim(photos, truth), ssim(F.avg_pool2d(photos, 2), F.avg_pool2d(truth, 2))
    print(f"{name}: SSIM {whole.mean():.3f} at 128 pixels, {halved.mean():.3f} at 64")
    lost = float((whole - halved).mean())
    record(**{f"{name.replace(' ', '_')}_loses_at_half_size": lost})
    if measured >= 24:
        as_said = lost > 0.06 if name == "source copied" else abs(lost) < 0.03
        assert as_said, (
            f"{name}: at half the size SSIM changes by another amount than the text says."
        )
whole = Protocol(size=(128, 128), pairs=len(pairs))
try:
    check_same({"whole": whole, "halved": dataclasses.replace(whole, size=(64, 64))})
except InputError as error:
    print(error)

# %% [markdown]
# *See:* the same pictures, and a tenth of SSIM less for one system, and nothing for the other. **A number without its
# protocol is not a number.** So it is kept with every result, and results of two protocols refuse to be compared.
#
# Size is not all. Papers often paste a narrow photograph into the middle of a white square, and measure that. White
# agrees with white: every window of SSIM there scores 1. Here are the same photographs with more and more white.

# %% alt="A result and the truth, cut, as they are, and padded with white: SSIM rises with the share of white, for the copied source as for the result."
narrow = Protocol(crop=(128, 88))
without, padded = ssim_by_margin(made["source copied"], truth, (0, 64), protocol=narrow).mean(
    1
)
record(ssim_of_the_source_cut=without, ssim_of_the_source_padded=padded)
assert padded > without + 0.25, "White margins do not raise SSIM by much."
draw_padding(made, truth)

# %% [markdown]
# *See:* nothing about the pictures changes, and SSIM rises; that of the *source handed back*, which is another pose,
# by more than 0.3. The dashed lines need only the SSIM of the cut pictures and the share of white pixels. The papers of this
# course differ in size, crop and ground; **do not compare their SSIM across tables.**
#
# One more trap: is the mirrored texel better than the nearest one? Their intervals in the table overlap, and that
# says nothing. Both were measured on the *same* pairs, and some pairs are hard for everyone: take the difference pair
# by pair.

# %%
a, b = (
    np.array(long_table.values[name]["ssim"]) for name in ("mirrored texel", "nearest texel")
)
intervals = [
    interval_over_people(v, long_table.people) or (np.nan, np.nan) for v in (a - b, a, b)
]
low, high = intervals[0]
print(f"SSIM, difference pair by pair: {(a - b).mean():+.4f} [{low:+.4f}, {high:+.4f}]")
wide = np.ptp(intervals, axis=1)
print("width of its interval {:.4f}; of the two single ones {:.4f} and {:.4f}".format(*wide))
if enough:
    assert low > 0, "The interval of the differences holds 0."
    assert wide[0] < 0.6 * min(wide[1:]), "Pair by pair the interval is not much narrower."

# %% alt="Three held-out people: source, nearest texel, mirrored texel, the system trained for long, and the truth; beneath each photograph, head and hand enlarged."
lines = []
for i in np.linspace(0, len(theirs) - 1, min(3, measured)).astype(int):
    pair = theirs[i]
    copied = (
        probes.made_photographs(probes.baselines(shipped)[name], [pair]) for name in copies
    )
    trained = probes.made_photographs(shipped, [pair])
    line = [with_close_ups(pair.source.image, pair.source)]
    images = (*copied, trained, pair.target.image)
    lines.append(line + [with_close_ups(image, pair.target) for image in images])
figures.grid_of(
    ("source", "nearest\ntexel", "mirrored\ntexel", long_name.replace(" ", "\n"), "truth"),
    lines,
)

# %% [markdown]
# (Beneath each photograph its head and its larger hand are enlarged; the place is white where none is seen.)
#
# **Where does the long training lose it?** $f$ paints a texture, the warp carries it into the target's pose, $g$ makes a
# photograph of it. Replace one of these by the truth, and measure again: an *error budget*. The regions are those of
# the target's body: head, hands and the rest; and again, what the source shows and what it hides.
#
# | arm | what is replaced |
# |---|---|
# | D of f | nothing; the map $D$ exactly as $f$ gives it |
# | as it is | nothing; for texels that the source shows, $D$ has their true position, and positions that fall beside the source's body are moved onto it |
# | T of the truth | the texture, wherever the *target* shows it |
# | W of the truth | the warped texture: $g$ is shown the target itself, on the body |
# | W of T | $g$ is left out: the warp, before the true background |
# | W of true T | $g$ is left out, and the texture is the true one: what 128 x 128 texels can carry |

# %% [markdown] tags=["predict"]
# **Predict, then look.** A face came out blurred. Whose fault is it: $f$'s, which did not know the texture; $g$'s,
# which did not pass it on; or that of the resolution?

# %%
predict(
    "06 blurred face", "Whose fault is the blurred face?", "f's", "g's", "the resolution's"
)

# %% tags=["experiment"] alt="Above, one head as six arms make it, and the truth. Below, bars of their errors on head, hands, rest, seen and unseen pixels: lowest without g and with the true texture."
some = collate_pairs(pairs[::3])
regions = regions_of(some)
errors, photographs = {}, {}
for name, arm in budget(teacher).items():
    with torch.no_grad():
        image = arm(some.to(probes.device_of(teacher))).image.cpu()
    off = (image - some.target.image).abs().mean(1, keepdim=True)
    errors[name] = {
        region: float((off * mask).sum() / mask.sum()) for region, mask in regions.items()
    }
    photographs[name] = image
facing = some.target.visibility[:, 0] == 2  # joint 0 is the nose
face = int(
    (regions["head"].sum((1, 2, 3)) * facing).argmax()
)  # the largest face, no back of a head
picked = {name: image[face] for name, image in photographs.items()}
draw_budget(picked, some.target.image[face], regions["head"][face], errors)

# %%
head = {name: own["head"] for name, own in errors.items()}
record(**{f"head_off_{name.replace(' ', '_')}": value for name, value in head.items()})
assert head["W of true T"] < 0.3 * head["W of T"], "128 texels cannot carry a head."
if enough:
    assert head["W of the truth"] > 2 * head["W of true T"], "g passes the head on unharmed."
    assert errors["as it is"]["seen"] < errors["as it is"]["unseen"], (
        "What has to be invented is no farther off than what was seen."
    )

# %% [markdown]
# *See:* for head and hands the last bar is nearly nothing: there **the resolution is not to blame** (on the rest it is about a
# third of the error). Compare *W of the truth* with it: $g$ is *shown* the true head, and hands on something else. Much is lost
# there, by a network of 0.4 million parameters (the paper's has 11 million). By these eight pairs *W of T*, without $g$, is off by
# as much; by 120 pairs ([the measurements](../docs/measurements.md)) a head is off by less without $g$ than with it. Eight are
# few. Then compare *as it is* with *D of f*: $f$ repeats roughly what it was shown, and it
# pays to put what is known in its place. What the source hides is farther off than what it shows, wherever something has to be
# guessed.
#
# ## 7. Which metric sees which failure?
#
# Take true photographs, spoil them in one known way at a time, and ask every metric. To compare metrics, count in one unit:
# the **shift by one pixel** to the right. Nobody sees it. A metric that finds a failure *less* bad than that is
# **blind** to it. What is counted is *badness*: 1 - SSIM; of the sharpness ratio (`gradient_energy_ratio` of the tables)
# how many times it is doubled or halved; the other metrics as they are. l1 at 32 compares both pictures averaged down to 32 x
# 32 pixels; the sliced Wasserstein distance compares *which* patches there are, wherever they are (notebook 03).

# %% alt="A true photograph, spoilt in known ways: shifted, blurred, tinted, with a pattern, noise, shuffled tiles, missing hands, another person, mirrored, and more."
spoilt = failures.Failures(batch)
k = min(15, len(pairs) - 1)  # the pair in the pictures
gallery = [("truth", truth[k]), *((name, spoilt.spoil(name)[k]) for name in failures.FAILURES)]
figures.montage([*gallery, (shown, made[shown][k])], 5)

# %% [markdown] tags=["predict"]
# **Predict, then look.** Eleven failures and a harmless shift. Which failure does SSIM find worst? Which does it not see at
# all? And is there a failure that *no* metric sees?

# %%
predict("06 unseen by all", "Is there a failure that no metric sees?", "yes", "no")

# %% tags=["experiment"] alt="A table in colours: how bad eleven failures are to six metrics, in units of a shift by one pixel; grey where a metric is blind."
bad = failures.bad_by_metric(spoilt, {shown: made[shown]})
names, kinds, table = failures.beside_harmless(bad)
score = {
    name: dict(zip(kinds, line, strict=True)) for name, line in zip(names, table, strict=True)
}
blind = {kind: [name for name in names if score[name][kind] < 1] for kind in kinds}
for kind, seen_not in blind.items():
    record(**{f"{kind}_is_blind_to": ", ".join(seen_not)})
for failure, metric in failures.caught_by(names, kinds, table).items():
    print(f"{failure:22} found worst by {metric}")
figures.draw_failures(names, kinds, table)

# %% [markdown]
# *See* (badness in units of the shift):
#
# - **SSIM and MS-SSIM do not see the colour cast**; l1 does, more clearly at 32 pixels, and the Wasserstein distance finds it
#   worst.
# - **SSIM is afraid of noise**: a faint checkerboard, 5 %, is worse to it than the *source handed back*, which is
#   another pose altogether. l1 at 32 pixels does not see the pattern at all.
# - **A blur costs l1, SSIM and MS-SSIM hardly more than a shift by a pixel.** Only the sharpness ratio and the
#   Wasserstein distance protest: a table of the usual three does not tell a blurred picture.
# - To SSIM the photographs of the trained system are about as good as *the truth, moved by one pixel*. To MS-SSIM and
#   the Wasserstein distance they are not.
# - The sharpness ratio does not see a mirrored person, another photo behind or a colour cast: all are as crisp as the truth.
# - **Missing hands are below everyone's threshold**: a hundredth of the picture, and the first thing that you look at.
#
# No metric is enough, but only the missing hands escape all six. So: report several, and look at pictures.
#
# **Pick a failure, and make it weaker.** At which strength does each metric stop seeing it?

# %% tags=["explore"] alt="The truth, the photograph spoilt by the chosen failure, their difference, and bars for what six metrics make of it."
panel = live.failure(batch, k)
panel

# %% tags=["move"]
panel.move()  # every control once: a figure that breaks, breaks here

# %% [markdown]
# ## 8. Ablation tables: is it so?
#
# One run proves little. A *sweep* runs one notebook over variants and seeds (`posekit sweep experiments/NAME.yaml`),
# and its table is kept. Here are the four variants of the coordinate-based system, a dot for each seed, beside the
# numbers of its Table 2; notebooks 03 to 05 show other sweeps.

# %% alt="SSIM, MS-SSIM, l1 and sharpness of four variants, a dot for each seed, beside the paper's figures: full is best, without textures is worst."
paper = {"ssim": (0.791, 0.797, 0.797, 0.796), "ms_ssim": (0.810, 0.815, 0.818, 0.812)}
sweep = recorded("refinement_variants")
if sweep is None:
    print("None are kept here; posekit sweep experiments/refinement_variants.yaml makes them.")
else:
    full, *others = sweep.values
    for metric, printed in paper.items():
        for other, theirs in zip(others, printed[1:], strict=True):
            here = sweep.difference(metric, full, other)
            print(
                f"{metric:8} full - {other:12} in print {printed[0] - theirs:+.3f}, ", end=""
            )
            print(f"here {here} {here.reading}")
            reading = "undecided" if other == "no_deform" else "higher"
            assert here.reading == reading, (
                f"{metric} of {other}: another reading than the text's."
            )
figures.draw_recorded("refinement_variants", paper)

# %% [markdown]
# *See:* by SSIM and MS-SSIM the whole system (left in every panel) is the *worst* of four in print, by thousandths. The
# paper rests its case on LPIPS, the Inception score and a user study (62.7 % against RGB inpainting), where the whole system is
# ahead. Here (where results are kept) it is the best: ahead of
# *rgb* and *no_textures* at every seed, by intervals that leave out 0; of *no_deform* by so little that the interval holds 0. LPIPS is not here; by the
# perceptual distance, which stands in for it, the whole system is ahead of *rgb* and *no_textures*, too. And our surface maps are exact, theirs estimated; whether that makes the difference
# was not tried.
#
# And here are the papers' claims, each with the verdict of these sweeps. All runs share their people, those of one seed the
# order of the pairs; they are compared seed by seed. So an interval says nothing of *other people*. It is the mean, plus or minus
# $t$ times its standard error; for three seeds $t = 4.3$. **Reproduced**: the 95 % interval of the difference lies on the
# paper's side of 0. **Not reproduced**: it lies on the other side. **No difference**: it lies so
# near to 0, on either side, that nobody would see the difference; how near, the last line below the table says. **Undecided**:
# it holds 0, and more. **Not
# measured**, **not run**: the number or the runs are missing here. Three seeds make a wide interval:
# "undecided" then means *run more seeds*, not *no effect*. The column *together*: of 80 differences that are nothing, four would
# look decided at 95 %. Holm's rule asks the more of each, the more are tested; "no": this one does not stand when all count. `python -m posekit_lab.experiments claims`
# writes the table anew.

# %%
judged = claims.judge_all()
record(**{name.replace(" ", "_"): n for name, n in claims.count(judged).items()})
Markdown(claims.claims_table(judged))

# %% [markdown]
# Ours are small: 64 or 128 pixels, rendered people, minutes of training, and in many runs features with random weights. A claim
# that
# is reproduced here holds under these conditions too. One that is not may still hold where the paper tried it.
#
# ## 9. Exercises
#
# **Exercise 1: the least-squares game.** Both losses from the verdicts.


# %% tags=["exercise"]
def lsgan(real, fake):
    """real, fake: verdicts of D on real, on generated patches -> (loss of D, loss of G)."""
    # SOLUTION
    # STUB: # D wants 1 for real patches and 0 for generated ones; G wants 1 for its own.
    # STUB: # Means of squares.
    return ((1 - real) ** 2).mean() + (fake**2).mean(), ((1 - fake) ** 2).mean()
    # END SOLUTION


# %% tags=["check"]
checks.check_lsgan(lsgan)

# %% [markdown]
# **Exercise 2: an honest interval.** Two systems, measured on the same pairs; a person has several. Resample *people*:
# whoever is drawn comes with all of their pairs, and whoever is drawn twice comes twice. People have different numbers
# of pairs. The resamples are drawn already. (Where a quantile lies between two numbers, any usual rule is right.)


# %% tags=["exercise"]
def paired_interval(a, b, person, draws):
    """a, b (n,): a metric of two systems; person (n,): whom each pair shows, 0 ... p - 1;
    draws (r, p): drawn people.

    -> the 95 % interval (2,) of the mean difference a - b over pairs.
    """
    # SOLUTION
    # STUB: # 1. The sum of the differences of each person, and the number of their pairs.
    # STUB: # 2. For each resample: all sums of its people, over all of their pairs.
    # STUB: # 3. The two quantiles that leave 95 % between them.
    people = F.one_hot(person, draws.shape[1]).to(a)  # n p
    total, count = (a - b) @ people, people.sum(0)
    means = total[draws].sum(1) / count[draws].sum(1)
    return means.quantile(torch.tensor([0.025, 0.975]))
    # END SOLUTION


# %% tags=["check"]
checks.check_paired_interval(paired_interval)

# %% [markdown]
# **Exercise 3: a moving average of weights.** An average over steps moves less than what it averages, and a GAN's
# networks move to the end. `TrainingOptions(ema=0.999)` keeps one; `-p ema 0.999` runs this notebook with it.


# %% tags=["exercise"]
def ema(weights, decay):
    """weights (steps, n), a row after every step -> (n,), the average after the last.

    It starts at the first row.
    """
    # SOLUTION
    # STUB: # average <- decay * average + (1 - decay) * weights
    average = weights[0]
    for row in weights[1:]:
        average = decay * average + (1 - decay) * row
    return average
    # END SOLUTION


# %% tags=["check"]
checks.check_ema(ema)

# %% [markdown]
# ## Take-away
#
# - Split by person. A memory that only recognises people looks like a model under any other split.
# - A checkpoint is complete if the restarted run cannot be told from the undisturbed one. Test it bit for bit.
# - Read $D$ first: 0.5 is the best it can do by chance. The loss of $G$ is a score in a game whose other player changes.
# - Every metric is blind somewhere: SSIM to a colour cast, l1 at 32 pixels to a fine pattern, the sharpness ratio to a
#   mirrored person, all of them to missing hands.
# - Size, crop and white margins can move SSIM by 0.1 to more than 0.3; the four variants of the paper's Table 2 differ by
#   0.006. The
#   protocol is part of the number.
# - Compare pair by pair and seed by seed, with an interval over people or seeds. If it holds 0, say "undecided"; if it lies within
#   a margin that was named before, say "no difference".
#
# ## What the papers say
#
# | the papers | here |
# |---|---|
# | *Coordinate-based*: SSIM, MS-SSIM and IS are "much less adequate judgements" than users' | section 7: what each does not see |
# | its Table 2: by SSIM the whole system is the worst of four variants, by LPIPS the best | section 8 |
# | its supplementary: least-squares GAN with sigmoid verdicts | section 5: 0.5 and 0.25 at chance |
# | *Single transformation*: 300 epochs, the GAN after 100; its game is linear | the plan with `-p system spatial_transformation` |
# | *Deformable GANs*, supplementary: quality grows from Baseline to DSC to PercLoss to Full | section 8 |
