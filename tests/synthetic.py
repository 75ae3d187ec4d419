"""Pairs for tests, made from torch alone: an elliptical body with a smooth surface map and a smooth coloured texture.

The exact relation that real pairs have holds here too: a texel has one colour, in whichever photograph it is seen.
"""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from posekit.data.inspection.sides import WINDING
from posekit.data.names import DeepFashionName, MarketName
from posekit.ops.grids import identity_grid, norm_to_points
from posekit.person import Pair, Person, collate_pairs


def texture_colors(uv: torch.Tensor, identity: int) -> torch.Tensor:
    """Colours ``3 h w`` in [0, 1] of the surface positions ``2 h w``: a few waves, different for each identity."""
    generator = torch.Generator().manual_seed(identity)
    waves = torch.randn(3, 4, 2, generator=generator) * 3
    phases = torch.rand(3, 4, generator=generator) * 2 * math.pi
    angle = torch.einsum("ckd,dhw->ckhw", waves, uv) + phases[..., None, None]
    return 0.5 + 0.45 * torch.sin(angle).mean(1)


def make_person(identity: int, view: int, size: int = 64) -> Person:
    """One photograph; views differ in place, turn, scale and in the part of the surface that is seen."""
    generator = torch.Generator().manual_seed(1000 * identity + view)
    cx, cy, turn, scale, seen = (torch.rand(5, generator=generator) * 2 - 1).tolist()
    x, y = identity_grid(size, size)
    x, y = x - 0.15 * cx, y - 0.1 * cy
    c, s = math.cos(0.5 * turn), math.sin(0.5 * turn)
    p = torch.stack([c * x - s * y, s * x + c * y]) / (0.75 + 0.08 * scale)  # position on the unit disc
    mask = ((p[0] / 0.7) ** 2 + p[1] ** 2 < 1).float()[None]
    # the surface turns with the view: u slides, and bends a little
    uv = torch.stack([0.6 * p[0] + 0.35 * seen + 0.05 * torch.sin(3 * p[1]), 0.85 * p[1]]) * mask
    background = 0.7 + 0.1 * torch.stack([x, y, x * y])
    image = torch.where(mask > 0, texture_colors(uv, identity), background).clamp(0, 1)
    return Person(image=image, uv=uv, mask=mask, identity=f"{identity}", name=f"{identity}_{view}")


def disc_person(seed: int = 0, size: int = 32) -> Person:
    """A batch of one: random colours, the identity as the surface map of a disc, 18 joints at random places in it."""
    generator = torch.Generator().manual_seed(seed)
    x = identity_grid(size, size)[None]
    mask = (x.square().sum(1, keepdim=True) < 0.6).float()
    colors = torch.rand(1, 3, 8, 8, generator=generator)
    image = torch.nn.functional.interpolate(colors, (size, size), mode="bilinear")
    keypoints = 1.2 * torch.rand(1, 18, 2, generator=generator) - 0.6
    return Person(image, x * mask, mask, keypoints=keypoints, visibility=torch.full((1, 18), 2),
                  identity=("a",), name=("a",))  # fmt: skip


def with_charts(person: Person) -> Person:
    """The same photograph with four of the 24 parts: the quadrants of its surface map, each with its own (U, V)."""
    right, down = (person.uv > 0).long().unbind(-3)
    part = (1 + right + 2 * down).unsqueeze(-3) * (person.mask > 0)
    chart = (person.uv + 1 - torch.stack([right, down], -3)).clamp(0, 1) * person.mask
    return dataclasses.replace(person, part=part, chart=chart)


def chart_batch(n: int = 2, size: int = 64, neighbours: int = 0) -> Pair:
    """As `make_batch`, with charts; more views of each identity as neighbours."""
    people = [[with_charts(make_person(i, view, size)) for view in range(2 + neighbours)] for i in range(n)]
    return collate_pairs([Pair(views[0], views[1], tuple(views[2:])) for views in people])


def make_pair(identity: int = 0, size: int = 64) -> Pair:
    """View 0 of an identity as the source, view 1 as the target."""
    return Pair(make_person(identity, 0, size), make_person(identity, 1, size))


