"""Build posekit/studio/asset/unfolded.npz: DensePose-like charts of the studio's body.

    python data_scripts/build_unfolded.py [--out FILE]

Takes ten seconds.  DensePose cut the body into 24 parts and flattened torso and limbs by multidimensional scaling of
the distances along the surface; head, hands and feet kept the layout of their model's atlas.  The same here, on the
mean body:

    D: lengths of the shortest ways along the edges of the part's triangles
    B = -1/2 J D^2 J = X L X^T   (J centres),    places in the plane = X_2 sqrt(L_2)
    turned so that V runs along the limb and U around it, mirrored where needed, stretched to the unit square

Of head, hands and feet the largest island fills the chart; texels of small ones (ears, the inside of the mouth, single
texels at a border) get the place of the nearest point of the large one.

Source: R. A. Gueler, N. Neverova, I. Kokkinos, DensePose: Dense Human Pose Estimation In The Wild, section 2.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.ndimage import label
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from posekit.studio.body.atlas import Atlas, load_atlas
from posekit.studio.body.surface_tables import ATLAS_SIZE, part_labels
from posekit.studio.body.unfolded import STEPS

OUT = Path(__file__).parents[1] / "posekit" / "studio" / "asset" / "unfolded.npz"
AS_IN_THE_ATLAS = (3, 4, 5, 6, 23, 24)  # hands, feet, and the halves of the head


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    np.savez_compressed(args.out, chart=build())
    print(f"{args.out}: {args.out.stat().st_size / 1e3:.0f} kB")


def build(size: int = ATLAS_SIZE) -> np.ndarray:
    """(2, size, size) uint16: U and V of every texel of the atlas."""
    atlas = load_atlas(size)
    labels = atlas.part[atlas.valid]
    chart = np.zeros((atlas.n_texels, 2))
    for part in range(1, 25):
        here = labels == part
        chart[here] = _from_atlas(atlas, part) if part in AS_IN_THE_ATLAS else _stretch(_unfold(atlas, here))
    everywhere = np.where(part_labels(size) > 0, atlas.image(chart).transpose(2, 0, 1), 0)
    return np.round(STEPS * everywhere).astype(np.uint16)


def _stretch(places: np.ndarray) -> np.ndarray:
    low, high = places.min(0), places.max(0)
    return (places - low) / (high - low)


def _from_atlas(atlas: Atlas, part: int) -> np.ndarray:
    """Places (n, 2) of the texels of a part whose largest island is kept as it lies in the atlas."""
    mask = (atlas.part == part) & atlas.valid
    islands, _ = label(mask, np.ones((3, 3)))
    island = islands[mask]
    main = island == np.bincount(island).argmax()
    row, column = np.nonzero(mask)
    places = np.stack([column, row], 1).astype(float)
    places[main] = _stretch(places[main])
    points = atlas.texels.position[(atlas.part[atlas.valid] == part)]
    if not main.all():
        _, nearest = cKDTree(points[main]).query(points[~main])
        places[~main] = places[main][nearest]
    return places


def _unfold(atlas: Atlas, here: np.ndarray) -> np.ndarray:
    """Places (n, 2) in the plane of the valid texels ``here`` of one part: U around the limb, V along it."""
    triangles, inverse = np.unique(atlas.triangle[here], return_inverse=True)
    corners = atlas.body.triangles["skin"][triangles]
    vertices, local = np.unique(corners, return_inverse=True)
    local = local.reshape(corners.shape)
    flat = _scale(_distances(atlas.body.mean_vertices[vertices].astype(np.float64), local))
    places = (flat[local[inverse.ravel()]] * atlas.barycentric[here][..., None]).sum(1)
    around, along = atlas.texels.angle[here].astype(np.float64), atlas.texels.along[here].astype(np.float64)
    around = np.angle(np.exp(1j * (around - np.angle(np.exp(1j * around).mean()))))  # no jump at the back
    V = np.linalg.lstsq(places - places.mean(0), along - along.mean(), rcond=None)[0]
    V /= np.linalg.norm(V)
    turned = places @ np.stack([np.array([V[1], -V[0]]), V], 1)
    if np.corrcoef(turned[:, 0], around)[0, 1] < 0:
        turned[:, 0] *= -1
    return turned


def _distances(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(n, n) lengths of the shortest ways along the edges of the triangles."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.unique(np.sort(edges, 1), axis=0)
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    graph = coo_matrix((length, edges.T), shape=(len(points), len(points)))
    distances = dijkstra(graph.tocsr(), directed=False)
    apart = ~np.isfinite(distances)  # a few triangles at the border may hang together with nothing
    straight = np.linalg.norm(points[:, None] - points[None], axis=2)
    return np.where(apart, straight, distances)


def _scale(distances: np.ndarray) -> np.ndarray:
    """Classical multidimensional scaling: (n, 2) places whose distances are nearest to these."""
    squares = distances**2
    B = -0.5 * (squares - squares.mean(0) - squares.mean(1)[:, None] + squares.mean())
    values, vectors = np.linalg.eigh(B)
    return vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0))


if __name__ == "__main__":
    main()
