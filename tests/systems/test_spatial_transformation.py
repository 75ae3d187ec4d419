"""Pose transfer by one spatial transformation: affine task, flow, variants, losses, training, bad input."""

import dataclasses

import pytest
import torch

from posekit.losses.perceptual import pyramid_loss
from posekit.losses.sampling_correctness import sampling_correctness
from posekit.nets.vgg import VGGFeatures
from posekit.ops.affine import affine_flow, affine_matrix, invert
from posekit.ops.correlation import matching
from posekit.ops.grids import identity_grid, resize_grid
from posekit.ops.keypoints import heat_maps
from posekit.ops.sample import sample
from posekit.person import Pair, Person, collate_pairs
from posekit.studio.generate import make_person
from posekit.systems import build
from posekit.systems.base import count_parameters
from posekit.systems.spatial_transformation import FLOW_ALONE, LAYERS, MATCHED, VARIANTS
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.errors import InputError

SIZE = 32
TINY = {
    "image_size": SIZE, "channels": 6, "pose_width": 8, "flow_width": 8, "refine_width": 8, "feature_width": 4,
    "scales": 2, "batch_size": 2, "sigma": 2.0, "affine_weight": 0.05,
}  # fmt: skip


def person(identity: int, view: int, size: int = SIZE) -> Person:
    """A smooth picture and joints, no surface map; the joints of a view are another place of the same skeleton."""
    g = torch.Generator().manual_seed(identity)
    joints = torch.rand(18, 2, generator=g) * 1.2 - 0.6
    g = torch.Generator().manual_seed(1000 * identity + view)
    shift = 0.3 * torch.rand(2, generator=g) - 0.15
    x = identity_grid(size, size) - shift[:, None, None]
    colours = 0.5 + 0.4 * torch.sin(torch.stack([3 * x[0], 4 * x[1] + 1, 3 * (x[0] + x[1])]) + identity)
    return Person(colours, keypoints=joints + shift, visibility=torch.full((18,), 2), name=f"{identity}_{view}")


class Pairs:
    def __len__(self):
        return 6

    def __getitem__(self, i):
        return Pair(person(i, 0), person(i, 1))


def batch(n: int = 2) -> Pair:
    return collate_pairs([Pairs()[i] for i in range(n)])


def tiny(variant="full", **overrides):
    return build("spatial_transformation", variant=variant, **{**TINY, **overrides})


@pytest.fixture(scope="module")
def sitter():
    """A rendered person and the heat maps of her joints."""
    p = make_person(3, 7, 0, 64).batched()
    return p, heat_maps(p.keypoints, p.visibility, p.size, sigma=3.0)


# ------------------------------------------------------------------------------------------------ the affine task


def test_the_target_flow_undoes_the_random_map(sitter):
    """Warping the affinely moved source with s_f gives the target back, poses and photographs, within interpolation."""
    p, p_t = sitter
    system = build("spatial_transformation", image_size=64, scales=3, feature_width=4)
    torch.manual_seed(0)
    for _ in range(4):
        task = system.affine_task(p_t)
        s_f = resize_grid(task["s_f"], (64, 64))
        moved = sample(p.image, affine_flow(task["A"], (64, 64)))  # the photograph that belongs to p_st
        inside = (s_f.abs() < 1 - 2 / 64).all(1, keepdim=True)  # the rest left the picture when it was moved
        assert inside.float().mean() > 0.5
        pose_error = ((sample(task["p_st"], s_f) - p_t).abs() * inside).amax()
        assert pose_error < 0.06  # of a Gaussian 3 pixels wide, interpolated twice
        smooth = torch.nn.functional.avg_pool2d(p.image, 5, 1, 2)
        smooth_error = (sample(sample(smooth, affine_flow(task["A"], (64, 64))), s_f) - smooth).abs() * inside
        assert smooth_error.mean() < 0.01
        assert ((sample(moved, s_f) - p.image).abs() * inside).mean() < 0.03
        assert ((moved - p.image).abs() * inside).mean() > 0.05  # it had been moved