def make_batch(n: int = 2, size: int = 64) -> Pair:
    """A batch of the first ``n`` pairs."""
    return collate_pairs([make_pair(i, size) for i in range(n)])


def with_joints(person: Person, seed: int = 0) -> Person:
    """The same photograph with the parts of `with_charts`, and 18 joints at random places of it."""
    generator = torch.Generator().manual_seed(seed)
    joints = 1.2 * torch.rand(*person.image.shape[:-3], 18, 2, generator=generator) - 0.6
    visibility = torch.full(joints.shape[:-1], 2)
    return dataclasses.replace(with_charts(person), keypoints=joints, visibility=visibility)


_BOXES = {  # part: top, bottom, left, right, of a picture of 100 x 80; seen from the front, the person's right is left
    23: (4, 20, 32, 40), 24: (4, 20, 40, 48), 2: (20, 52, 28, 52), 16: (22, 38, 16, 28), 17: (22, 38, 52, 64),
    20: (38, 54, 14, 26), 21: (38, 54, 54, 66), 9: (52, 90, 30, 40), 10: (52, 90, 40, 50),
}  # fmt: skip


def densepose_channels(order: str = "VUI") -> np.ndarray:
    """A made-up DensePose picture ``300 240 3`` of somebody from the front: a box a part, winding as DensePose."""
    planes = np.zeros((3, 300, 240), np.uint8)  # I, U, V
    for part, box in _BOXES.items():
        top, bottom, left, right = (3 * side for side in box)
        x, y = np.meshgrid(np.linspace(20, 235, right - left), np.linspace(20, 235, bottom - top))
        planes[:, top:bottom, left:right] = np.stack([np.full_like(x, part), x, y if WINDING[part] > 0 else 255 - y])
    return np.stack([planes["IUV".index(letter)] for letter in order], -1)


class SyntheticPairs:
    """A sequence of ``n`` pairs, as a dataset is."""

    def __init__(self, n: int = 8, size: int = 64):
        self.n, self.size = n, size

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Pair:
        if not 0 <= i < self.n:
            raise IndexError(i)
        return make_pair(i, self.size)

    def describe(self) -> dict:
        return {"dataset": "SyntheticPairs", "n": self.n, "size": self.size}


TINY = {
    "image_size": 40, "atlas_size": 40, "f_width": 4, "g_width": 4, "features": "random", "feature_width": 4,
    "batch_size": 2, "paste_known": False, "on_body": False, "map_size": 64, "map_width": 2, "map_batch": 2,
}  # fmt: skip
TINY_DENSE_POSE = {  # of Dense Pose Transfer
    "image_size": 40, "chart_size": 32, "width": 4, "part_width": 2, "context": 4, "pooled": 1, "blend_width": 4,
    "d_width": 4, "features": "random", "feature_width": 4, "batch_size": 2,
}  # fmt: skip


def field_folder(
    root: Path,
    *,
    people: int = 3,
    views: int = 2,
    size: int = 48,
    spelling: str = "fasion",
    maps: str | None = "iuv",
    joints: bool = True,
    inside: str = "train",
) -> list[str]:
    """Write photographs, maps and joints of made-up people as the field's data sets lie on a disk; their names.

    ``inside/NAME``, ``NAME_IUV.png`` or ``NAME.npy`` beside it, ``fasion-annotation-INSIDE.csv``.  Other spellings than
    "market" are those of `posekit.data.names`; "slash" makes folders.
    """
    names, lines = [], ["name:keypoints_y:keypoints_x"]
    for n in range(people):
        for view in range(views):
            person = with_joints(make_person(n, view, size), seed=10 * n + view)
            if spelling == "market":
                name = MarketName(n + 1, view + 1, 1, view, 0).spell()
            else:
                name = DeepFashionName("WOMEN", "Tees_Tanks", 100 + n, 1, view + 1, "front").spell(spelling)
            place = root / inside / name
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(_bytes(person.image)).save(place, format="PNG")
            if maps == "iuv":
                planes = torch.cat([person.chart.flip(0), person.part / 255])  # V, U, I
                Image.fromarray(_bytes(planes)).save(place.with_name(f"{place.stem}_IUV.png"))
            elif maps == "npy":
                array = torch.where(person.mask > 0, person.uv, torch.nan).permute(1, 2, 0).numpy()
                np.save(place.with_suffix(".npy"), array)
            x, y = ((norm_to_points(person.keypoints, (size, size)).round().long())[:, k].tolist() for k in (0, 1))
            lines.append(f"{name}: {y}: {x}")
            names.append(name)
    if joints:
        (root / f"fasion-annotation-{inside}.csv").write_text("\n".join(lines))
    return names


