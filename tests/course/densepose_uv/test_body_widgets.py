"""The live figures of notebooks 00 and 01: their drawing functions over the whole grid of their controls."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch
from posekit_course.densepose_uv import body_widgets as body
from posekit_course.densepose_uv import figures as fig
from posekit_course.densepose_uv import surface_widgets as surface
from posekit_course.live import settings, steps

from posekit.ops.grids import identity_grid
from posekit.person import Person
from posekit.studio.body.body import load_body
from posekit.studio.body.surface_tables import mirror_table, surface_table
from posekit.studio.generate import make_person
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.util.errors import InputError

SMALL = (48, 36)  # (h, w): the smallest picture in which all parts are still seen


@pytest.fixture(scope="module")
def person():
    return make_person(0, 15, 1, (64, 48))


@pytest.fixture(scope="module")
def labels():
    return surface_table().inverse_part


def arrays(picture) -> list[np.ndarray]:
    """The pictures in the panels of a figure, checked to be finite and inside [0, 1]."""
    shown = [np.asarray(axis.images[0].get_array()) for axis in picture.axes if axis.images]
    for array in shown:
        assert np.isfinite(array).all()
        assert array.min() >= 0
        assert array.max() <= 1
    return shown


# ------------------------------------------------------------------------------------------------------------- body


def test_body_over_the_grid():
    seen = set()
    for values in settings(**body.controls()):
        photo, iuv, atlas, colours = arrays(body.render_body(**values, size=SMALL))
        assert photo.shape == iuv.shape == atlas.shape == (*SMALL, 3)
        assert colours.shape == (body.ATLAS, body.ATLAS, 3)
        assert (np.abs(iuv - 1).max(-1) > 0).sum() > 100  # a body is in the picture
        seen.add(photo.tobytes())
    # at amount 0 all poses are standing, so they share pictures; all other settings differ
    assert len(seen) == 27 + 2 * 81


def test_taller_is_taller_and_stands_on_the_same_floor():
    rows = {}
    for sd in (-2.0, 0.0, 2.0):
        mask = body.take((-sd,), "stand", 0.0, 0.0, (96, 72)).mask[0] > 0.5
        rows[sd] = mask.any(1).nonzero()[[0, -1], 0]
    tops = [int(rows[sd][0]) for sd in rows]
    assert all(a - b >= 4 for a, b in pairwise(tops))  # higher up in the picture
    assert max(int(r[1]) for r in rows.values()) - min(int(r[1]) for r in rows.values()) <= 1


def test_reshape_moves_body_clothes_and_joints_alike():
    figure = body._sitter(4)[0]
    model = load_body()
    other = body.reshape(figure, (0.0, 1.5))
    delta = 1.5 * model.basis[1]
    np.testing.assert_allclose(other.vertices - figure.vertices, delta[: model.n_vertices], atol=1e-5)
    np.testing.assert_allclose(
        other.joints - figure.joints, delta[model.n_vertices : model.n_vertices + len(model.bones)], atol=1e-5
    )
    moved = [not np.array_equal(a.vertices, b.vertices) for a, b in zip(figure.layers, other.layers, strict=True)]
    assert all(moved)  # nothing that this figure wears hangs loose
    same = body.reshape(figure, ())
    assert all(np.array_equal(a.vertices, b.vertices) for a, b in zip(figure.layers, same.layers, strict=True))


def test_pose_and_turn():
    standing, waving = body.blend_pose("stand", 0, 0), body.blend_pose("wave", 1, 30)
    half = body.blend_pose("wave", 0.5, 30)
    assert waving["yaw"] == half["yaw"] == 30
    for angle in set(standing) - {"yaw"}:
        assert half[angle] == pytest.approx((standing[angle] + waving[angle]) / 2)
    front, back = (body.take((), "stand", 0.0, turn, (96, 72)) for turn in (0.0, 180.0))
    assert (front.part == 2).sum() > 10 * (front.part == 1).sum()  # front and back of the torso
    assert (back.part == 1).sum() > 10 * (back.part == 2).sum()


def test_seen_share_counts_the_texels_of_the_body():
    full = Person(torch.rand(3, 128, 128), identity_grid(128, 128), torch.ones(1, 128, 128))
    assert body.seen_in_atlas(full, 64)[1] == 1
    half = dataclasses.replace(full, mask=(identity_grid(128, 128)[1:] < 0).float())
    assert 0.2 < body.seen_in_atlas(half, 64)[1] < 0.8


def test_wrong_shape_and_pose_are_refused():
    with pytest.raises(InputError, match="at most"):
        body.reshape(body._sitter(4)[0], np.zeros(1000))
    with pytest.raises(InputError, match="not known"):
        body.blend_pose("fly", 1, 0)


# --------------------------------------------------------------------------------------------------------- painting


def test_painting_over_the_grid(person, labels):
    seen = set()
    for values in settings(**surface.painting_controls()):
        atlas, repainted = arrays(surface.render_painting(person, labels, **values))
        assert atlas.shape == (surface.ATLAS, surface.ATLAS, 3)
        off = person.mask[0].numpy() < 0.5
        assert (repainted[off] == 1).all()
        if values["strength"] == 0:
            np.testing.assert_allclose(repainted[~off], person.image.movedim(0, -1).numpy()[~off], atol=1e-6)
        else:
            seen.add(repainted.tobytes())
    assert len(seen) == 5 * 5 * 2


@pytest.mark.parametrize("bands", [4, 16])
def test_bands_run_the_way_their_name_says(bands):
    rows, columns = surface.paint("rows", bands), surface.paint("columns: bands of equal u", bands)
    assert (rows == rows[:, :, :1]).all()
    assert (columns == columns[:, :1]).all()
    changes = (rows[:, 1:, 0] != rows[:, :-1, 0]).any(0).sum()
    assert changes == bands - 1


def test_unknown_pattern_is_refused():
    with pytest.raises(InputError, match="there are: rows"):
        surface.paint("stars", 4)
    with pytest.raises(InputError, match="lacks its parts"):
        surface.paint("parts", 4)


# --------------------------------------------------------------------------------------------------------- mistakes


def test_mistakes_over_the_grid(person):
    for values in settings(**surface.mistake_controls()):
        photo, image, difference = arrays(surface.render_mistake(person, **values))
        assert photo.shape == image.shape == difference.shape == (64, 64, 3)


def test_the_forgotten_mask_shows_where_it_is_wrong(person):
    difference = arrays(surface.render_mistake(person, "mask forgotten", 64))[2]
    off = (surface.squared(person).mask[0] < 0.5).numpy()
    assert difference[off].mean() < difference[~off].mean() - 0.05  # dark where white was painted over


def test_every_mistake_costs_and_none_costs_least(person):
    errors = {name: surface.with_mistake(person, name, 64)[1] for name in surface.MISTAKES}
    right = errors.pop("no mistake")
    assert errors.pop("mask forgotten") == pytest.approx(right)  # it is wrong off the body alone
    assert min(errors.values()) > 1.1 * right
    image, _ = surface.with_mistake(person, "mask forgotten", 64)
    right_image, _ = surface.with_mistake(person, "no mistake", 64)
    off = (surface.squared(person).mask < 0.5).expand(3, -1, -1)
    assert (right_image[off] == 1).all()
    assert (image[off] < 1).any()
    with pytest.raises(InputError, match="there are: no mistake"):
        surface.with_mistake(person, "gremlins", 64)


def test_half_a_texel_matters_less_on_a_larger_atlas(person):
    loss = {}
    for size in (32, 256):
        uv = surface.MISTAKES["align_corners=True"](person.uv, size)
        loss[size] = float((uv - person.uv).abs().max()) * size / 2  # in texels
        assert 0.2 < loss[size] <= 0.5


# --------------------------------------------------------------------------------------------------------- transfer


def test_transfer_over_the_grid():
    people = [[make_person(0, number, view, 48) for view in range(2)] for number in (9, 19)]
    system = TexelFill(TexelFillConfig(atlas_size=48))
    for values in settings(**surface.transfer_controls(people)):
        shown = arrays(surface.render_transfer(people, system, **values))
        assert len(shown) == len(surface.STEPS) + 1
        photos = [*people[values["person"]], *people[1 - values["person"]]]
        lender = photos[values["pose"]].image.movedim(0, -1).numpy()
        np.testing.assert_array_equal(shown[-1], lender)
        np.testing.assert_array_equal(shown[0], people[values["person"]][values["view"]].image.movedim(0, -1).numpy())


# ------------------------------------------------------------------------------------------------------------ shells


def test_shells_move(person, labels):
    surface.painting_panel(person, labels).move()
    surface.mistake_panel(person).move()
    panel = body.body_panel()
    assert list(panel.controls) == ["tall", "build", "pose", "amount", "turn"]
    before = panel.image.value
    panel.set(turn=60)
    assert panel.image.value != before


def test_every_key_pose_on_offer_exists():
    for pose in steps(body.controls()["pose"]):
        body.blend_pose(pose, 1, 0)


# ----------------------------------------------------------------------------------------------------------- figures


def test_tiles_as_a_chart_table(person):
    """The atlas of real IUV pictures, as a table: there and back, and its flip twice."""
    from posekit.data.chart_tiles import charts_to_tiles, tile_mirror
    from posekit.ops.surface import flip_map

    table = fig.tile_table()
    uv, mask = table.to_atlas(person.part, person.chart)
    assert torch.equal(mask, person.mask)
    torch.testing.assert_close(uv, charts_to_tiles(person.part, person.chart), rtol=0, atol=2e-3)
    part, chart = table.to_charts(uv, mask)
    assert (part == person.part)[mask > 0.5].float().mean() > 0.99
    twice, twice_mask = flip_map(*flip_map(uv, mask, tile_mirror(512)), tile_mirror(512))
    on = (twice_mask > 0.5).expand(2, -1, -1)
    assert (twice - uv)[on].abs().median() < 2e-3


def test_own_subject_reads_an_iuv_picture(person, tmp_path):
    from PIL import Image

    levels = torch.cat([(person.chart * 255).floor(), person.part]).to(torch.uint8)
    Image.fromarray(levels[[1, 0, 2]].movedim(0, -1).numpy()).save(tmp_path / "a_IUV.png")
    Image.fromarray((person.image * 255).round().to(torch.uint8).movedim(0, -1).numpy()).save(tmp_path / "a.png")
    subject = fig.own_subject(str(tmp_path / "a.png"), str(tmp_path / "a_IUV.png"))
    assert torch.equal(subject.person.part, person.part)
    assert subject.mirror.shape[0] == 2
    torch.testing.assert_close(subject.person.image, person.image, rtol=0, atol=0.003)


def test_twins_share_a_hue_and_differ_in_lightness():
    from matplotlib.colors import rgb_to_hsv

    palette = fig.part_palette().numpy()
    assert len({tuple(c) for c in palette.round(3).tolist()}) == 25
    for right in set(fig.RIGHT):
        twin = surface_twin(right)
        if twin == right:
            continue
        a, b = rgb_to_hsv(palette[right]), rgb_to_hsv(palette[twin])
        assert min(abs(a[0] - b[0]), 1 - abs(a[0] - b[0])) < 0.02
        assert palette[right].sum() < palette[twin].sum() - 0.3


def surface_twin(part: int) -> int:
    from posekit.ops.surface import MIRROR_PARTS

    return MIRROR_PARTS[part]


def test_points_that_lie_together_share_a_mark():
    picture = fig.panels([("a", torch.zeros(3, 8, 8))])
    fig.mark(picture.axes[0], torch.tensor([[0.0, 0.0], [0.01, 0.0], [0.5, 0.5]]), (8, 8))
    assert [text.get_text() for text in picture.axes[0].texts] == ["1, 2", "3"]


def test_pictures_are_shown_small_and_alike():
    gradient = torch.stack([*identity_grid(64, 64), torch.zeros(64, 64)]).div(2).add(0.5)
    for image in (gradient, torch.zeros(3, 64, 64)):
        picture = fig.panels([("title", image)], width=2)
        full = np.asarray(picture.as_image().convert("RGB")).astype(int)
        small = np.asarray(picture.as_image(smallest=True).convert("RGB")).astype(int)
        assert full.shape == small.shape
        assert np.abs(full - small).mean() < 2


def test_rendered_subject_is_consistent():
    subject = fig.rendered_subject(0, 15, 1, (64, 48))
    uv, mask = subject.table.to_atlas(subject.person.part, subject.person.chart)
    assert torch.equal(mask, subject.person.mask)
    torch.testing.assert_close(uv, subject.person.uv, rtol=0, atol=1e-4)
    assert subject.mirror.shape == mirror_table().shape


def test_a_photograph_of_ones_own_needs_its_map(tmp_path):
    with pytest.raises(InputError, match=r"me\.jpg has no map: set surface_map"):
        fig.own_subject("me.jpg", "")
