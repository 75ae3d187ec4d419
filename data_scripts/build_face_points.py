"""Where on the studio's head the 468 points of the face network lie.

    python data_scripts/build_face_points.py

writes posekit/photo/asset/face_points.npz (point: 468 x 3, decimetres on the mean body).  The network's points come
without a place on any surface.  Here it looks at rendered faces of training people, from the front, whose surface map
says for every pixel which place of the head it shows; a point's place is the median over the faces.  Points in the eyes
and between the lips, which no map covers, are placed by a smooth warp of the mean face through all others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator

from posekit.photo.find_face import find_face
from posekit.studio.body.atlas import load_atlas
from posekit.studio.generate import UV_STEPS, face_direction, make_shot, split_of, to_person
from posekit.util.files import whole_file

ASSET = Path(__file__).parents[1] / "posekit" / "photo" / "asset" / "face_points.npz"
SIZE = 256  # pixels
NEAR_FRONT = 0.985  # cosine between where the face looks and the camera: within 10 degrees
SEEN = 0.5  # share of the faces in which the map has to cover a point
SMOOTH = 1e-3


def look(people: int, views: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 468, 3) places on the mean body, NaN off the map, and (n, 468, 3) points in units of the face's size."""
    atlas = load_atlas()
    position = atlas.image(atlas.texels.position)
    places, shapes = [], []
    for number in (n for n in range(people) if split_of(n) == "train"):
        for view in range(views):
            if face_direction(0, number, view)[2] < NEAR_FRONT:
                continue
            shot = make_shot(0, number, view, SIZE, "face")
            person = to_person(shot, 0, number, view, "face")
            rows, columns = np.nonzero(person.mask[0].numpy())
            centre = columns.mean(), rows.mean()
            points = find_face(person.image, centre, float(rows.max() - rows.min())).points
            x, y = np.rint(points[:, :2]).astype(int).clip(0, SIZE - 1).T
            texel = (shot.uv[y, x].astype(np.float64) / UV_STEPS * atlas.size).astype(int).clip(0, atlas.size - 1)
            on_map = person.mask[0].numpy()[y, x] > 0
            places.append(np.where(on_map[:, None], position[texel[:, 1], texel[:, 0]], np.nan))
            spread = points - points.mean(0)
            shapes.append(spread / np.sqrt((spread**2).sum(1).mean()))
    return np.stack(places), np.stack(shapes)


def place(places: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """(468, 3) places of all points."""
    known = np.isfinite(places[..., 0]).mean(0) >= SEEN
    point = np.full((468, 3), np.nan)
    point[known] = np.nanmedian(places[:, known], 0)
    mean = np.median(shapes, 0)
    warp = RBFInterpolator(mean[known], point[known], smoothing=SMOOTH, kernel="thin_plate_spline")
    point[~known] = warp(mean[~known])
    return point


def main() -> None:
    """Build the table and say how sure it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200, help="numbers considered; 8 of 10 are for training")
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--out", type=Path, default=ASSET)
    args = parser.parse_args()
    places, shapes = look(args.people, args.views)
    point = place(places, shapes)
    off = np.linalg.norm(places - point, axis=-1)
    print(f"{len(places)} faces; a point is off its median by {np.nanmedian(off) * 100:.1f} mm (median)")
    with whole_file(args.out) as path, path.open("wb") as raw:
        np.savez_compressed(raw, point=point.astype(np.float32))


if __name__ == "__main__":
    main()
