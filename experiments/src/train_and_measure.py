# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Train a system, measure it
#
# One run of a sweep, for any system: build it, train it on rendered people, measure it on held-out ones, record the
# numbers. `posekit sweep experiments/NAME.yaml` runs it with other parameters and seeds.

# %% tags=["parameters"]
system: str = "coordinate_inpainting"  # name of the system
preset: str = "laptop"  # its preset
variant: str = ""  # one of its ablations; the preset's if empty
overrides: str = "{}"  # other settings, as JSON or YAML
stages: str = ""  # stages to train, separated by commas; all if empty
steps: int = 400  # 0..: of each stage
batch_size: int = 0  # 0..: pairs a step; the preset's if 0
precision: str = "32-true"  # or bf16-mixed
channels_last: bool = False  # memory layout of the networks
people: int = 400  # 20..: numbers considered: 8 of 10 are for training, 1 of 10 for measuring
views: int = 6  # 2..9999: photographs of each
size: int = 0  # 0..2048: pixels along an edge; the system's image_size if 0
kind: str = "body"  # of people: body, face (pairs by the turn of the head), or sides (front, side, back, side)
skirts: str = "legs"  # what the pixels of a skirt show on the map, legs or cloth
poses: str = ""  # all or usual (no arm raised), for training; usual and unseen ones are then measured apart
noise: bool = False  # spoil all maps as an estimator does, for training and for measuring
measure: str = "photographs"  # or "textures": apart for what the source shows and what it hides
measured: int = 120  # 1..: held-out pairs, evenly spread over the held-out people
seed: int = 0  # 0..: of weights and batches; the people are the same for all seeds
device: str = "auto"  # auto, cpu or cuda

# %%
import dataclasses
import time

import matplotlib.pyplot as plt
import torch
import yaml

from posekit.data.atlases import mirror_of
from posekit.data.estimator_noise import EstimatorNoise
from posekit.data.studio import StudioPeople
from posekit.data.studio_faces import StudioFacePairs
from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.joint_error import joint_error
from posekit.evaluation.person_means import person_means_text
from posekit.evaluation.textures import measure_textures
from posekit.person import collate_pairs
from posekit.studio.generate import atlas_of
from posekit.sweeps.recorded import record
from posekit.systems import build
from posekit.systems.base import choose
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions

# %% [markdown]
# The system. Its *arm* is its name and the settings in which it differs from its preset.

# %%
how = {"photographs": evaluate, "textures": measure_textures}[choose("measure", measure, ("photographs", "textures"))]
settings = yaml.safe_load(overrides) | ({"variant": variant} if variant else {})
model = build(system, preset, seed=seed, **settings)
if hasattr(model, "mirror"):
    model.mirror = mirror_of(atlas_of(kind), 128)  # the one baseline that has to know the atlas

own, usual = dataclasses.asdict(model.config), dataclasses.asdict(type(model).PRESETS[preset])
shown = {name: "+".join(value) if name in ("without", "losses") else value for name, value in own.items()}
changed = [f"{name}={shown[name]}" for name in own if own[name] != usual[name]]
data = ([f"poses={poses}"] if poses else []) + ([f"kind={kind}"] if kind != "body" else [])
record(arm=", ".join([system, *changed, *data]))

# %%
size = size or model.size or 128
common = {"people": people, "views": views, "size": size, "progress": False}
common |= {"kind": kind, "skirts": skirts}
spoil = EstimatorNoise() if noise else None
training = StudioPeople(**common, split="train", noise=spoil, poses=poses or "all", **model.training_data)


def some_of(which: str) -> list:
    held_out = StudioPeople(**common, split="val", noise=spoil, poses=which)
    held_out = StudioFacePairs(held_out) if kind == "face" else held_out
    places = torch.linspace(0, len(held_out) - 1, min(measured, len(held_out)))
    return [held_out[round(i)] for i in places.tolist()]


pairs = some_of("usual" if poses else "all")

# %% [markdown]
# Training. A system without stages learns nothing and is measured as it is.

# %%
names = [name.strip() for name in stages.split(",") if name.strip()] or None
began, log = time.perf_counter(), []
if model.stages():
    options = TrainingOptions(
        seed=seed, stages=names, steps=steps, batch_size=batch_size or None, device=device, precision=precision,
        channels_last=channels_last, log_every=max(1, steps // 50), progress=False,
    )  # fmt: skip
    log = fit(model, training, options=options)
record(training_seconds=time.perf_counter() - began)

figure, axes = plt.subplots(figsize=(6, 2.5))
for name in dict.fromkeys(name for entry in log for name in entry["losses"]):
    points = [(entry["total_step"], entry["losses"][name]) for entry in log if name in entry["losses"]]
    axes.plot(*zip(*points, strict=True), label=name)
if log:
    axes.set(xlabel="step", yscale="log", title="Losses")
    axes.legend(frameon=False)
plt.show()

# %% [markdown]
# Measured on people whom the training never saw.

# %%
where = next((str(p.device) for p in model.parameters()), "cpu")
tables = {"": how({system: model}, pairs, device=where, seed=0)}
record(protocol=str(tables[""].protocol))
if poses:
    tables["unseen_poses."] = how({system: model}, some_of("unseen"), device=where, seed=0)
    record(unseen_poses_protocol=str(tables["unseen_poses."].protocol))
for prefix, table in tables.items():
    for row in table.rows:
        record(**{f"{prefix}{row.metric}": float("nan") if row.mean is None else row.mean})
if measure == "photographs" and kind != "face":  # do limbs follow?  of systems that look up where a pixel comes from
    apart = joint_error(model, pairs, device=where)
    record(joint_error=float("nan") if apart is None else apart)
record(by_person=person_means_text(tables, system))  # so that an interval can be over seeds and people
[note for table in tables.values() for note in table.notes]

# %%
batch = collate_pairs(pairs[:: max(1, len(pairs) // 6)][:6]).to(where)
with torch.no_grad():
    result = model(batch)
made = {"source": batch.source.image, "made": result.image, "target": batch.target.image}
if measure == "textures":
    made = {"source": batch.source.image, "T": result.T, "W": result.W, "target": batch.target.image}
figure, axes = plt.subplots(len(made), len(batch.source.image), figsize=(9, 1.5 * len(made)), squeeze=False)
for line, (title, images) in zip(axes, made.items(), strict=True):
    for place, image in zip(line, images.cpu(), strict=True):
        place.imshow(image.clamp(0, 1).permute(1, 2, 0))
        place.set_axis_off()
    line[0].set_title(title, loc="left")
plt.show()
