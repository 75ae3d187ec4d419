"""Clothes: outlines, layering, and that everybody is dressed."""

import numpy as np
import pytest

from posekit.studio.base.mesh import vertex_normals
from posekit.studio.body.atlas import load_atlas
from posekit.studio.body.body import load_body
from posekit.studio.body.limbs import GROUP
from posekit.studio.clothes.drape import RadiusMap
from posekit.studio.clothes.garments import Bottom, Shoe, Top
from posekit.studio.clothes.shoe_last import disc
from posekit.studio.clothes.skirt import skirt_grid, skirt_top
from posekit.studio.clothes.wardrobe import KINDS, Wishes, choose_kind
from posekit.studio.dressed_figure import make_figure, spawn

SIZE = 128
GARMENTS = ("bottom", "top", "jacket", "shoes")


@pytest.fixture(scope="module")
def atlas():
    return load_atlas(SIZE)


@pytest.fixture(scope="module")
def people():
    """Twenty figures at a small atlas size."""
    return [make_figure(seed, atlas_size=SIZE) for seed in range(20)]


def covered(figure, atlas):
    """Valid texels on which some garment with a place on the surface lies."""
    total = np.zeros(atlas.n_texels, bool)
    for layer in figure.layers:
        if layer.name in GARMENTS:
            total |= layer.alpha[atlas.valid] >= 0.5
    return total


def test_everybody_is_dressed(people, atlas):
    """Chest, belly, hips and seat are covered by garments with an alpha of at least 0.5, for every seed."""
    t = atlas.texels
    chest = t.torso & (t.y > 4.2) & (t.y < 5.0) & (np.abs(t.x) < 1.1)
    hips = (t.torso | t.leg) & (t.y > 0.35) & (t.y < 1.0) & ~t.arm
    belly = t.torso & (t.y > 3.2) & (t.y < 4.0)
    assert min(chest.sum(), hips.sum(), belly.sum()) > 100
    for figure in people:
        on = covered(figure, atlas)
        assert on[chest].all(), figure.meta
        assert on[hips].all(), figure.meta
        assert on[belly].all(), figure.meta
        names = [layer.name for layer in figure.layers]
        assert {"skin", "bottom", "top", "shoes", "eye", "teeth"} <= set(names)
        assert ("skirt" in names) == (figure.meta["outfit"] in ("skirt", "dress"))
        assert ("jacket" in names) == figure.meta["jacket"]


def test_adults_only(people):
    assert all(0 <= figure.meta["age"] <= 1 for figure in people)
    assert load_body().bank_meta["age"].min() >= 0  # 0 is about 25 years


def test_shells_stay_outside_what_is_worn_beneath(people):
    """Along the outer shell's normals at least 99 % of the vertices that both cover clear the inner layer."""
    body = load_body()
    for figure in people:
        worn = [layer for layer in figure.layers if layer.name in ("skin", "bottom", "top", "jacket")]
        gaps = []
        for i, outer in enumerate(worn):
            if outer.name == "skin":
                continue
            normals = vertex_normals(outer.vertices, body.triangles["skin"])
            for inner in worn[:i]:
                both = (outer.edge > 0) if inner.edge is None else (outer.edge > 0) & (inner.edge > 0)
                gaps.append(((outer.vertices - inner.vertices) * normals).sum(1)[both])
        gaps = np.concatenate(gaps)
        assert len(gaps) > 1000
        assert (gaps >= 0).mean() >= 0.99, figure.meta


def test_hidden_triangles_are_left_out(people):
    body = load_body()
    for figure in people:
        skin = figure.layers[0]
        assert skin.name == "skin"
        assert 0.2 < len(skin.triangles) / len(body.triangles["skin"]) < 0.85
        hands = np.isin(load_atlas(SIZE).triangle_group, [GROUP["hand_l"], GROUP["hand_r"]])
        kept = {tuple(t) for t in skin.triangles}
        assert all(tuple(t) in kept for t in body.triangles["skin"][hands])


