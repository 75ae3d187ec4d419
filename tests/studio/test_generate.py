"""People from numbers: deterministic, split by identity, consistent, and exact enough to carry colours."""

import dataclasses

import numpy as np
import pytest
import torch

from posekit.ops.grids import identity_grid, index_to_norm
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import Person
from posekit.studio.body.surface_tables import surface_table
from posekit.studio.body.unfolded import chart_at
from posekit.studio.generate import _dress, make_person, make_shot, sitter, split_of
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def person():
    """A dressed person from head to toes or hips, 96 x 80."""
    return make_person(3, 7, 0, (96, 80))


def equal(a: Person, b: Person) -> bool:
    for field in dataclasses.fields(Person):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if not (torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y):
            return False
    return True


def test_the_same_numbers_give_the_same_photograph(person):
    sitter.cache_clear()
    make_person(3, 8, 1, 32)  # something else in between
    assert equal(person, make_person(3, 7, 0, (96, 80)))


def test_seed_person_and_view_all_matter(person):
    for other in (make_person(4, 7, 0, (96, 80)), make_person(3, 8, 0, (96, 80)), make_person(3, 7, 1, (96, 80))):
        assert (other.image != person.image).float().mean() > 0.2


def test_fields(person):
    assert person.size == (96, 80)
    assert person.identity == "studio-3-7"
    assert person.name == "studio-3-7-0"
    assert 0 <= person.image.min() < person.image.max() <= 1
    on = person.mask > 0
    assert 0.04 < person.mask.mean() < 0.8
    assert person.uv.abs().max() <= 1
    assert (person.uv[:, ~on[0]] == 0).all()
    assert (person.chart[:, ~on[0]] == 0).all()
    assert ((person.part > 0) == on).all()
    assert person.part.max() <= 24
    assert set(person.visibility.tolist()) <= {0, 1, 2}
    inside = (person.keypoints.abs() <= 1).all(-1)
    assert (inside == (person.visibility > 0)).all()
    for name in ("head", "hair", "hands"):
        assert set(getattr(person, name).unique().tolist()) <= {0.0, 1.0}
    assert (person.hair <= person.head).all()
    assert person.head.sum() > 20


def test_visible_joints_are_on_the_person(person):
    shot = make_shot(3, 7, 0, (96, 80))
    silhouette = (shot.part > 0) | shot.head
    for (x, y), v in zip(shot.keypoints, shot.visibility, strict=True):
        if v == 2:
            r, c = int(y), int(x)
            assert silhouette[max(0, r - 3) : r + 4, max(0, c - 3) : c + 4].any()
    points = torch.from_numpy(shot.keypoints)
    expected = torch.stack([index_to_norm(points[:, 0] - 0.5, 80), index_to_norm(points[:, 1] - 0.5, 96)], -1)
    torch.testing.assert_close(person.keypoints, expected)


def test_the_parts_are_those_of_the_atlas_and_the_charts_are_unfolded(person):
    part, _ = surface_table().to_charts(person.uv[None], person.mask[None])
    assert (part[0] == person.part).all()
    chart = chart_at(person.uv.numpy(), person.part[0].numpy())
    np.testing.assert_allclose(person.chart.numpy(), chart, atol=1e-6)


def test_splits_share_no_body():
    assert [split_of(n) for n in range(6, 12)] == ["train", "train", "val", "test", "train", "train"]
    for n in (8, 9, 18, 23):
        assert sitter(0, n).figure.meta["bank_row"] % 10 == n % 10


def test_skirt_readings_differ_only_under_the_skirt():
    shots = [make_shot(1, 0, 0, 64, skirts=s, outfit="skirt") for s in ("legs", "cloth")]
    legs, cloth = shots
    assert (legs.image == cloth.image).all()
    differ = legs.part != cloth.part
    assert differ.sum() > 20
    assert (cloth.part[differ] == 0).all()
    no_skirt = [make_shot(1, 0, 0, 64, skirts=s, outfit="trousers") for s in ("legs", "cloth")]
    assert (no_skirt[0].uv == no_skirt[1].uv).all()
    assert set(np.unique(legs.part[differ])) & {7, 8, 9, 10, 11, 12, 13, 14}


def test_faces_fill_the_picture_and_change_their_expression():
    people = [make_person(0, 5, v, 64, kind="face") for v in (0, 1, 2)]
    for p in people:
        assert p.head.mean() > 0.2
        assert p.keypoints[0].abs().max() < 0.6  # the nose is near the middle
        assert p.visibility[9] == 0  # no knees
        assert p.atlas == "head"
        assert set(p.part.unique().tolist()) == {0, 23, 24}
        assert (p.mask == (p.part > 0)).all()
        assert (p.uv[:, p.mask[0] == 0] == 0).all()
        assert p.uv.abs().max() <= 1
        assert p.head[p.mask > 0].float().mean() > 0.97
    assert (people[0].image != people[1].image).any()
    assert people[0].identity == people[2].identity


def test_sides_show_front_side_back_and_side_of_a_whole_person():
    for number in (3, 5):
        photos = [make_person(0, number, view, 64, kind="sides") for view in range(5)]
        torso = [[int((p.part == part).sum()) for part in (1, 2)] for p in photos]  # back, front
        assert torso[0][1] > 5 * torso[0][0]
        assert torso[2][0] > 5 * torso[2][1]
        legs = [[int(sum((p.part == part).sum() for part in own)) for own in ((7, 9), (8, 10))] for p in photos]
        assert (legs[1][0] - legs[1][1]) * (legs[3][0] - legs[3][1]) < 0  # right leg here, left leg there
        assert torso[4][1] > 5 * torso[4][0]  # the fifth is from the front again
        assert all((p.part == 5).sum() + (p.part == 6).sum() > 0 for p in photos), "no whole person without feet"
        assert (photos[4].image != photos[0].image).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 8}, "from 16 to 2048"),
        ({"size": (64,)}, "from 16 to 2048"),
        ({"kind": "cat"}, "kind must be one of body, face, sides"),
        ({"skirts": "kilt"}, "skirts must be one of"),
        ({"person": -1}, "numbers from 0 up"),
    ],
)
def test_bad_arguments(changes, message):
    with pytest.raises(InputError, match=message):
        make_person(**({"seed": 0, "person": 0, "view": 0, "size": 32} | changes))


