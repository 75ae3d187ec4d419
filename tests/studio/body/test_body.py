"""The body asset: shapes, skeleton, bank, expressions."""

from importlib.resources import files

import numpy as np
import pytest

from posekit.studio.body.body import MASKS, PARTS, load_body, load_masks
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def body():
    return load_body()


def test_asset_is_small():
    folder = files("posekit.studio").joinpath("asset")
    size = sum(folder.joinpath(name).stat().st_size for name in ("body.npz", "masks.png"))
    assert size < 2.3e6


def test_numbers_of_the_mesh(body):
    assert body.n_skin == 13380
    assert len(body.bones) == 23
    assert body.basis.shape == (40, body.n_vertices + 2 * 23, 3)
    assert body.bank.shape == (256, 40)
    assert len(body.expression_names) == 18


def test_rest_of_zeros_is_the_mean(body):
    rest = body.rest(np.zeros(40))
    np.testing.assert_array_equal(rest.vertices, body.mean_vertices)
    np.testing.assert_array_equal(rest.joints, body.mean_joints)
    np.testing.assert_array_equal(rest.tails, body.mean_tails)


def test_rest_is_mean_plus_weighted_components(body):
    """Naive twin of equation (1): one component after the other."""
    c = np.random.default_rng(0).normal(size=40).astype(np.float32)
    twin = body.mean.astype(np.float64)
    for weight, component in zip(c, body.basis, strict=True):
        twin = twin + weight * component
    rest = body.rest(c)
    np.testing.assert_allclose(np.concatenate(rest), twin, atol=2e-5)


def test_fewer_coefficients_mean_zeros(body):
    c = body.bank[0].copy()
    c[7:] = 0
    np.testing.assert_allclose(body.rest(c[:7]).vertices, body.rest(c).vertices, atol=1e-5)


def test_joints_are_linear_in_the_shape(body):
    a, b = body.bank[3], body.bank[8]
    half = body.rest((a + b) / 2).joints
    np.testing.assert_allclose(half, (body.rest(a).joints + body.rest(b).joints) / 2, atol=1e-5)


def test_rest_does_not_write_into_the_asset(body):
    before = body.mean.copy()
    body.rest(np.zeros(1), {"jawOpen": 1.0}, fist=1.0).vertices[:] = 7
    np.testing.assert_array_equal(body.mean, before)


def test_bank_holds_adults_of_plausible_height(body):
    heights = [np.ptp(body.rest(c).vertices[: body.n_skin, 1]) for c in body.bank]
    assert min(heights) > 14
    assert max(heights) < 21
    assert 17 < np.mean(heights) < 19
    assert np.std(heights) > 0.8  # people differ


def test_bank_describes_its_people(body):
    meta = body.bank_meta
    for name in ("gender", "age", "muscle", "weight", "height"):
        assert 0 <= meta[name].min() < meta[name].max() <= 1, name
    np.testing.assert_allclose(meta["african"] + meta["asian"] + meta["caucasian"], 1, atol=2e-3)
    assert 0.35 < (meta["gender"] > 0.5).mean() < 0.65
    tall = np.array([np.ptp(body.rest(c).vertices[: body.n_skin, 1]) for c in body.bank])
    assert np.corrcoef(tall, meta["height"])[0, 1] > 0.5
    assert tall[meta["gender"] < 0.5].mean() > tall[meta["gender"] > 0.5].mean()


def test_components_have_unit_variance_over_the_bank(body):
    np.testing.assert_allclose(body.bank.std(0), 1, atol=0.2)


def test_weights_are_a_mean_over_at_most_four_bones(body):
    np.testing.assert_allclose(body.weights.sum(1), 1, atol=1e-6)
    assert body.weights.min() >= 0
    assert (body.weights > 0).sum(1).max() <= 4


def test_parents_come_first(body):
    assert body.parents[0] == -1
    assert (body.parents[1:] < np.arange(1, 23)).all()
    assert body.bones[body.parents[body.bone_index["hand_l"]]] == "lowerarm_l"


def test_triangles_and_texture_coordinates_fit(body):
    ends = np.cumsum([0] + [len(np.unique(body.triangles[p])) for p in PARTS])
    for part in PARTS:
        assert body.triangles[part].max() < body.n_vertices
        assert body.corner_uv[part].shape == (*body.triangles[part].shape, 2)
        assert 0 <= body.uv[part].min() <= body.uv[part].max() <= 1
    assert body.triangles["skin"].max() < body.n_skin
    assert body.triangles["eye"].min() == body.n_skin
    assert ends[-1] <= body.n_vertices


