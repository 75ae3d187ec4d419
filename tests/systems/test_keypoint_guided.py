"""Keypoint-guided: how poses are drawn and roughened, and that of the target nothing but its joints is looked at."""

import dataclasses

import pytest
import torch

from posekit.ops.grids import identity_grid, norm_to_points, points_to_norm
from posekit.ops.keypoints import skeleton_maps
from posekit.person import Pair, Person
from posekit.systems import build
from posekit.systems.base import describe
from posekit.systems.cut_out import silhouette
from posekit.systems.rough_pose import RoughPose, from_square, on_square, pose_planes
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs, disc_person, make_batch, with_joints

EXACT = {"window": (1.0, 1.0), "shift": 0.0, "jitter": 0.0, "dropout": 0.0, "blur": 0, "no_silhouette": 0.0}


def disc(size=64):
    """A batch of one whose surface map is where a pixel is in the photograph: it says what a window shows."""
    person = disc_person(size=size)
    return dataclasses.replace(person, part=(person.mask > 0).long())


def pair_with_joints(n=2, size=40):
    pair = make_batch(n, size)
    return Pair(with_joints(pair.source, 1), with_joints(pair.target, 2))


class PosedPairs(SyntheticPairs):
    def __getitem__(self, i):
        pair = super().__getitem__(i)
        return Pair(with_joints(pair.source, 2 * i), with_joints(pair.target, 2 * i + 1))


def tiny(**overrides):
    return build("coordinate_inpainting", variant="keypoints", **{**TINY, **overrides})


# ------------------------------------------------------------------------------------------------------- drawn poses


def test_an_exact_pose_is_the_photograph_as_it_is():
    person = disc()
    drawn = RoughPose(**EXACT)(person, (64, 64))
    assert torch.equal(drawn.uv, person.uv)
    assert torch.equal(drawn.part, person.part)
    assert torch.equal(drawn.planes[:, :1], person.mask)
    bones = skeleton_maps(person.keypoints, person.visibility, (64, 64))
    torch.testing.assert_close(drawn.planes[:, 1:], bones, atol=1e-5, rtol=0)


def test_maps_and_joints_move_together():
    """The map of the disc holds the place in the photograph: window, map and bones must tell of the same places."""
    torch.manual_seed(0)
    person = disc()
    people = Person(*(getattr(person, f.name).expand(16, *getattr(person, f.name).shape[1:])
                      if isinstance(getattr(person, f.name), torch.Tensor) else getattr(person, f.name)
                      for f in dataclasses.fields(person)))  # fmt: skip
    rough = RoughPose(**{**EXACT, "window": (0.5, 1.0), "shift": 0.3})
    drawn = rough(people, (64, 64))
    grid = identity_grid(64, 64)
    for i in range(16):
        on = drawn.part[i, 0] > 0
        place, window = (
            drawn.uv[i][:, on],
            grid[:, on],
        )  # place in the photograph = scale * place in the window + middle
        scale = ((place - place.mean(1, keepdim=True)) * (window - window.mean(1, keepdim=True))).sum()
        scale = scale / (window - window.mean(1, keepdim=True)).square().sum()
        middle = (place - scale * window).mean(1)
        assert 0.45 < scale < 1.05
        joints = (person.keypoints[0] - middle) / scale
        seen = person.visibility[0] * (joints.abs() <= 1).all(-1)
        expected = skeleton_maps(joints[None], seen[None], (64, 64))
        clear = (joints.abs() - 1).abs().amin() > 0.02  # no joint so near the border that rounding decides
        if clear:
            assert (drawn.planes[i, 1:] - expected[0]).abs().mean() < 0.01


def test_shares():
    torch.manual_seed(0)
    person = disc(32)
    many = person._map(lambda t: t.expand(400, *t.shape[1:]))
    drawn = RoughPose(**{**EXACT, "dropout": 0.06, "no_silhouette": 0.3})(many, (64, 64))
    without = (drawn.planes[:, 0] == -1).flatten(1)
    assert (without.all(1) == without.any(1)).all(), "a silhouette is there or is not"
    assert without[:, 0].float().mean().item() == pytest.approx(0.3, abs=0.08)
    bones = (drawn.planes[:, 1:].amax((2, 3)) > 0).float()
    assert bones.mean().item() == pytest.approx(0.94**2, abs=0.03), "a bone needs both its joints"