def test_the_pose_is_sampled_through_the_map(sitter):
    """A joint of the target at k lies at A^-1 k in p_st."""
    p, p_t = sitter
    system = build("spatial_transformation", image_size=64, scales=3, feature_width=4)
    torch.manual_seed(1)
    task = system.affine_task(p_t)
    where = (invert(task["A"])[:, :, :2] @ p.keypoints.mT + invert(task["A"])[:, :, 2:]).mT[0]
    checked = 0
    for joint in range(18):
        ends = torch.stack([where[joint], p.keypoints[0, joint]]).abs().max()
        if p.visibility[0, joint] > 0 and ends < 0.85:
            checked += 1
            peak = task["p_st"][0, joint].flatten().argmax()
            found = identity_grid(64, 64).flatten(1)[:, peak]
            assert (found - where[joint]).abs().max() < 2.5 * 2 / 64
    assert checked > 5
    assert task["s_f"].shape == (1, 2, 16, 16)
    grid = identity_grid(16, 16).flatten(1)
    expected = invert(task["A"])[0, :, :2] @ grid + invert(task["A"])[0, :, 2:]
    torch.testing.assert_close(task["s_f"][0].flatten(1), expected)


def test_people_stay_upright():
    """All extremes of the maps that can be drawn, and the inverses, which move the people: none lies or is mirrored."""
    r = tiny().config.ranges
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 7)
    maps = affine_matrix(
        r.angle * corners[:, 0],
        (1 + r.scale) ** corners[:, 1:3],
        r.shear * corners[:, 3:5],
        r.translation * corners[:, 5:],
    )
    for m, most in ((maps, 18), (invert(maps), 26)):
        down = m[:, :, 1]  # where the map takes (0, 1)
        tilt = torch.rad2deg(torch.atan2(down[:, 0].abs(), down[:, 1])).max()
        assert most - 1 < tilt < most  # the docstring of random_affine
        assert torch.linalg.det(m[:, :, :2]).min() > 0


def test_the_task_is_drawn_from_the_global_generator():
    system, p_t = tiny(), tiny().pose(batch().target)
    torch.manual_seed(3)
    first, second = system.affine_task(p_t)["A"], system.affine_task(p_t)["A"]
    torch.manual_seed(3)
    assert torch.equal(system.affine_task(p_t)["A"], first)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_affine_loss_is_the_printed_sum():
    system, pair = tiny(), batch()
    stage = system.stages()[0].turn(0)
    assert set(stage.weights) == {"affine"}
    result = system.stage_forward(pair, stage)
    assert result.image is None
    estimated, wanted = (f.flatten().tolist() for f in (result.f_st, result.s_f))
    expected = sum(abs(a - b) for a, b in zip(estimated, wanted, strict=True)) / 2
    assert system.losses(pair, result)["affine"].item() == pytest.approx(expected, rel=1e-4)


# ------------------------------------------------------------------------------------------------ from poses to picture


def test_maps_follow_their_definitions():
    system, pair = tiny().eval(), batch()
    r = system(pair)
    h = SIZE // 4
    torch.testing.assert_close(r.p_s, heat_maps(pair.source.keypoints, pair.source.visibility, (SIZE, SIZE), 2.0))
    torch.testing.assert_close(r.z_t, system.M(r.p_t))
    torch.testing.assert_close(r.Q, matching(r.z_s, r.z_t))
    assert r.Q.shape == (2, h * h, h, h)
    torch.testing.assert_close(r.flow, system.C_l(r.Q))
    torch.testing.assert_close(r.warped, sample(pair.source.image, resize_grid(r.flow, (SIZE, SIZE)), padding="border"))
    torch.testing.assert_close(r.image, system.R(pair.source.image, r.flow))


def test_the_flow_knows_poses_only():
    """Other colours in both photographs: the same flow."""
    system, pair = tiny().eval(), batch()
    other = dataclasses.replace(pair, source=dataclasses.replace(pair.source, image=1 - pair.source.image))
    assert torch.equal(system(pair).flow, system(other).flow)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_learns_from_every_loss(variant):
    system, pair = tiny(variant).train(), batch()
    for stage in system.stages():
        named = set()
        for step in range(max(1, len(stage.turns))):
            turn = stage.turn(step)
            result = system.stage_forward(pair, turn)
            for name, value in system.losses(pair, result, tuple(turn.weights)).items():
                system.zero_grad()
                value.backward(retain_graph=True)
                moved = {k for k in ("M", "C_l", "R") if _moved(system, k)}
                expected = {"M", "C_l"} if name == "affine" or variant in FLOW_ALONE else {"M", "C_l", "R"}
                assert moved == expected, name
                named.add(name)
        assert named == set(stage.weights)


def _moved(system, name: str) -> bool:
    net = getattr(system, name, None)
    return net is not None and any(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())