def test_skin_is_oriented_outwards_and_has_no_edge_twice(body):
    t = body.triangles["skin"]
    edges = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)
    a, b, c = (body.mean_vertices[t[:, k]].astype(np.float64) for k in range(3))
    volume = (a * np.cross(b, c)).sum() / 6  # of a closed surface seen from outside, dm^3 = litres
    assert 40 < volume < 120


def test_v_points_down(body):
    """The head's chart and the torso's lie above the feet's in a picture of the atlas."""
    weights = body.weights[body.triangles["skin"]].mean(1)
    v = body.corner_uv["skin"][..., 1].mean(1)
    part = {b: v[weights[:, body.bone_index[b]] > 0.9].mean() for b in ("spine_03", "foot_l", "foot_r")}
    assert part["spine_03"] < part["foot_l"]
    assert part["spine_03"] < part["foot_r"]


def test_mirror(body):
    assert (body.mirror[body.mirror] == np.arange(body.n_skin)).all()
    skin = body.mean_vertices[: body.n_skin]
    np.testing.assert_allclose(skin[body.mirror] * [-1, 1, 1], skin, atol=0.01)


def test_expressions_move_the_head_alone(body):
    head = np.zeros(body.n_vertices, bool)
    head[body.head_vertices] = True
    head[np.unique(np.concatenate([body.triangles["eye"], body.triangles["teeth"]]))] = True
    for name in body.expression_names:
        moved = np.abs(body.expression_delta({name: 1.0})).max(1)
        assert moved[head].max() > 0.02, name
        assert moved[~head].max() < 0.02, name


def test_expressions_add_to_any_body(body):
    smile = {"mouthSmile": 0.7, "jawOpen": 0.2}
    for c in body.bank[:3]:
        moved = body.rest(c, smile).vertices - body.rest(c).vertices
        np.testing.assert_allclose(moved, body.expression_delta(smile), atol=1e-5)
    one, other = (body.expression_delta({name: s}) for name, s in smile.items())
    np.testing.assert_allclose(one + other, body.expression_delta(smile), atol=1e-6)


def test_fist_moves_the_hands_alone(body):
    moved = np.abs(body.rest(np.zeros(1), fist=1.0).vertices - body.mean_vertices).max(1)
    hands = body.weights[:, [body.bone_index["hand_l"], body.bone_index["hand_r"]]].sum(1)
    assert moved.max() > 0.5
    assert hands[moved > 0.01].min() > 0.2


def test_chest_has_no_degenerate_triangles(body):
    """The fans that replace the dense rings stay open for every person of the bank."""
    t = body.triangles["skin"]
    corners = body.corner_uv["skin"]
    chest = (np.linalg.norm(corners - [0.3255, 0.302], axis=2) < 0.05).all(1)
    chest |= (np.linalg.norm(corners - [0.4345, 0.302], axis=2) < 0.05).all(1)
    assert chest.sum() > 40
    for c in body.bank[::16]:
        a, b, d = (body.rest(c).vertices[t[chest][:, k]] for k in range(3))
        assert np.linalg.norm(np.cross(b - a, d - a), axis=1).min() > 1e-4


def test_masks_lie_where_they_should(body):
    masks = load_masks(256)
    assert tuple(masks) == MASKS
    rest = body.mean_vertices[body.triangles["skin"]].mean(1)
    uv = body.corner_uv["skin"].mean(1)
    row, col = (uv[:, 1] * 256).astype(int), (uv[:, 0] * 256).astype(int)
    for name, (low, high) in {"lips": (7.5, 8.6), "eyelids": (8.6, 9.4), "ears": (8.0, 9.4)}.items():
        height = rest[masks[name][row, col] > 0.8, 1]
        assert len(height) > 20
        assert low < height.mean() < high, (name, height.mean())
    nails = body.weights[body.triangles["skin"]].mean(1)[masks["fingernails"][row, col] > 0.8]
    assert (nails[:, [body.bone_index["hand_l"], body.bone_index["hand_r"]]].sum(1) > 0.9).mean() > 0.9


def test_bad_input(body):
    with pytest.raises(InputError, match="at most 40 coefficients"):
        body.rest(np.zeros(41))
    with pytest.raises(InputError, match="unknown expression 'grin'"):
        body.expression_delta({"grin": 1.0})
