"""A figure from a seed: repeatable, independent choices, valid arrays."""

import numpy as np
import pytest

from posekit.studio.base.layers import KINDS
from posekit.studio.body.body import load_body
from posekit.studio.dressed_figure import SUBJECTS, choose_row, make_figure, spawn
from posekit.util.errors import InputError

SIZE = 128


def arrays(figure):
    """Every array of a figure, in order."""
    for layer in figure.layers:
        yield from (layer.vertices, layer.triangles, layer.uv, layer.weights)
        yield from (layer.texture.color, layer.texture.specular, layer.texture.bump)
        if layer.alpha is not None:
            yield layer.alpha
    yield from (figure.vertices, figure.joints)


def same(first, second):
    first, second = list(arrays(first)), list(arrays(second))
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_same_seed_same_figure():
    sequence = np.random.SeedSequence([3, 1, 4])
    first = make_figure(sequence, atlas_size=SIZE)
    assert same(first, make_figure(sequence, atlas_size=SIZE))  # also after the sequence was used before
    assert same(first, make_figure(np.random.SeedSequence([3, 1, 4]), atlas_size=SIZE))
    assert not same(first, make_figure(np.random.SeedSequence([3, 1, 5]), atlas_size=SIZE))


def test_a_generator_gives_the_next_person():
    rng = np.random.default_rng(0)
    first, second = make_figure(rng, atlas_size=SIZE), make_figure(rng, atlas_size=SIZE)
    assert not same(first, second)
    assert same(first, make_figure(np.random.default_rng(0), atlas_size=SIZE))


def test_fixing_the_outfit_keeps_body_face_and_hair():
    free, fixed = (make_figure(8, female=True, outfit=o, atlas_size=SIZE) for o in ("trousers", "dress"))
    np.testing.assert_array_equal(free.vertices, fixed.vertices)
    np.testing.assert_array_equal(free.joints, fixed.joints)
    assert free.meta["hair"] == fixed.meta["hair"]
    assert free.meta["tone"] == fixed.meta["tone"]
    assert free.meta["bank_row"] == fixed.meta["bank_row"]
    cap = [next(layer for layer in f.layers if layer.name == "hair") for f in (free, fixed)]
    np.testing.assert_array_equal(cap[0].vertices, cap[1].vertices)
    np.testing.assert_array_equal(cap[0].texture.bump, cap[1].texture.bump)


def test_fixing_the_hair_keeps_the_clothes():
    free, fixed = (make_figure(9, hair=h, atlas_size=SIZE) for h in ("short", "bald"))
    for name in ("bottom", "top", "shoes"):
        one, other = (next(layer for layer in f.layers if layer.name == name) for f in (free, fixed))
        np.testing.assert_array_equal(one.vertices, other.vertices)
        np.testing.assert_array_equal(one.alpha, other.alpha)


def test_choices_are_followed():
    figure = make_figure(
        2, female=True, outfit="skirt", hair="bun", top="breton", shoes="boot", jacket="denim", skirt_length=0.5,
        expression={"mouthSmile": 1.0}, atlas_size=SIZE,
    )  # fmt: skip
    wanted = {"female": True, "outfit": "skirt", "hair": "bun", "top": "breton", "shoes": "boot", "jacket": True}
    assert {k: figure.meta[k] for k in wanted} == wanted
    assert figure.meta["skirt_length"] == 0.5
    assert figure.meta["expression"] == {"mouthSmile": 1.0}
    rest = make_figure(2, female=True, expression={}, atlas_size=SIZE)
    smile = load_body().expression_delta({"mouthSmile": 1.0})
    np.testing.assert_allclose(rest.vertices + smile, figure.vertices, atol=1e-5)


def test_only_allowed_bodies_are_drawn():
    rows = {make_figure(seed, bank_rows=[4, 7, 9], hair="bald", atlas_size=32).meta["bank_row"] for seed in range(12)}
    assert rows <= {4, 7, 9}
    assert len(rows) > 1
    gender = load_body().bank_meta["gender"]
    rng = np.random.default_rng(0)
    assert all(gender[choose_row(load_body(), rng, None, True)] > 0.5 for _ in range(20))
    men = np.flatnonzero(gender < 0.5)[:3]
    with pytest.raises(InputError, match="no body is left"):
        choose_row(load_body(), rng, men, True)
    with pytest.raises(InputError, match="0 to 255"):
        choose_row(load_body(), rng, [256], None)


@pytest.mark.parametrize("seed", range(6))
def test_arrays_are_sound(seed):
    figure = make_figure(seed, atlas_size=SIZE)
    body = load_body()
    assert figure.vertices.shape == (body.n_vertices, 3)
    for layer in figure.layers:
        n = len(layer.vertices)
        assert layer.vertices.dtype == np.float32
        assert np.isfinite(layer.vertices).all()
        assert layer.triangles.dtype == np.int32
        assert layer.triangles.min() >= 0
        assert layer.triangles.max() < n
        assert layer.uv.shape == (*layer.triangles.shape, 2)
        assert layer.weights.shape == (n, len(body.bones))
        np.testing.assert_allclose(layer.weights.sum(1), 1, atol=1e-4)
        if layer.on_surface:
            assert n == body.n_skin
        texture = layer.texture
        assert texture.kind in KINDS
        h, w = texture.color.shape[:2]
        assert texture.specular.shape == texture.bump.shape == (h, w)
        for values in (texture.color, texture.specular, texture.bump):
            assert values.dtype == np.float32
            assert np.isfinite(values).all()
        assert texture.color.min() >= 0
        assert texture.color.max() <= 1.05
        assert texture.specular.min() >= 0
        assert np.abs(texture.bump).max() < 0.5
        if layer.alpha is not None:
            assert layer.alpha.dtype == np.float32
            assert 0 <= layer.alpha.min() <= layer.alpha.max() <= 1


def test_one_stream_per_subject():
    draws = [rng.random() for rng in spawn(0).values()]
    assert len(set(draws)) == len(SUBJECTS)
    np.testing.assert_array_equal(draws, [rng.random() for rng in spawn(0).values()])