def test_variants_are_wired_as_the_paper_says():
    full = tiny()
    assert [s.name for s in full.stages()] == ["flow", "adversarial"]
    for stage in full.stages():
        assert stage.turns[0] == ("affine",)
        assert "affine" not in stage.turns[1]
        assert stage.parts == ("M", "C_l", "R.encoder", "R.decoder")
    assert "adversarial" not in full.stages()[0].weights
    assert full.stages()[1].critics == ("discriminator",)
    assert tiny(gan_weight=0.0).stages()[1].critics == ()
    no_affine = tiny("no_affine")
    assert all("affine" not in stage.weights and not stage.turns for stage in no_affine.stages())
    no_refinement = tiny("no_refinement")
    assert not hasattr(no_refinement, "R")
    assert [s.name for s in no_refinement.stages()] == ["flow"]
    r = no_refinement.eval()(batch())
    assert torch.equal(r.image, r.warped)
    assert tiny("with_skips").R.skips
    assert not full.R.skips


def test_the_discriminator_sees_the_target_pose():
    system, pair = tiny(), batch()
    seen = []
    system.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    r = system(pair)
    loss = system.critic_losses(pair, r)["discriminator"]
    assert torch.equal(seen[0][:2], torch.cat([pair.target.image, r.p_t], 1))
    assert torch.equal(seen[0][2:], torch.cat([r.image.detach(), r.p_t], 1))
    loss.backward()
    assert all(p.grad is None for p in system.R.parameters())
    affine_only = system.stage_forward(pair, system.stages()[1].turn(0))
    assert system.critic_losses(pair, affine_only) == {}


