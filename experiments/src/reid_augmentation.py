# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Does a person generated in new poses help to recognise that person?
#
# One run of a sweep, after section 4 of the supplementary of *Deformable GANs*: train a small re-identification network
# on few photographs of each person, with or without pictures of the same people in poses of others
# (`posekit augment`), and look for people it has never seen. `posekit sweep experiments/reid.yaml` runs it for
# several generators and seeds.

# %% tags=["parameters"]
generator: str = (
    "texel_fill-mirror"  # weights file, shipped weights or a system without learning; none: no augmentation
)
picture: str = "photograph"  # or flow: the source's own pixels, moved, on grey (one spatial transformation, App. C)
poses: int = 10  # 0..: generated pictures of each training photograph, as in the paper
share: float = 0.5  # 0..1: of generated pictures in a batch
identities: int = 40  # 2..: people to train on; others for every seed
photographs: int = 2  # 1..: of each of them, by different cameras
tested: int = 40  # 2..: people to be found again
height: int = 128  # 32..1024: pixels; photographs are half as wide
backbone: str = "resnet18"  # of torchvision, with random weights, or shufflenet_v2_x0_5
shrink: int = 2  # 1..16: photographs are made this many times smaller for the network
steps: int = 300  # 1..: the same with and without augmentation
verification: float = 0.0  # 0..: weight of "do two photographs show one person?" (discriminative embedding)
begin: int = 0  # 0..: steps on photographs alone before them, in every arm: the rest then is fine-tuning
seed: int = 0  # 0..: of people, poses, weights and batches

# %%
import time

import matplotlib.pyplot as plt
import torch
from posekit_lab.flow_pictures import FlowAlone
from posekit_lab.identifier import features_of, train_identifier
from torch.nn.functional import avg_pool2d

from posekit.data.names import parse_market
from posekit.data.photo import read_photo
from posekit.data.studio import StudioPeople
from posekit.reference import load_system
from posekit.reid.augment import augment, weights_hash
from posekit.reid.metric_learning import kissme, mahalanobis, xqda
from posekit.reid.ranking import Labels, feature_distances, rank_gallery
from posekit.reid.training_folder import RenderedFolder
from posekit.studio.generate import split_of
from posekit.sweeps.recorded import record
from posekit.util.cache import cache_dir

CAMERAS = 6

# %% [markdown]
# People to train on and people to be found are different ones, with different body shapes. Every camera stands in a
# room of its own, so a backdrop says which camera took a photograph, not who is on it.

# %%
of_split = {split: [n for n in range(10**4) if split_of(n) == split] for split in ("train", "test")}
mine = of_split["train"][seed * identities : (seed + 1) * identities]
wanted = {"train": mine, "test": of_split["test"][:tested]}
for split, numbers in wanted.items():
    rendered = StudioPeople(
        numbers, views=CAMERAS, size=(height, height // 2), split=split, rooms="camera", progress=False
    )

apart = CAMERAS // photographs  # so that the cameras of a person differ, and all cameras are seen
shots = [(n, (n + k * apart) % CAMERAS) for n in wanted["train"] for k in range(photographs)]
training = RenderedFolder(rendered.root, shots)
held_out = RenderedFolder(rendered.root, [(n, v) for n in wanted["test"] for v in range(CAMERAS)])
record(arm=generator, training_photographs=len(training))

# %% [markdown]
# The generated pictures are labelled with the identity of the photograph that they come from. They are files, made
# once; a run that is stopped goes on.

# %%
number_of = {who: number for number, who in enumerate(dict.fromkeys(training.identities))}
images = torch.stack([person.image for person in training])
labels = torch.tensor([number_of[who] for who in training.identities])

generated = generated_labels = None
began = time.process_time()
if generator != "none":
    model = load_system(generator)
    if picture == "flow":
        model = FlowAlone(model)
    name = f"{generator.replace('/', '-')}-{picture}-{identities}x{photographs}x{poses}-{height}-seed{seed}-{weights_hash(model)}"
    manifest = augment(model, training, cache_dir() / "reid" / name, poses=poses, seed=seed, weights=generator)
    files = sorted(manifest.parent.glob("[0-9]*.png"))
    generated = torch.stack([read_photo(file) for file in files])
    generated_labels = torch.tensor([number_of[f"{parse_market(file).identity:04d}"] for file in files])
record(generation_seconds=time.process_time() - began, generated=0 if generated is None else len(generated))

# %%
rows = [0, len(training) // 3, 2 * len(training) // 3]
figure, axes = plt.subplots(len(rows), 1 + poses, figsize=(1.1 * (1 + poses), 2.1 * len(rows)), squeeze=False)
for line, row in zip(axes, rows, strict=True):
    own = (
        []
        if generated is None
        else [x for x, f in zip(generated, files, strict=True) if training.names[row][:-4] in f.name]
    )
    for place, image in zip(line, [images[row], *own], strict=False):
        place.imshow(image.permute(1, 2, 0))
    for place in line:
        place.set_axis_off()
figure.suptitle(f"photographs, and what {generator} makes of them" if own else "photographs")
plt.show()

# %% [markdown]
# Training: cross-entropy over the identities, as many steps and pictures a step in every arm.

# %%
began = time.process_time()
small = avg_pool2d(images, shrink)
small_generated = None if generated is None else avg_pool2d(generated, shrink)
how = {"backbone": backbone, "verification": verification, "seed": seed}
begun = train_identifier(small, labels, steps=begin, **how)[0] if begin else None
network, history = train_identifier(
    small,
    labels,
    generated=small_generated,
    generated_labels=generated_labels,
    generated_share=share,
    steps=steps,
    begun=begun,
    **how,
)
record(training_seconds=time.process_time() - began, last_loss=sum(history[-20:]) / len(history[-20:]))

# %% [markdown]
# Every photograph of the people to be found asks, and all are searched; the rule that a photograph of the same person
# by the same camera does not count takes out the photograph itself. Features are compared by their Euclidean distance,
# as in the table of the paper, by two distances that are learnt from the features of the training set, with the generated
# pictures where there are some (KISSME, XQDA), and by the cosine of their angle. Beside the network: coarse pixels, which
# learn nothing.

# %%
searched = torch.stack([person.image for person in held_out])
who = Labels(
    torch.tensor([int(name) for name in held_out.identities]),
    torch.tensor([parse_market(name).camera for name in held_out.names]),
)
learnt, pixels = features_of(network, avg_pool2d(searched, shrink)), avg_pool2d(searched, 8).flatten(1)
known, known_labels = features_of(network, small), labels
cameras = torch.tensor([parse_market(name).camera for name in training.names])
if generated is not None:
    known = torch.cat([known, features_of(network, small_generated)])
    known_labels = torch.cat([labels, generated_labels])
    cameras = torch.cat([cameras, torch.tensor([parse_market(file).camera for file in files])])
distances = {
    "": feature_distances(learnt, learnt, "euclidean"),
    "kissme_": mahalanobis(learnt, learnt, kissme(known, known_labels, cameras, components=32)),
    "xqda_": mahalanobis(learnt, learnt, xqda(known, known_labels, cameras)),
    "cosine_": feature_distances(learnt, learnt, "cosine"),
    "pixels_": feature_distances(pixels, pixels, "euclidean"),
}
for name, between in distances.items():
    ranking = rank_gallery(between, who, who)
    ranks = {f"{name}rank_{k}": ranking.rank(k) for k in (1, 5, 10)}
    record(**ranks, **{f"{name}mAP": ranking.mAP})
record(queries=len(ranking.average_precision))
