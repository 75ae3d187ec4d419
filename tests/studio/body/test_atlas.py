"""The atlas, the places on the body, and the noise that textures are made of."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from posekit.studio.base.mesh import neighbour_mean, smooth, vertex_normals
from posekit.studio.base.noise import LATTICE, Noise
from posekit.studio.body.atlas import load_atlas
from posekit.studio.body.body import load_body
from posekit.studio.body.limbs import GROUP, group_weights

SIZE = 128
MIRROR = np.array([0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15, 18, 17, 20, 19, 22, 21, 24, 23])


@pytest.fixture(scope="module")
def atlas():
    return load_atlas(SIZE)


def test_all_parts_are_there_and_the_share_of_used_texels_does_not_depend_on_the_size(atlas):
    counts = np.bincount(atlas.part[atlas.valid], minlength=25)
    assert counts[0] == 0
    assert (counts[1:] > 20).all()
    assert atlas.part.min() >= 1
    assert atlas.part.max() == 24
    assert atlas.valid.mean() == pytest.approx(load_atlas(512).valid.mean(), abs=0.005)
    assert (atlas.near | ~atlas.valid).all()


def test_parts_are_mirror_images(atlas):
    """The texel nearest to the mirrored position has the mirrored part, but for texels on a border."""
    position, part = atlas.texels.position, atlas.part[atlas.valid]
    distance, other = cKDTree(position).query(position * (-1, 1, 1))
    close = distance < 0.15
    assert close.mean() > 0.98
    assert (MIRROR[part] == part[other])[close].mean() > 0.97


def test_front_and_back_and_left_and_right(atlas):
    t, part = atlas.texels, atlas.part[atlas.valid]
    assert t.z[part == 2].mean() > 0.5 > -0.2 > t.z[part == 1].mean()  # torso front 2, back 1
    for right, left in ((3, 4), (6, 5), (23, 24), (16, 15)):  # +x is the person's left
        assert t.x[part == right].mean() < 0 < t.x[part == left].mean()
    assert t.y[part == 5].mean() < t.y[part == 13].mean() < t.y[part == 9].mean() < t.y[part == 2].mean()


def test_texels_interpolate_what_vertices_know(atlas):
    """A field that is linear in space is reproduced; every texel lies within its triangle."""
    x = atlas.vertices.position
    linear = x @ np.array([0.3, -1.2, 0.7], np.float32) + 2
    got = atlas.from_vertices(linear)
    np.testing.assert_allclose(got, atlas.texels.position @ np.array([0.3, -1.2, 0.7]) + 2, atol=1e-4)
    assert (atlas.barycentric >= -1e-5).all()
    np.testing.assert_allclose(atlas.barycentric.sum(1), 1, atol=1e-6)


def test_limb_coordinates(atlas):
    t = atlas.texels
    assert t.angle.min() >= -np.pi
    assert t.angle.max() <= np.pi
    for a, b in (
        ("upper_arm_l", "lower_arm_l"),
        ("lower_arm_l", "hand_l"),
        ("thigh_r", "calf_r"),
        ("calf_r", "foot_r"),
    ):
        assert t.along[t.group == GROUP[a]].mean() < t.along[t.group == GROUP[b]].mean()
    np.testing.assert_allclose(group_weights(load_body()).sum(1), 1, atol=1e-5)


def test_image_spreads_the_nearest_texel(atlas):
    picture = atlas.image(np.arange(atlas.n_texels))
    assert picture.shape == (SIZE, SIZE)
    np.testing.assert_array_equal(picture[atlas.valid], np.arange(atlas.n_texels))
    cut = atlas.cut_out(np.ones(atlas.n_texels))
    assert cut[atlas.valid].min() == 1
    assert cut[~atlas.near].max() == 0


def naive_noise(lattice, point, frequency, offset):
    """One value: the eight corners of the cell, weighted by smoothed distances."""
    p = [point[k] * frequency[k] + offset * (7.13, 14.26, 21.39)[k] for k in range(3)]
    cell = [int(np.floor(c)) for c in p]
    share = [c - f for c, f in zip(p, cell, strict=True)]
    share = [s * s * (3 - 2 * s) for s in share]
    total = 0.0
    for i in (0, 1):
        for j in (0, 1):
            for k in (0, 1):
                corner = lattice[(cell[0] + i) % LATTICE, (cell[1] + j) % LATTICE, (cell[2] + k) % LATTICE]
                weights = (share[0] if i else 1 - share[0]) * (share[1] if j else 1 - share[1])
                total += corner * weights * (share[2] if k else 1 - share[2])
    return total


def test_noise_equals_its_naive_twin():
    noise = Noise(np.random.default_rng(3))
    points = np.random.default_rng(4).uniform(-9, 9, (50, 3)).astype(np.float32)
    got = noise(points, (1.5, 0.7, 4.0), 2.5)
    expected = [naive_noise(noise.lattice, p, (1.5, 0.7, 4.0), 2.5) for p in points.astype(np.float64)]
    np.testing.assert_allclose(got, expected, atol=2e-4)  # float32 positions of some tens


def test_noise_stays_in_range_repeats_and_varies():
    noise = Noise(np.random.default_rng(0))
    points = np.random.default_rng(1).uniform(-5, 5, (20, 100, 3)).astype(np.float32)
    for values in (noise(points, 2.0), noise.clouds(points, 2.0), noise.creases(points, 2.0)):
        assert values.shape == (20, 100)
        assert values.min() >= 0
        assert values.max() <= 1
        assert values.std() > 0.05
    np.testing.assert_array_equal(noise(points, 2.0), Noise(np.random.default_rng(0))(points, 2.0))
    assert np.abs(noise(points, 2.0) - noise(points, 2.0, offset=1.3)).mean() > 0.1


def test_normals_and_smoothing_of_a_sphere():
    """On an octahedron the normals point outwards, and the neighbours' mean is the centre."""
    points = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float32)
    faces = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]], np.int32)
    np.testing.assert_allclose(vertex_normals(points, faces), points, atol=1e-6)
    np.testing.assert_allclose(smooth(neighbour_mean(faces, 6), points, 1, 0.25), 0.75 * points, atol=1e-6)