def test_choices_reach_the_figure():
    with pytest.raises(ValueError, match="outfit must be one of"):
        make_person(0, 0, 0, 32, outfit="armour")


# ----------------------------------------------------------------------------------------------------------- round trip


def through_the_atlas(person: Person, texels: int):
    """The coordinate texture of a photograph (bilinear splat, one 3 x 3 fill), sampled back by its own map.

    Returns (x, y) found per pixel, and where it counts: at least half of the four texels known, and all known
    ones from one place of the photograph (no seam of the atlas in between).
    """
    h, w = person.size
    drawn = splat(identity_grid(h, w)[None], person.uv[None], (texels, texels), person.mask[None], min_weight=0.15)
    known = drawn.known
    pool = lambda t: torch.nn.functional.avg_pool2d(t, 3, 1, 1)  # noqa: E731
    share = pool(known)
    new = ((known == 0) & (share > 0.3)).float()
    values = drawn.values * known + new * pool(drawn.values * known) / share.clamp(min=1e-6)
    known = known + new
    weight = sample(known, person.uv[None])
    found = sample(values * known, person.uv[None]) / weight.clamp(min=1e-6)
    spread = [torch.nn.functional.max_pool2d(torch.where(known > 0, s * values, -9.0), 3, 1, 1) for s in (1, -1)]
    spread = sample((spread[0] + spread[1]).clamp(min=0), person.uv[None]).amax(1, keepdim=True)
    counts = (person.mask[None] > 0) & (weight > 0.5) & (spread < 12 * 2 / h)
    return found, counts


@pytest.fixture(scope="module")
def large():
    return [make_person(0, n, 0, 256) for n in (1, 3)]


def test_round_trip_through_the_atlas(large):
    """The coordinates that come back are right within a tenth of a pixel, the colours within 34 dB."""
    errors, squares = [], []
    for person in large:
        found, counts = through_the_atlas(person, 256)
        share = counts.sum() / person.mask.sum()
        assert share > 0.85
        truth = identity_grid(256, 256)[None]
        errors.append(((found - truth).abs() * 128).mean(1, keepdim=True)[counts])
        back = sample(person.image[None], found)
        squares.append(((back - person.image[None]) ** 2).mean(1, keepdim=True)[counts])
    error, psnr = torch.cat(errors).mean(), -10 * torch.log10(torch.cat(squares).mean())
    assert error < 0.12
    assert psnr > 34
    coarse, counts = through_the_atlas(large[0], 64)
    assert ((coarse - truth).abs() * 128).mean(1, keepdim=True)[counts].mean() > error  # resolution is what limits it


@pytest.mark.parametrize("kind", ["body", "sides"])
def test_in_ones_own_clothes_nothing_changes(kind):
    own, same = (make_shot(0, 9, 1, 48, kind, **c) for c in ({}, {"clothes_of": 9}))
    for field in dataclasses.fields(own):
        assert np.array_equal(getattr(own, field.name), getattr(same, field.name)), field.name


@pytest.mark.parametrize(("person", "owner"), [(9, 59), (59, 19)])  # a skirt on trousers, and the other way round
def test_in_the_clothes_of_another(person, owner):
    """Pose, camera, head and hands stay; the clothes are those that the other one wears."""
    own, worn = (make_shot(0, person, 0, 96, "sides", **c) for c in ({}, {"clothes_of": owner}))
    assert np.array_equal(own.keypoints, worn.keypoints)
    head = own.head & worn.head
    assert head.sum() > 0.95 * own.head.sum()
    difference = np.abs(own.image.astype(int) - worn.image.astype(int)).mean(-1)
    assert difference[head].mean() < 6, "shadows of the clothes apart"
    body = (own.part > 0) & (worn.part > 0) & ~own.head & ~own.hands
    assert difference[body].mean() > 20
    theirs, borrowed = sitter(0, owner).figure.meta, _dress(0, person, "body", {"clothes_of": owner}).figure.meta
    clothes = ("outfit", "top", "neck", "sleeve", "shirt", "bottom", "skirt_length", "jacket", "shoes", "tucked")
    assert {k: theirs[k] for k in clothes} == {k: borrowed[k] for k in clothes}
    assert sitter(0, person).figure.meta["bank_row"] == borrowed["bank_row"]


def test_every_kind_of_clothes_fits_everybody():
    """A dress on a man, shorts on a woman: whoever it was drawn for, it is rendered, and the body keeps its map."""
    people, owners = {}, {}
    for n in range(40):
        meta = sitter(0, n).figure.meta
        people.setdefault(meta["female"], n)
        owners.setdefault(meta["outfit"], n)
        if len(people) == 2 and len(owners) == 4:
            break
    assert set(owners) == {"trousers", "shorts", "skirt", "dress"}
    for person in people.values():
        own = (make_shot(0, person, 0, 48, "sides").part > 0).sum()
        for owner in owners.values():
            shot = make_shot(0, person, 0, 48, "sides", clothes_of=owner)
            assert 0.8 * own < (shot.part > 0).sum() < 1.4 * own
