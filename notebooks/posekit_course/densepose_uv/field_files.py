"""A person's maps and key points, written to files as the field writes them; the library reads such files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from posekit.ops.grids import norm_to_points
from posekit.person import Person


def write_iuv(person: Person, path: Path) -> Path:
    """The IUV picture of one person as DensePose writes it: 8 bits, rounded down; Pillow's channel order is V, U, I."""
    levels = torch.cat([(person.chart * 255).floor(), person.part]).to(torch.uint8)  # U, V, I
    Image.fromarray(levels[[1, 0, 2]].movedim(0, -1).numpy()).save(path)
    return path


def write_smpl_atlas(person: Person, path: Path) -> Path:
    """The map of one person as an array ``h w 2``: 2u - 1 and 1 - 2v of u, v in 0..1 with v up; NaN off the body."""
    u, v_up = (person.uv[0] + 1) / 2, (1 - person.uv[1]) / 2
    array = torch.stack((2 * u - 1, 1 - 2 * v_up), -1)
    array[person.mask[0] <= 0.5] = torch.nan
    np.save(path, array.numpy())
    return path


def write_keypoints(person: Person, path: Path, name: str) -> Path:
    """The key points of one person as the field's table: y first, whole pixels, -1 for what is not seen."""
    points = norm_to_points(person.keypoints, person.size).round().int()
    points[person.visibility == 0] = -1
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, delimiter=":", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(["name", "keypoints_y", "keypoints_x"])
        writer.writerow([name, json.dumps(points[:, 1].tolist()), json.dumps(points[:, 0].tolist())])
    return path
