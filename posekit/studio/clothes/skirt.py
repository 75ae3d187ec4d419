"""Skirts: a closed grid around hips and legs with texture coordinates of its own.

The body asset carries a tube from the waist to the ankles (MakeHuman's skirt helper), with skinning weights that
let it swing between the legs.  A skirt is its upper part, resampled, widened towards the hem and folded.
"""

from functools import cache

import numpy as np
from scipy.ndimage import maximum_filter
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from posekit.studio.base.layers import Layer
from posekit.studio.base.paint import Paint
from posekit.studio.base.palette import contrasting
from posekit.studio.base.ramps import line, smoothstep
from posekit.studio.body.body import Body
from posekit.studio.body.wearer import Wearer
from posekit.studio.clothes.drape import RadiusMap
from posekit.studio.clothes.fabric import Fabric
from posekit.studio.clothes.sheet import GIRTH, Sheet

ROWS = 18  # rows of the resampled grid
TEXTURE = (256, 512)
LENGTHS = {"mini": 0.30, "short": 0.42, "knee": 0.55, "midi": 0.75, "maxi": 0.95}  # share of the way to the ankles
_SHARES = (0.15, 0.30, 0.30, 0.15, 0.10)


@cache
def skirt_grid(body: Body) -> np.ndarray:
    """Vertex ids of the tube as a grid (rows, columns), top row first, columns by angle from the back leftwards.

    Rows are the vertices equally many edges away from the upper rim; columns follow the edges downwards.
    """
    triangles = body.triangles["skirt"]
    ids = np.unique(triangles)
    number = np.full(ids.max() + 1, -1)
    number[ids] = np.arange(len(ids))
    points = body.mean_vertices[ids]
    first, second = np.split(triangles, 2)  # quad i was split into triangle (a, b, c) of the first half and (a, c, d)
    loop = number[np.concatenate([first, second[:, 2:]], axis=1)]  # of the second: go around a, b, c, d
    pairs = np.concatenate([np.stack([loop[:, k], loop[:, (k + 1) % 4]], axis=1) for k in range(4)])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    edges = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ids),) * 2)
    edges = (edges + edges.T).tocsr()
    rim = np.flatnonzero(np.diff(edges.indptr) == 3)
    top = rim[points[rim, 1] > points[:, 1].mean()]
    steps = dijkstra(edges, indices=top, unweighted=True).min(0).astype(int)
    angle = np.arctan2(points[:, 0], points[:, 2] - 0.1)
    grid = [top[np.argsort(angle[top])]]
    for row in range(1, steps.max() + 1):
        below = [edges.indices[edges.indptr[i] : edges.indptr[i + 1]] for i in grid[-1]]
        grid.append(np.array([next(j for j in neighbours if steps[j] == row) for neighbours in below]))
    return ids[np.stack(grid)]


def skirt_top(body: Body) -> float:
    """Height of the tube's upper rim in the mean body, dm."""
    return float(body.mean_vertices[skirt_grid(body)[0], 1].max())


def closed_grid_triangles(rows: int, columns: int) -> np.ndarray:
    """Triangles of a tube of ``rows`` rings with ``columns`` vertices each, (f, 3) int32."""
    ids = np.arange(rows * columns).reshape(rows, columns)
    right = np.roll(ids, -1, axis=1)
    a, b, c, d = ids[:-1], right[:-1], right[1:], ids[1:]
    quads = np.stack([a, b, c, d], axis=-1).reshape(-1, 4)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)


def choose_length(rng: np.random.Generator) -> float:
    """Draw how far down the legs the skirt reaches, as a share of the tube."""
    return float(rng.choice(list(LENGTHS.values()), p=_SHARES))


