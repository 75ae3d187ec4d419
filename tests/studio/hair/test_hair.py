"""Hair: where it grows, that it sits on the head, and what hangs down."""

import numpy as np
import pytest

from posekit.studio.body.atlas import load_atlas
from posekit.studio.dressed_figure import make_figure
from posekit.studio.hair.hair import strand_coordinates
from posekit.studio.hair.hairstyles import STYLES, choose_hair, hairline

SIZE = 128


def style_named(name, female=True, seed=0):
    return choose_hair(np.random.default_rng(seed), female, 0.3, name)


@pytest.fixture(scope="module")
def styles():
    return {name: make_figure(11, female=True, hair=name, atlas_size=SIZE) for name in STYLES}


def test_every_style_grows_what_it_says(styles):
    for name, figure in styles.items():
        names = [layer.name for layer in figure.layers]
        expected = style_named(name)
        assert figure.meta["hair"] == name
        assert ("hair" in names) == (name != "bald")
        assert ("curtain" in names) == (expected.hangs == "curtain")
        assert ("tail" in names) == (expected.hangs == "tail" or name == "half-up")
        assert names.count("tail") == {"pigtails": 2}.get(name, names.count("tail"))
        for layer in figure.layers:
            if layer.name in ("hair", "curtain", "tail"):
                assert np.isfinite(layer.vertices).all()
                assert layer.on_surface == (layer.name == "hair")
                assert layer.texture.kind == "hair"
                np.testing.assert_allclose(layer.weights.sum(1), 1, atol=1e-5)


def test_hair_layers_stay_near_the_head(styles):
    for name, figure in styles.items():
        top = figure.vertices[:, 1].max()
        for layer in figure.layers:
            if layer.name in ("hair", "curtain", "tail"):
                used = layer.vertices[np.unique(layer.triangles)]
                assert used[:, 1].max() < top + 1.6, name
                assert np.abs(used[:, 0]).max() < 2.6, name
                assert used[:, 1].min() > top - 6.5, name


def test_cap_lies_outside_the_scalp(styles):
    for name, figure in styles.items():
        for layer in figure.layers:
            if layer.name == "hair":
                skin = figure.layers[0]
                here = layer.edge > 0.1
                out = np.linalg.norm(layer.vertices[here] - (0, skin.vertices[here][:, 1].mean(), 0.35), axis=1)
                was = np.linalg.norm(skin.vertices[here] - (0, skin.vertices[here][:, 1].mean(), 0.35), axis=1)
                assert (out > was - 0.02).mean() > 0.97, name


@pytest.mark.parametrize("female", [True, False])
def test_hairline(female):
    """Crown and nape are inside; face, ears' height in front and neck are not; left and right agree."""
    style = style_named("short", female)
    at = load_atlas(SIZE).texels
    inside = hairline(at.position, style)
    assert (inside[at.head & (at.y > 9.9)] > 0).all()
    assert (inside[at.head & (at.z > 1.3) & (at.y < 9.3)] < 0).all()
    assert (inside[at.head & (at.y < 7.7)] < 0).all()
    np.testing.assert_allclose(hairline(at.position * np.array([-1, 1, 1], np.float32), style), inside, atol=1e-5)


def test_bangs_cover_the_forehead():
    plain, bangs = (next(s for s in (style_named("bob", seed=k) for k in range(40)) if s.bangs == b) for b in (0, 1))
    forehead = np.array([[0.0, 9.4, 1.5]], np.float32)
    assert hairline(forehead, plain)[0] < 0 < hairline(forehead, bangs)[0]


def test_a_fixed_style_keeps_the_other_numbers():
    drawn, fixed = (choose_hair(np.random.default_rng(4), True, 0.3, name) for name in (None, "pony"))
    assert (drawn.length, drawn.wave, drawn.forehead) == (fixed.length, fixed.wave, fixed.forehead)
    with pytest.raises(ValueError, match="hair must be one of bald, buzz"):
        choose_hair(np.random.default_rng(0), True, 0.3, "mohawk")


@pytest.mark.parametrize("name", ["short", "pony", "crop"])
def test_strand_coordinates_follow_the_scalp(name):
    """A step of a millimetre across the strands changes their coordinates by about as much, all over the scalp."""
    style = style_named(name)
    at = load_atlas(SIZE).texels
    scalp = at.position[at.head & (at.y > 9.0) & (np.abs(at.x) > 0.3)].astype(np.float64)
    step = 1e-3
    here = strand_coordinates(scalp, style)
    jacobian = np.stack([(strand_coordinates(scalp + step * axis, style) - here) / step for axis in np.eye(3)])
    across = np.linalg.norm(jacobian[:, :, :2], axis=(0, 2))
    assert np.isfinite(across).all()
    assert 0.2 < np.median(across) < 5


def test_roots_are_painted_under_the_cap():
    """The scalp under the hair takes the hair's colour, the face keeps the skin's."""
    bald, short = (make_figure(5, hair=h, atlas_size=SIZE).layers[0].texture.color for h in ("bald", "short"))
    atlas = load_atlas(SIZE)
    t = atlas.texels
    crown, cheek = t.head & (t.y > 9.9), t.head & (t.z > 1.2) & (t.y < 8.8) & ~atlas.cavity
    change = np.abs(bald - short).sum(-1)[atlas.valid]
    assert np.median(change[crown]) > 0.1
    assert np.median(change[cheek]) < 1e-3
