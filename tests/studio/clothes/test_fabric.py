"""Patterns: range, repetition, soft edges, the same cloth on every sheet."""

import numpy as np
import pytest

from posekit.studio.base.noise import Noise
from posekit.studio.base.palette import CLOTH, contrasting, skin_color, to_linear, to_srgb
from posekit.studio.base.ramps import band, line, smoothstep, soft_mask
from posekit.studio.clothes.fabric import PATTERNS, make_cloth
from posekit.studio.clothes.prints import MOTIFS, draw_print
from posekit.studio.clothes.sheet import GIRTH, Sheet

SEAMLESS = ("solid", "stripes", "breton", "pinstripes", "plaid", "gingham", "windowpane", "argyle", "zigzag")
SEAMLESS += ("knit", "cable", "dots", "floral", "leaves", "blocks", "ombre")


def flat_sheet(around, along, texel=0.04):
    """A sheet whose position in space is the same for all points, so that noise is constant on it."""
    around, along = np.broadcast_arrays(np.asarray(around, np.float32), np.asarray(along, np.float32))
    return Sheet(around, along, np.full((*around.shape, 3), 0.37, np.float32), texel)


def square(texel=0.04, size=3.0):
    x = np.arange(0, size, texel, dtype=np.float32)
    around, along = np.meshgrid(x, x)
    position = np.stack([around, along, np.zeros_like(around)], axis=-1)
    return Sheet(around, along, position, texel)


@pytest.fixture(scope="module")
def noise():
    return Noise(np.random.default_rng(0))


@pytest.mark.parametrize("kind", PATTERNS)
def test_values_are_colours(kind, noise):
    for seed in range(3):
        fabric = make_cloth(np.random.default_rng(seed), noise, kind)
        color, relief = fabric(square())
        assert color.shape == (75, 75, 3)
        assert color.dtype == np.float32
        assert np.isfinite(color).all()
        assert 0 <= color.min() <= color.max() <= 1
        assert np.isfinite(relief).all()
        assert np.abs(relief).max() < 0.1
        assert fabric.kind == kind


@pytest.mark.parametrize("kind", PATTERNS)
def test_same_seed_same_cloth(kind, noise):
    first, second, third = (make_cloth(np.random.default_rng(s), noise, kind)(square())[0] for s in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - third).max() > 0.02


@pytest.mark.parametrize("kind", SEAMLESS)
def test_patterns_meet_at_the_back(kind, noise):
    """What is printed at angle -pi continues what is printed at +pi."""
    along = np.linspace(0, 7, 200)
    for seed in range(3):
        fabric = make_cloth(np.random.default_rng(seed), noise, kind)
        left, right = fabric(flat_sheet(-GIRTH / 2, along))[0], fabric(flat_sheet(GIRTH / 2, along))[0]
        np.testing.assert_allclose(left, right, atol=0.02)


def test_breton_repeats(noise):
    fabric = make_cloth(np.random.default_rng(0), noise, "breton")
    along = np.linspace(0, 3, 400)
    here, there = fabric(flat_sheet(0.1, along))[0], fabric(flat_sheet(0.1, along + 5 * 0.42))[0]
    np.testing.assert_allclose(here, there, atol=1e-3)
    assert np.ptp(here) > 0.5


@pytest.mark.parametrize("kind", ["stripes", "breton", "pinstripes", "plaid", "dots", "argyle", "floral", "blocks"])
def test_edges_are_ramps_not_steps(kind, noise):
    """Walking a tenth of a texel changes the colour a little only, however coarse the texels are."""
    for texel in (0.04, 0.15):
        fabric = make_cloth(np.random.default_rng(1), noise, kind)
        walk = np.arange(0, 4, 0.1 * texel, dtype=np.float32)
        color = fabric(flat_sheet(walk + 0.05, 0.6 * walk, texel))[0]
        assert np.abs(np.diff(color, axis=0)).max() < 0.30


def test_unknown_pattern(noise):
    with pytest.raises(ValueError, match="unknown fabric 'tartan'; known: solid"):
        make_cloth(np.random.default_rng(0), noise, "tartan")


def test_ground_is_kept_and_denim_takes_its_own(noise):
    red = np.array(CLOTH["red"], np.float32)
    color = make_cloth(np.random.default_rng(0), noise, "solid", red)(square())[0]
    np.testing.assert_allclose(color.mean((0, 1)), red, atol=0.03)


def test_contrast_rule():
    rng = np.random.default_rng(0)
    for color in CLOTH.values():
        for _ in range(20):
            assert np.abs(contrasting(rng, np.array(color), 0.7) - color).sum() > 0.7 - 1e-6


def test_linear_light_and_back():
    ramp = np.linspace(0, 1, 50)
    np.testing.assert_allclose(to_srgb(to_linear(ramp)), ramp, atol=1e-5)
    assert to_linear((0.5,) * 3)[0] == pytest.approx(0.5**2.2, rel=1e-5)
    tones = np.array([skin_color(t).sum() for t in np.linspace(0, 7, 30)])
    assert (np.diff(tones) < 0).all()


def test_strokes():
    x = np.linspace(-2, 2, 401)
    step = smoothstep(x, -0.5, 0.5)
    assert step[0] == 0
    assert step[-1] == 1
    assert step[200] == pytest.approx(0.5)
    assert (np.diff(step) >= 0).all()
    assert line(np.zeros(1), 0.1)[0] == 1
    np.testing.assert_allclose(soft_mask(np.array([-1, 0, 1.0]), 0.5), [0, 0.5, 1])
    fine = np.arange(0, 10, 0.001)
    assert band(fine, 1.0, 0.3, 0.05).mean() == pytest.approx(0.3, abs=0.005)  # the ramp does not change the share
    assert band(np.array([1.0, 1.5]), 1.0, 0.3, 0.05).tolist() == [1, 0]


def test_prints_show_their_motif():
    shapes = set()
    for seed in range(40):
        picture = draw_print(np.random.default_rng(seed), np.array([0.9, 0.1, 0.1]))
        assert picture.shape == (128, 128, 4)
        assert 0 <= picture.min() <= picture.max() <= 1
        assert 0.02 < (picture[..., 3] > 0.5).mean() < 0.9
        shapes.add(round(float(picture[..., 3].sum())))
    assert len(shapes) >= len(MOTIFS)