@pytest.mark.parametrize(("name", "value"), [("sleeve", 1.5), ("sleeve", 4.0), ("hem", 1.0), ("hem", 2.5)])
def test_top_ends_where_it_was_cut(atlas, name, value):
    cut = Top("crew", 0.8, 0.75, 0.42, **{"hem": 1.5, "sleeve": 2.0, name: value})
    inside = cut.distance(atlas.texels) > 0
    t = atlas.texels
    limit = {"hem": 1.5, "sleeve": 2.0, name: value}
    assert (t.along[inside & t.arm] < limit["sleeve"]).all()
    assert (inside & t.arm)[t.along < limit["sleeve"] - 0.01][t.arm[t.along < limit["sleeve"] - 0.01]].mean() > 0.98
    assert (t.y[inside & t.torso] > limit["hem"]).all()
    assert not (inside & t.head).any()


def test_sleeveless_and_open(atlas):
    t = atlas.texels
    vest = Top("crew", 0.8, 0.75, 0.42, hem=1.5, sleeve=0.0)
    assert not ((vest.distance(t) > 0) & t.arm).any()
    closed, opened = (Top("v", 0.95, 1.5, 0.45, hem=1.5, sleeve=5.2, opening=o).distance(t) > 0 for o in (0.0, 0.4))
    assert (closed | ~opened).all()
    front = t.torso & (t.z > 0.3) & (np.abs(t.x) < 0.15) & (t.y > 2) & (t.y < 5)
    assert closed[front].all()
    assert not opened[front].any()


def test_bottoms_and_shoes(atlas):
    t = atlas.texels
    trousers = Bottom(2.3, 8.5).distance(t) > 0
    assert not (trousers & (t.arm | t.head)).any()
    assert trousers[t.torso & (t.y < 2.2)].all()
    shoe = Shoe(-7.2).distance(t) > 0
    assert shoe[np.isin(t.group, [GROUP["foot_l"], GROUP["foot_r"]]) & (t.y < -7.5)].all()
    ballet = Shoe(-7.45, open_instep=True).distance(t) > 0
    assert ballet.sum() < shoe.sum()


def test_radius_map_falls_no_faster_than_the_slope():
    rng = np.random.default_rng(0)
    angle, run = rng.uniform(-np.pi, np.pi, 5000), rng.uniform(0, 5, 5000)
    radius = 1 + 0.5 * np.exp(-((run - 1) ** 2))
    outline = RadiusMap.of_points(angle, run, radius, 36, 50, 0, 5)
    before = outline.radius.copy()
    outline.fall(1.0, 0.1)
    assert (outline.radius >= before).all()
    below = outline.radius[:, 10:]
    assert (np.diff(below, axis=1) >= -0.1 * outline.step - 1e-9).all()
    assert outline(np.zeros(1), np.array([1.0]))[0] == pytest.approx(1.5, abs=0.05)


def test_skirt_tube_is_a_grid():
    grid = skirt_grid(load_body())
    assert grid.shape == (20, 36)
    assert len(np.unique(grid)) == grid.size
    height = load_body().mean_vertices[grid][..., 1]
    assert (np.diff(height, axis=0) < 0).all()
    assert skirt_top(load_body()) == height[0].max()


def test_feet_are_spread_over_a_disc_without_folds(atlas):
    """The harmonic map keeps every vertex inside the circle, and mirror vertices get mirror places."""
    for side in "lr":
        ids, angle, radius = disc(atlas, side)
        assert radius.max() <= 1 + 1e-6
        assert radius.min() < 0.3
        assert (atlas.vertices.z[ids] > 0.9).all()
    assert np.isfinite(angle).all()


def test_fixed_choices():
    wishes = Wishes(outfit="dress", shoes="boot", jacket="leather", skirt_length=0.5)
    assert wishes.outfit in KINDS
    for bad in ({"outfit": "toga"}, {"shoes": "clogs"}, {"skirt_length": 3.0}):
        with pytest.raises(ValueError, match="must"):
            Wishes(**bad)


def test_both_wardrobes_offer_trousers_and_only_one_skirts():
    rng = spawn(0)["outfit"]
    kinds = {female: {choose_kind(rng, female) for _ in range(100)} for female in (True, False)}
    assert kinds[True] == set(KINDS)
    assert kinds[False] == {"trousers", "shorts"}
