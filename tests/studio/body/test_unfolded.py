"""Charts as DensePose has them: the file is what the script builds, and the charts are maps of the surface."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from posekit.studio.body.atlas import load_atlas
from posekit.studio.body.surface_tables import ATLAS_SIZE, part_labels
from posekit.studio.body.unfolded import STEPS, chart_at, unfolded

SCRIPT = Path(__file__).parents[3] / "data_scripts" / "build_unfolded.py"
FLAT = (1, 2, *range(7, 23))  # torso and limbs, which are unfolded


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("build_unfolded", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def texels():
    """Part, (U, V) and place in dm of every valid texel of the atlas."""
    atlas = load_atlas(ATLAS_SIZE)
    return part_labels()[atlas.valid], unfolded()[:, atlas.valid].T, atlas.texels


def test_the_file_is_what_the_script_builds(script):
    """But for signs and rounding, which another linear algebra may choose otherwise."""
    built = script.build().astype(float) / STEPS
    off = np.abs(built - unfolded())
    assert np.quantile(off, 0.999) < 1e-3


def test_scaling_finds_a_plane_again(script):
    """Distances of points in a plane: the places come back, but for a turn and a mirror."""
    places = np.random.default_rng(0).normal(size=(40, 2))
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    again = script._scale(distances)
    np.testing.assert_allclose(np.linalg.norm(again[:, None] - again[None], axis=2), distances, atol=1e-8)


def test_ways_go_along_the_edges(script):
    """A square of two triangles: across the diagonal that is an edge, around where it is none."""
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    distances = script._distances(points, np.array([[0, 1, 2], [0, 2, 3]]))
    assert distances[0, 2] == pytest.approx(2**0.5)
    assert distances[1, 3] == pytest.approx(2)


@pytest.mark.parametrize("part", range(1, 25))
def test_a_chart_fills_its_square_and_no_place_lies_on_another(texels, part):
    labels, chart, places = texels
    here = labels == part
    U, V = chart[here].T
    assert min(U.min(), V.min()) == 0
    assert max(U.max(), V.max()) == 1
    cell = np.round(U * 63).astype(int) * 64 + np.round(V * 63).astype(int)
    position = places.position[here]
    order = np.argsort(cell)
    _, first = np.unique(cell[order], return_index=True)
    low, high = (f.reduceat(position[order], first) for f in (np.minimum, np.maximum))
    assert np.quantile((high - low).max(1), 0.99) < (0.25 if part in FLAT else 1.0), "dm: a cell is one place"


@pytest.mark.parametrize("part", FLAT)
def test_v_runs_along_the_limb_and_u_around_it(texels, part):
    labels, chart, places = texels
    here = labels == part
    along, angle = places.along[here], places.angle[here]
    angle = np.angle(np.exp(1j * (angle - np.angle(np.exp(1j * angle.astype(float)).mean()))))
    assert np.corrcoef(chart[here, 1], along)[0, 1] > 0.9
    assert np.corrcoef(chart[here, 0], angle)[0, 1] > 0.6


def test_lengths_are_kept_where_the_surface_can_be_flattened(texels):
    """A step in the chart is a step on the skin, nearly the same everywhere in a part: what scaling is for."""
    atlas = load_atlas(ATLAS_SIZE)
    position = np.zeros((ATLAS_SIZE, ATLAS_SIZE, 3))
    position[atlas.valid] = atlas.texels.position
    labels, chart = part_labels(), unfolded()
    for part in FLAT:
        both = (labels == part) & atlas.valid
        skin, steps = [], []
        for axis in (0, 1):  # neighbours in a column, in a row
            first, second = (np.take(both, range(start, ATLAS_SIZE - 1 + start), axis) for start in (0, 1))
            pair = first & second
            skin.append(np.linalg.norm(np.diff(position, axis=axis)[pair], axis=1))
            steps.append(np.diff(chart, axis=1 + axis)[:, pair])
        skin, steps = np.concatenate(skin), np.concatenate(steps, 1)
        sides, *_ = np.linalg.lstsq((steps**2).T, skin**2, rcond=None)  # squared lengths of the two sides of the square
        ratio = np.sqrt((sides[:, None] * steps**2).sum(0)) / skin
        assert np.quantile(ratio, 0.1) > 0.5
        assert np.quantile(ratio, 0.9) < 1.6


def test_looked_up_between_texels():
    """At the middle of a texel its own value; between two of one part their mean; of another part nothing."""
    labels, chart = part_labels(), unfolded()
    row, column = (int(x[0]) for x in np.nonzero((labels[:, :-1] == 1) & (labels[:, 1:] == 1)))
    middle = lambda index: np.float32((2 * index + 1) / ATLAS_SIZE - 1)  # noqa: E731
    uv = np.array([middle(column), middle(row)], np.float32).reshape(2, 1, 1)
    np.testing.assert_allclose(chart_at(uv, np.array([[1]]))[:, 0, 0], chart[:, row, column], atol=1e-4)
    half = np.array([middle(column + 0.5), middle(row)], np.float32).reshape(2, 1, 1)
    expected = (chart[:, row, column] + chart[:, row, column + 1]) / 2
    np.testing.assert_allclose(chart_at(half, np.array([[1]]))[:, 0, 0], expected, atol=1e-4)
    assert (chart_at(uv, np.array([[9]])) == 0).all()
    assert (chart_at(uv, np.array([[0]])) == 0).all()