def add_skirt(wearer: Wearer, rng: np.random.Generator, fabric: Fabric, waist: float, length: float, dress: bool):
    """Append a skirt layer.  fabric: for a dress, that of its bodice.  waist: height in the mean body where the
    pattern starts.  length: share of the tube.  Returns the layer."""
    body, grid = wearer.body, skirt_grid(wearer.body)
    columns = grid.shape[1]
    source = np.linspace(0, (len(grid) - 1) * length, ROWS)
    row = np.minimum(source.astype(int), len(grid) - 2)
    share = (source - row)[:, None, None].astype(np.float32)
    points, weights = wearer.vertices[grid], body.weights[grid]
    tube_height = float(points[0, :, 1].mean() - points[-1, :, 1].mean())
    points = points[row] * (1 - share) + points[row + 1] * share
    weights = weights[row] * (1 - share) + weights[row + 1] * share

    down = np.linspace(0, 1, ROWS)[:, None]
    rest = body.mean_vertices[grid[0]]
    angle = np.arctan2(rest[:, 0], rest[:, 2] - 0.1)[None]
    flare = rng.uniform(0.0, 0.5) if length < 0.8 else rng.uniform(0, 0.25)
    folds, phase, depth = int(rng.integers(5, 14)), rng.uniform(0, 2 * np.pi), 0.025 + 0.06 * rng.random()
    pleated, banded = rng.random() < 0.3, rng.random() < 0.5
    if pleated:
        wave = 0.03 * np.abs(np.sin(18 * angle)) * (0.3 + 0.7 * down)
    else:
        wave = depth * down**1.2 * np.sin(folds * angle + phase + 0.6 * np.sin(2 * angle))
    centre = points.mean(1, keepdims=True)
    widen = 1.06 + 0.05 * dress + flare * down**1.3 + wave
    points = centre + (points - centre) * widen[..., None]

    paint = _paint(wearer, rng, fabric, waist, length * tube_height, banded and dress, pleated, (folds, phase))
    triangles = closed_grid_triangles(ROWS, columns)
    u = np.broadcast_to(angle / (2 * np.pi) + 0.5, (ROWS, columns)).ravel()
    v = np.broadcast_to(down, (ROWS, columns)).ravel()
    uv = np.stack([u[triangles], v[triangles]], axis=-1)
    uv[..., 0] -= np.round(uv[..., 0] - uv[:, :1, 0])  # keep the triangles across the seam in one piece
    layer = Layer(
        name="skirt",
        vertices=points.reshape(-1, 3).astype(np.float32),
        triangles=triangles,
        uv=uv.astype(np.float32),
        texture=paint.texture("cloth", 8.0, wrap=True),
        weights=weights.reshape(-1, weights.shape[-1]).astype(np.float32),
    )
    wearer.layers.append(layer)
    return layer


def clear_of_skirt(wearer: Wearer, vertices: np.ndarray, gap: float = 0.12) -> np.ndarray:
    """Widen the trunk of a shell (n_skin, 3) until it lies ``gap`` dm outside the skirt worn beneath, if any.

    Above the skirt's rim the widening fades out over 0.8 dm.
    """
    skirts = [layer.vertices for layer in wearer.layers if layer.name == "skirt"]
    if not skirts:
        return vertices
    tube = skirts[0]
    rim, low = float(tube[:, 1].max()), float(tube[:, 1].min())
    axis = np.array([tube[:, 0].mean(), 0.0, tube[tube[:, 1] > rim - 0.5, 2].mean()])
    angle, radius = _polar(tube - axis)
    outline = RadiusMap.of_points(angle, tube[:, 1], radius, 36, 24, low, rim + 1e-3)
    outline.radius = maximum_filter(outline.radius, 3, mode=("wrap", "nearest"))
    here = np.flatnonzero(~wearer.atlas.vertices.arm & (vertices[:, 1] < rim + 0.8) & (vertices[:, 1] > low))
    angle, radius = _polar(vertices[here] - axis)
    push = np.maximum(outline(angle, vertices[here, 1]) + gap - radius, 0)
    push *= smoothstep(rim + 0.8 - vertices[here, 1], 0, 0.8)
    outward = (vertices[here] - axis) * (1, 0, 1)
    vertices = vertices.copy()
    vertices[here] += outward * (push / np.maximum(radius, 0.05))[:, None]
    return vertices


def _polar(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.arctan2(points[:, 0], points[:, 2]), np.hypot(points[:, 0], points[:, 2])


def _paint(wearer, rng, fabric, waist, drop, banded, pleated, fold) -> Paint:
    """Colour and relief over the unrolled skirt.  drop: its length, dm.  fold: number and phase of the waves."""
    rows, columns = TEXTURE
    angle = (np.arange(columns) + 0.5) / columns * 2 * np.pi - np.pi
    down = (np.arange(rows) + 0.5) / rows
    angle, down = (a.astype(np.float32) for a in np.meshgrid(angle, down))
    height = waist - down * np.float32(drop)
    position = np.stack([1.5 * np.sin(angle), height, 1.5 * np.cos(angle)], axis=-1)
    sheet = Sheet(angle * np.float32(GIRTH / (2 * np.pi)), height, position, max(drop / rows, GIRTH / columns))
    color, relief = fabric(sheet)
    paint = Paint(color, 0.06, relief)
    edge = (1 - down) * drop
    paint.darken(line(edge - 0.16, 0.02), 0.3)
    paint.darken(smoothstep(0.05 - edge, 0, 0.06), 0.2)
    if banded:
        band = smoothstep(0.25 - down * drop, -0.02, 0.02)
        paint.cover(band, contrasting(rng, color.mean((0, 1))))
        paint.raise_by(0.03 * band)
    broad = wearer.noise.clouds(position, (1.0, 0.35, 1.0), 2)
    paint.raise_by(0.05 * broad)
    if pleated:
        crease = np.abs(np.sin(18 * angle))
        paint.darken(line(crease, 0.25) * smoothstep(down, 0.0, 0.2), 0.22)
    else:
        folds, phase = fold
        wave = np.sin(folds * angle + phase + 0.6 * np.sin(2 * angle))
        paint.darken((0.5 - 0.5 * wave) * smoothstep(down, 0.1, 0.9), 0.16)
    paint.darken(np.clip(0.5 - broad, 0, 1), 0.15)
    return paint