def test_silhouettes_swell_and_shrink():
    torch.manual_seed(0)
    person = disc(64)
    areas = {RoughPose(**{**EXACT, "blur": 3})(person, (64, 64)).planes[:, 0].sum().item() for _ in range(20)}
    exact = person.mask.sum().item()
    assert min(areas) < exact < max(areas)


def test_hair_belongs_to_the_silhouette():
    person = disc()
    hair = torch.zeros_like(person.mask)
    hair[..., :4, :4] = 1
    assert torch.equal(silhouette(person), person.mask)
    assert torch.equal(silhouette(dataclasses.replace(person, hair=hair)), torch.maximum(person.mask, hair))


def test_planes_without_a_silhouette():
    person = disc()
    planes = pose_planes(person.keypoints, person.visibility, None, (64, 32))
    assert planes.shape == (1, 18, 64, 32)
    assert (planes[:, 0] == -1).all()


@pytest.mark.parametrize(
    "settings",
    [{"window": (0.0, 1.0)}, {"window": (1.0, 0.5)}, {"shift": -1.0}, {"jitter": -0.1}, {"dropout": 1.5}, {"blur": -1}],
)
def test_bad_roughness(settings):
    with pytest.raises(InputError, match="A rough pose has a window"):
        RoughPose(**settings)


# -------------------------------------------------------------------------------------------------------- the system


def test_of_the_target_only_the_joints_are_seen():
    system, pair = tiny().eval(), pair_with_joints()
    result = system(pair)
    nan = torch.full_like(pair.target.image, torch.nan)
    blind = dataclasses.replace(pair.target, image=nan, uv=None, mask=None, part=None, chart=None, hair=None)
    again = system(Pair(pair.source, blind))
    assert torch.equal(result.image, again.image)
    assert torch.equal(result.M_N, again.M_N)
    moved = dataclasses.replace(pair.target, keypoints=-pair.target.keypoints)
    assert not torch.equal(system(Pair(pair.source, moved)).M_N, result.M_N)