def _bytes(planes: torch.Tensor) -> np.ndarray:
    return (planes * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def mvc_folder(root: Path, items: int = 3, views: int = 4, size: tuple[int, int] = (28, 24)) -> list[str]:
    """Write a made-up MVC: lists and photographs (height, width) as they come; their names."""
    (root / "image_data").mkdir(parents=True)
    labels, info = [], []
    for item in range(items):
        for view in range(views):
            name = f"{1000 + item}-p{view}"
            colours = np.full((*size, 3), 40 * item + 9 * view, np.uint8)
            Image.fromarray(colours).save(root / "image_data" / f"{name}.jpg")
            labels.append({"filename": name, "itemN": float(item), "white": 0})
            info.append({"viewId": view, "productId": 1000 + item, "category": '"Shirts & Tops"'})
    (root / "attribute_labels.json").write_text(json.dumps(labels))
    (root / "mvc_info.json").write_text(json.dumps(info))
    return [label["filename"] for label in labels]


def in_shop_folder(root: Path, people: int = 3, views: int = 3, size: tuple[int, int] = (256, 256)) -> list[str]:
    """Write a made-up DeepFashion In-shop: ``img/WOMEN/...`` and the list of its partition; names from img/ on."""
    names = []
    for n in range(people):
        for view in range(views):
            category = ("Tees_Tanks", "Dresses")[n % 2]
            name = DeepFashionName("WOMEN", category, 7 + n, 1, view + 1, "front").spell("slash")
            place = root / "img" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((*size, 3), 60 + 30 * n + view, np.uint8)).save(place)
            names.append(name)
    (root / "Eval").mkdir()
    rows = [f"img/{name}   id_{7 + k // views:08d}   train" for k, name in enumerate(names)]
    header = [str(len(names)), "image_name item_id evaluation_status"]
    (root / "Eval" / "list_eval_partition.txt").write_text("\n".join([*header, *rows]) + "\n")
    return names


def market_folder(root: Path, people: int = 3, views: int = 2) -> list[str]:
    """Write a made-up Market-1501 with junk and distractors; the names of people in its training folder."""
    names = []
    for folder, first in (("bounding_box_train", 2), ("bounding_box_test", 1001), ("query", 1001)):
        (root / folder).mkdir(parents=True)
        own = [MarketName(first + n, view + 1, 1, 151, 1).spell() for n in range(people) for view in range(views)]
        others = [MarketName(-1, 1, 1, 401, 3).spell(), MarketName(0, 1, 1, 151, 1).spell()]
        for name in (*own, *(others if folder == "bounding_box_test" else [])):
            Image.new("RGB", (64, 128), (90, 60, 30)).save(root / folder / name)
        (root / folder / "Thumbs.db").write_bytes(b"\0")
        names += own if folder == "bounding_box_train" else []
    return names


def face_videos(root: Path, videos: int = 2, frames: int = 13) -> None:
    """Write a made-up 300-VW: folders by numbers with points, and where the video would be, bytes."""
    for number in range(1, videos + 1):
        points = root / f"{number:03d}" / "annot"
        points.mkdir(parents=True)
        (points.parent / "vid.avi").write_bytes(b"RIFF1234AVI ")
        for frame in range(1, frames + 1):
            rows = "\n".join(f"{100 + k}.5 {90 + k}.25" for k in range(68))
            (points / f"{frame:06d}.pts").write_text(f"version: 1\nn_points:  68\n{{\n{rows}\n}}\n")