def test_sampling_correctness_looks_at_two_scales():
    """Features of both photographs at a quarter and an eighth, the flow at each; no affine task, nothing refined."""
    system, pair = tiny("correctness"), batch()
    (stage,) = system.stages()
    assert (stage.weights, stage.parts, stage.turns) == ({"correctness": 1.0}, ("M", "C_l"), ())
    assert not hasattr(system, "R")
    r = system(pair)
    assert torch.equal(r.image, r.warped)
    source, target = (VGGFeatures("random", MATCHED, 4)(p.image) for p in (pair.source, pair.target))
    assert [target[name].shape[-1] for name in MATCHED] == [SIZE // 4, SIZE // 8]
    terms = [sampling_correctness(source[n], target[n], resize_grid(r.flow, target[n].shape[-2:])) for n in MATCHED]
    torch.testing.assert_close(system.losses(pair, r, ["correctness"])["correctness"], sum(terms) / 2)
    with pytest.raises(InputError, match="correctness"):
        tiny().losses(pair, tiny()(pair), ["correctness"])


def test_perceptual_loss_compares_all_layers_at_all_scales():
    system, pair = tiny(), batch()
    r = system(pair)
    features = VGGFeatures("random", LAYERS, 4)
    expected = pyramid_loss(r.image, pair.target.image, features, 2)
    torch.testing.assert_close(system.losses(pair, r, ["perceptual"])["perceptual"], expected)


# ------------------------------------------------------------------------------------------------ presets


def test_published_sizes_and_weights():
    system = build("spatial_transformation", "paper")
    assert system.C_l.layers[0][0].in_channels == 4096
    assert system.M.layers[-1].num_features == 35
    assert system.C_l.layers[0][0].out_channels == 128
    assert len(system.C_l.layers) + 1 == 6
    # each network's own test has the arithmetic of its count
    counts = {name: count_parameters(net) for name, net in system.named_children()}
    assert counts == {"M": 363_654, "C_l": 5_051_842, "R": 7_764_675, "discriminator": 180_179}
    first, second = system.stages()
    assert dict(second.weights) == {"affine": 0.001, "perceptual": 1.0, "adversarial": 0.1}
    assert (first.lr, first.part_lr, first.batch_size) == (1e-6, {}, 7)
    assert second.lr == 1e-4
    assert second.part_lr == {"M": 1e-8, "C_l": 1e-8, "R.encoder": 1e-8}


@pytest.mark.parametrize("depth", range(1, 7))
def test_every_depth_runs(depth):
    system = tiny(depth=depth).eval()
    assert len(system.C_l.layers) + 1 == depth
    assert system(batch()).flow.shape == (2, 2, SIZE // 4, SIZE // 4)


def test_the_card_names_random_features_and_our_own_numbers():
    card = build("spatial_transformation").card()
    assert card["loss_features"].startswith("random weights")
    assert card["loss_weights"].endswith("(published 0.001, 1, 0, 0.1)")
    assert "published 1e-06" in card["learning_rates"]
    assert build("spatial_transformation", "paper").card()["loss_features"] == "vgg19, ImageNet"


# ------------------------------------------------------------------------------------------------ training


def test_a_short_training_lowers_the_losses():
    torch.set_num_threads(1)
    system = tiny(lr=3e-3, decay=0.0, channels=16, pose_width=16, flow_width=32, sigma=4.0)
    log = fit(
        system, Pairs(), options=TrainingOptions(stages=["flow"], steps=100, device="cpu", progress=False, log_every=2)
    )
    falls = {k: _mean(log[-5:], k) / _mean(log[:5], k) for k in ("affine", "perceptual", "l1")}
    assert falls["affine"] < 0.8
    assert falls["l1"] < 0.9
    assert falls["perceptual"] < 0.9


def _mean(records, name):
    return sum(r["losses"][name] for r in records) / len(records)


def test_the_second_stage_moves_the_decoder_and_hardly_the_rest():
    system = tiny()
    before = {k: v.clone() for k, v in system.state_dict().items()}
    fit(system, Pairs(), options=TrainingOptions(stages=["adversarial"], steps=4, device="cpu", progress=False))
    moved = {k: (v - before[k]).abs().max().item() for k, v in system.state_dict().items() if k.endswith("bias")}
    slow = system.config.other_lr
    assert 0 < moved["C_l.last.bias"] < 5 * slow  # four steps of at most about the rate
    assert moved["R.decoder.last.bias"] > 5 * slow
    assert max(v for k, v in moved.items() if k.startswith("discriminator")) > 5 * slow


def test_an_interrupted_training_goes_on_bit_for_bit(tmp_path):
    """The random maps of the affine task are the next ones, not the first ones again."""
    torch.set_num_threads(1)
    options = {"device": "cpu", "progress": False, "checkpoint_every": 3, "stages": ["flow"]}
    whole, cut = tiny(), tiny()

    def stop(system, stage, step):
        if step == 5:
            raise RuntimeError("power cut")

    fit(whole, Pairs(), tmp_path / "a", TrainingOptions(steps=8, **options))
    with pytest.raises(RuntimeError, match="power cut"):
        fit(cut, Pairs(), tmp_path / "b", TrainingOptions(steps=8, **options), on_step=stop)
    torch.manual_seed(99)
    again = tiny(seed=1)
    fit(again, Pairs(), tmp_path / "b", TrainingOptions(steps=8, **options))
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in whole.state_dict().items())


def test_autocast_keeps_flow_and_colours_in_float32():
    system = tiny().eval()
    exact = system(batch())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        r = system(batch())
    assert r.Q.dtype == r.flow.dtype == r.warped.dtype == r.image.dtype == torch.float32
    assert (r.flow - exact.flow).abs().mean() < 0.05


# ------------------------------------------------------------------------------------------------ bad input


def test_missing_joints_are_empty_maps_and_nobody_gives_a_finite_picture():
    pair = batch()
    nobody = dataclasses.replace(pair.source, visibility=torch.zeros_like(pair.source.visibility))
    r = tiny()(dataclasses.replace(pair, source=nobody))
    assert r.p_s.abs().max() == 0
    assert r.image.isfinite().all()


def test_bad_input(unchecked):
    pair = batch()
    bare = dataclasses.replace(pair, target=dataclasses.replace(pair.target, keypoints=None, visibility=None))
    with pytest.raises(InputError, match="spatial_transformation needs the fields keypoints, visibility"):
        tiny()(bare)
    with pytest.raises(InputError, match="pair.batched"):
        tiny()(Pairs()[0])
    with pytest.raises(InputError, match="built for photographs of 40 x 40 pixels, got 32 x 32"):
        tiny(image_size=40)(pair)
    with pytest.raises(InputError, match="Unknown loss 'affine'"):
        tiny().losses(pair, tiny()(pair), ["affine"])
    for settings, message in (
        ({"depth": 7}, "1 to 6 layers"),
        ({"image_size": 30}, "multiple of 4"),
        ({"scales": 4}, "4 scales needs images of 128 pixels or more, got 32"),
        ({"shear": 1.0}, "below 1"),
        ({"angle": -0.1}, "0 or more"),
        ({"lr": 0.0}, "must be positive"),
        ({"sigma": 0.0}, "sigma must be positive, got 0.0"),
        ({"decay": 2.0}, "between 0 and 1"),
        ({"gan_weight": -1.0}, "Loss weights are 0 or more"),
        ({"perceptual_weight": 0.0, "l1_weight": 0.0}, "perceptual_weight or l1_weight above 0"),
        ({"features": "vgg16"}, "Unknown kind of features"),
        ({"variant": "half"}, "Unknown variant"),
    ):
        with pytest.raises(InputError, match=message):
            tiny(**{"variant": "full", **settings})