def test_its_maps_are_those_of_the_dense_system_given_the_read_map():
    """f and g do what they always do; the map of the target is another one."""
    system, pair = tiny().eval(), pair_with_joints()
    dense = build("coordinate_inpainting", **TINY).eval()
    dense.f.load_state_dict(system.f.state_dict())
    dense.g.load_state_dict(system.g.state_dict())
    read = system.read_pose(pair.target)
    assert set(read.mask.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(read.mask, (read.part > 0).float())
    result, expected = system(pair), dense(Pair(pair.source, read))
    for name in ("C", "D", "T", "W", "E", "image"):
        assert torch.equal(getattr(result, name), getattr(expected, name)), name


def test_the_silhouette_is_seen_where_that_is_asked_for():
    system, pair = tiny(silhouette=True).eval(), pair_with_joints()
    other = dataclasses.replace(pair.target, mask=1 - pair.target.mask)
    assert not torch.equal(system.read_pose(other).uv, system.read_pose(pair.target).uv)
    assert torch.equal(system.read_pose(other, outline=False).uv, system.read_pose(pair.target, outline=False).uv)
    with pytest.raises(InputError, match="needs the field mask"):
        system(Pair(pair.source, dataclasses.replace(pair.target, mask=None)))
    with pytest.raises(InputError, match="needs the fields keypoints, visibility"):
        tiny()(Pair(pair.source, dataclasses.replace(pair.target, keypoints=None, visibility=None)))


@pytest.mark.parametrize("outline", [False, True])
@pytest.mark.parametrize("columns", [(0, 24), (5, 28), (4, 28)])
def test_a_narrow_photograph_is_read_as_it_lies_in_a_square(columns, outline):
    """Nothing is stretched: what is cut away left and right changes nothing of the rest."""
    system, person = tiny().eval(), pair_with_joints().target
    first, last = columns
    h, w = person.size
    margin = ((w - (last - first)) // 2, w - (last - first) - (w - (last - first)) // 2)
    keep = torch.zeros(w, dtype=torch.bool)
    keep[first:last] = True
    maps = {name: getattr(person, name)[..., keep] for name in ("image", "uv", "mask", "part")}
    moved = norm_to_points(person.keypoints, (h, w)) - torch.tensor([first, 0.0])
    narrow = dataclasses.replace(
        person, **maps, keypoints=points_to_norm(moved, (h, last - first)), chart=None, head=None, hair=None, hands=None
    )
    shifted = torch.zeros_like(person.mask)
    shifted[..., margin[0] : w - margin[1]] = narrow.mask
    whole = dataclasses.replace(
        person,
        mask=shifted,
        keypoints=points_to_norm(moved + torch.tensor([margin[0], 0.0]), (h, w)),
        head=None,
        hair=None,
    )
    read, expected = system.read_pose(narrow, outline), system.read_pose(whole, outline)
    for name in ("uv", "mask", "part"):
        torch.testing.assert_close(
            getattr(read, name), getattr(expected, name)[..., margin[0] : w - margin[1]], atol=1e-4, rtol=0
        )
    assert read.size == narrow.size


@pytest.mark.parametrize("size", [(6, 4), (4, 7), (5, 5)])
def test_there_and_back(size):
    person = Person(
        torch.rand(2, 3, *size), uv=torch.rand(2, 2, *size), mask=torch.ones(2, 1, *size),
        part=torch.ones(2, 1, *size, dtype=torch.long), keypoints=torch.rand(2, 18, 2),
        visibility=torch.ones(2, 18).long(),
        identity=("a", "b"), name=("a", "b"), atlas=("", ""),
    )  # fmt: skip
    square = on_square(person)
    assert square.size == (max(size), max(size))
    for name in ("image", "uv", "mask", "part"):
        assert torch.equal(from_square(getattr(square, name), size), getattr(person, name))
        assert square.mask.sum() == person.mask.sum()
    pixels = norm_to_points(square.keypoints, square.size) - norm_to_points(person.keypoints, size)
    corner = [(max(size) - size[1]) // 2, (max(size) - size[0]) // 2]
    torch.testing.assert_close(pixels, torch.tensor(corner).float().expand(2, 18, 2), atol=1e-4, rtol=0)


def test_stages():
    first, second, third = tiny().stages()
    assert [s.name for s in (first, second, third)] == ["surface", "inpainting", "refinement"]
    assert (first.parts, first.critics, dict(first.weights)) == (("surface",), (), {"parts": 1.0, "positions": 10.0})
    plain = build("coordinate_inpainting", **TINY).stages()
    for own, dense in zip((second, third), plain, strict=True):
        assert own == dense, "f and g are trained as they always are"
    assert "surface: PoseToSurface" in str(describe(tiny()))


def test_stages_train_what_they_say():
    """The surface first; f and g leave it as it is, its statistics too."""
    torch.manual_seed(0)
    system = tiny()
    before = {k: v.clone() for k, v in system.state_dict().items()}
    seen = {}

    def on_step(s, stage, step):
        seen[stage.name] = {k: v.clone() for k, v in s.state_dict().items()}

    fit(system, PosedPairs(4, 40), options=TrainingOptions(steps=2, device="cpu", progress=False), on_step=on_step)

    def moved(a, b):
        return {k.split(".")[0] for k in a if not torch.equal(a[k], b[k])}

    assert moved(before, seen["surface"]) == {"surface"}
    assert moved(seen["surface"], seen["inpainting"]) == {"f"}
    assert moved(seen["inpainting"], seen["refinement"]) == {"g", "discriminator"}


def test_it_learns_to_read():
    """One pose again and again: both losses fall to half, on exact poses too, which it was never shown."""
    torch.manual_seed(0)
    system, pair = tiny(map_width=4, map_lr=1e-2), pair_with_joints(2, 64)
    stage = system.stages()[0]

    def exact_losses():
        system.eval()
        drawn = RoughPose(**EXACT)(pair.target, (64, 64))
        scores, positions = system.surface(drawn.planes)
        result = type(system.stage_forward(pair, stage))(scores=scores, positions=positions, truth=drawn)
        return {name: value.item() for name, value in system.losses(pair, result).items()}

    class Again(SyntheticPairs):
        def __getitem__(self, i):
            return pair[i % 2]

    options = TrainingOptions(stages=["surface"], steps=60, device="cpu", progress=False)
    before = exact_losses()
    fit(system, Again(2, 64), options=options)
    after = exact_losses()
    assert all(after[name] < 0.5 * before[name] for name in ("parts", "positions")), (before, after)


def test_training_needs_parts():
    system, pair = tiny(), pair_with_joints()
    bare = Pair(pair.source, dataclasses.replace(pair.target, part=None))
    with pytest.raises(InputError, match="needs the field part"):
        system.stage_forward(bare, system.stages()[0])


@pytest.mark.parametrize("settings", [{"map_size": 60}, {"map_size": 32}, {"map_width": 0}, {"map_lr": 0.0}])
def test_bad_settings(settings):
    with pytest.raises(InputError, match="map_"):
        tiny(**settings)
