"""The coordinate-based system: geometry of its maps, variants, losses, gradients, stages."""

import dataclasses
import json

import pytest
import torch
import torch.nn.functional as F

from posekit.evaluation.textures import background_share
from posekit.losses.content import content_loss
from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.losses.style import style_loss
from posekit.nets.vgg import VGGFeatures
from posekit.ops.agreement import agreeing
from posekit.ops.crops import cut_squares, random_corners
from posekit.ops.grids import identity_grid
from posekit.ops.inside import pull_inside
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.systems import build
from posekit.systems.coordinate_inpainting import UNKNOWN
from posekit.systems.coordinate_settings import OF_COORDINATES, TEXTURE_LOSSES, VARIANTS, CoordinateInpaintingConfig
from posekit.util.errors import InputError
from tests.synthetic import TINY, make_batch, make_pair, with_joints

TEXTURE = {"texture_source", "texture_target"}
IMAGE = {"l1", "content", "style", "nearest_neighbour", "adversarial"}


def tiny(variant="full", **overrides):
    return build("coordinate_inpainting", variant=variant, **{**TINY, **overrides})


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_runs_and_learns_from_every_loss(variant):
    system, pair = tiny(variant), make_batch(2, 40)
    pair = dataclasses.replace(pair, target=with_joints(pair.target))
    right = (identity_grid(40, 40)[:1] > 0.2).float()  # f starts by looking at the middle, where there is nobody
    pair = dataclasses.replace(pair, source=dataclasses.replace(pair.source, mask=pair.source.mask * right))
    result = system(pair)
    assert result.image.shape == (2, 3, 40, 40)
    assert 0 <= result.image.min() <= result.image.max() <= 1
    assert (result.D is None) == (variant in ("rgb", "no_textures"))
    assert (result.E is None) == (variant in ("rgb", "no_textures"))
    assert (result.T is None) == (variant == "no_textures")
    terms = system.losses(pair, result)
    expected = {
        "full": {*OF_COORDINATES} | TEXTURE | IMAGE,
        "no_deform": {*OF_COORDINATES} | TEXTURE | IMAGE,
        "rgb": TEXTURE | IMAGE,
        "no_textures": IMAGE,
        "keypoints": {*OF_COORDINATES} | TEXTURE | IMAGE,
        "garments": {*OF_COORDINATES} | TEXTURE | IMAGE,
    }
    assert set(terms) == expected[variant]
    for name, value in terms.items():
        system.zero_grad()
        value.backward(retain_graph=True)
        net = system.f if name in TEXTURE_LOSSES else system.g
        if name in TEXTURE_LOSSES:
            assert all(p.grad is None for p in system.g.parameters())
        grads = [p.grad for p in net.parameters() if p.grad is not None]
        assert grads, name
        assert all(torch.isfinite(g).all() for g in grads)
        assert max(g.abs().max() for g in grads) > 0, name


@pytest.mark.parametrize("variant", VARIANTS)
def test_full_size_of_the_variants(variant):
    """Only the first layers and the skips differ between the variants."""
    system = build("coordinate_inpainting", "paper", variant=variant)
    channels = {"full": 10, "no_deform": 16, "rgb": 14, "no_textures": 11, "keypoints": 10, "garments": 14}[variant]
    assert system.g.target[0].conv.in_channels == channels
    assert (system.g.source is not None) == (variant in ("full", "keypoints", "garments"))
    assert hasattr(system, "surface") == (variant == "keypoints")
    assert hasattr(system, "f") == (variant != "no_textures")
    if variant == "rgb":
        assert system.f.encoder[0].features.in_channels == 6
        assert system.f.last.out_channels == 3


def test_maps_follow_their_definitions():
    system, pair = tiny(), make_batch(2, 40)
    system.eval()
    r = system(pair)
    grid = identity_grid(40, 40).expand(2, 2, 40, 40)
    texels = splat(grid, pair.source.uv, (40, 40), pair.source.mask)
    torch.testing.assert_close(r.C, texels.values)
    torch.testing.assert_close(r.known, texels.known)
    assert 0.05 < r.known.mean() < 0.95
    assert (r.C[r.known.expand_as(r.C) == 0] == 0).all()  # the filler is for f alone
    torch.testing.assert_close(r.T, sample(pair.source.image, r.D, padding="border"))
    torch.testing.assert_close(r.W, sample(r.T, pair.target.uv, padding="border") * pair.target.mask)
    torch.testing.assert_close(r.E, sample(r.D, pair.target.uv, padding="border") * pair.target.mask)
    # a known texel's colour is the photograph's at C: the two rasterisations agree where the picture is smooth
    again = sample(pair.source.image, r.C, padding="border")
    error = ((again - r.observed).abs().mean(1, keepdim=True) * r.known).sum() / r.known.sum()
    assert error < 0.02


def test_f_may_work_in_a_coarser_atlas():
    """It sees the photograph splatted there; its positions are enlarged, and T has as many texels as asked."""
    system, pair = tiny(f_size=40, atlas_size=80), make_batch(2, 40)
    seen = []
    system.f.register_forward_hook(lambda _, inputs, made: seen.append((inputs[0], made)))
    r = system(pair, image=False)
    ((x, made),) = seen
    texels = splat(identity_grid(40, 40).expand(2, 2, 40, 40), pair.source.uv, (40, 40), pair.source.mask)
    torch.testing.assert_close(x[:, 2:3], texels.known)
    known = texels.known.expand_as(texels.values) > 0
    torch.testing.assert_close(x[:, :2][known], texels.values[known])
    assert r.C.shape == r.D.shape == (2, 2, 80, 80)
    assert r.T.shape == (2, 3, 80, 80)
    # four texels around the middle of a coarse one are as far from it as from each other's mean
    torch.testing.assert_close(F.avg_pool2d(r.D, 2)[..., 2:-2, 2:-2], smoothed(made)[..., 2:-2, 2:-2])
    whole, same = tiny(f_size=None), tiny(f_size=40)
    assert torch.equal(whole(pair, image=False).D, same(pair, image=False).D)


def smoothed(x):
    """What is left of a map that is enlarged twice, bilinearly, and averaged: 3/4 of a texel, 1/8 of either side."""
    kernel = torch.tensor([1 / 8, 3 / 4, 1 / 8])
    kernel = (kernel[:, None] * kernel).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(x, kernel, padding=1, groups=x.shape[1])


def test_colours_may_be_sampled_once():
    """W = S[E] where neighbouring texels agree on where to look, T[M_N] where they do not, nothing off the body."""
    system, pair = tiny(sample_once=True), make_batch(2, 40)
    r, plain = system(pair, image=False), tiny()(pair, image=False)
    torch.testing.assert_close(plain.W, sample(plain.T, pair.target.uv, padding="border") * pair.target.mask)
    once = sample(pair.source.image, r.E, padding="border") * pair.target.mask
    twice = sample(r.T, pair.target.uv, padding="border") * pair.target.mask
    alike = agreeing(r.D, pair.target.uv, (40, 40)) > 0
    assert torch.equal(r.W, torch.where(alike, once, twice))
    torch.testing.assert_close(r.E, plain.E)


@pytest.mark.parametrize("f_size", [38, 32, 84])
def test_sizes_of_the_coarser_atlas(f_size):
    with pytest.raises(InputError, match="f_size must be a multiple of 4 from 36 to atlas_size \\(80\\), or None"):
        tiny(f_size=f_size, atlas_size=80)


def test_keypoint_guided_weights_may_take_maps_as_they_come():
    """Trained on what somebody has read: the joints of the target are not looked at, unless they are asked for."""
    system, pair = tiny("keypoints", read_joints=False), make_batch(2, 40)
    assert system.needs_of_target == system.needs
    assert system(pair).M_N is None
    joints = dataclasses.replace(pair, target=with_joints(pair.target))
    assert system(joints).M_N is None
    assert system(joints, read=True).M_N is not None
    assert tiny("keypoints")(joints).M_N is not None


def test_f_sees_minus_ten_mask_and_mesh_grid():
    system, pair = tiny(), make_batch(2, 40)
    seen = []
    system.f.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    r = system(pair, image=False)
    x = seen[0]
    assert x.shape == (2, 5, 40, 40)
    known = r.known.expand(2, 2, 40, 40) > 0
    assert torch.equal(x[:, :2][known], r.C[known])
    assert (x[:, :2][~known] == UNKNOWN).all()
    assert torch.equal(x[:, 2:3], r.known)
    assert torch.equal(x[:, 3:], identity_grid(40, 40).expand(2, 2, 40, 40))
    assert r.image is None


def test_inputs_of_g_in_order():
    system, pair = tiny(), make_batch(1, 40)
    seen = []
    system.g.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    r = system(pair)
    target, source, warp, mask = seen[0]
    grid = identity_grid(40, 40).expand(1, 2, 40, 40)
    assert torch.equal(target, torch.cat([r.W, pair.target.uv, pair.target.mask, r.E, grid], 1))
    assert torch.equal(source, torch.cat([pair.source.image, pair.source.uv, pair.source.mask, grid], 1))
    assert torch.equal(warp, r.E)
    assert torch.equal(mask, pair.target.mask)


def test_target_colours_reach_f_through_the_sampling_position():
    """T = S[D]: moving D to the right colour lowers the loss, and f gets exactly that gradient."""
    system, pair = tiny(), make_batch(1, 40)
    r = system(pair, image=False)
    D = r.D.detach().requires_grad_()
    T = sample(pair.source.image, D, padding="border")
    loss = system.losses(pair, dataclasses.replace(r, D=D, T=T), ["texture_target"])["texture_target"]
    (gradient,) = torch.autograd.grad(loss, D)
    seen = splat(pair.target.image, pair.target.uv, (40, 40), pair.target.mask).known
    assert (gradient.abs().sum(1, keepdim=True) * (1 - seen)).max() == 0  # texels the target does not show
    assert (gradient.abs().sum(1, keepdim=True) > 0).float().mean() > 0.5 * seen.mean()
    step = 1e-3 * gradient / gradient.abs().max()
    moved = dataclasses.replace(r, D=D - step, T=sample(pair.source.image, D - step, padding="border"))
    assert system.losses(pair, moved, ["texture_target"])["texture_target"] < loss


def test_perfect_coordinates_have_no_texture_loss():
    """With the true D, T equals both photographs' textures up to resampling."""
    system, pair = tiny(atlas_size=64), make_batch(1, 128)
    r = system(pair, image=False)
    true = dataclasses.replace(r, D=r.C, T=r.observed)
    terms = system.losses(pair, true, ["identity", "texture_source", "texture_target"])
    assert terms["identity"] == 0
    assert terms["texture_source"] == 0
    both = splat(pair.target.image, pair.target.uv, (64, 64), pair.target.mask).known * r.known
    target = splat(pair.target.image, pair.target.uv, (64, 64), pair.target.mask).values
    assert (((r.observed - target).abs() * both).sum() / both.sum() / 3) < 0.03


def test_overfitting_one_pair():
    torch.set_num_threads(1)
    system, pair = tiny(f_width=8), make_batch(1, 40)
    optimiser = torch.optim.Adam(system.f.parameters(), lr=3e-3)
    history = []
    for _ in range(60):
        terms = system.losses(pair, system(pair, image=False), ["identity", "texture_target"])
        optimiser.zero_grad()
        sum(terms.values()).backward()
        optimiser.step()
        history.append({k: v.item() for k, v in terms.items()})
    assert history[-1]["identity"] < 0.25 * history[0]["identity"]
    assert history[-1]["texture_target"] < 0.6 * history[0]["texture_target"]


def test_readings_name_parts_and_weights():
    def plan(reading, variant="full"):
        return {s.name: (s.parts, dict(s.weights)) for s in tiny(variant, reading=reading).stages()}

    table_5 = {"nearest_neighbour": 0.5, "content": 0.1, "style": 1e5}
    texture = {"identity": 10, "texture_source": 10, "texture_target": 10}
    assert plan("main")["inpainting"] == (("f",), {"identity": 1, "texture_target": 1})
    assert plan("main")["refinement"] == (("g",), {**table_5, "adversarial": 1})
    assert plan("supplementary")["inpainting"] == (("f", "g"), {**table_5, **texture})
    assert plan("supplementary")["refinement"] == (("g",), {**table_5, "adversarial": 1})
    assert "identity" not in plan("laptop", "rgb")["inpainting"][1]
    assert set(plan("laptop", "no_textures")) == {"refinement"}
    assert set(plan("supplementary", "no_textures")) == {"inpainting", "refinement"}
    assert plan("supplementary", "no_textures")["inpainting"] == (("g",), table_5)


def test_losses_can_be_left_out():
    whole = {s.name: s for s in tiny().stages()}
    less = {s.name: s for s in tiny(without=["identity", "adversarial"]).stages()}
    assert set(whole["inpainting"].weights) - set(less["inpainting"].weights) == {"identity"}
    assert set(whole["refinement"].weights) - set(less["refinement"].weights) == {"adversarial"}
    assert whole["refinement"].critics == ("discriminator",)
    assert less["refinement"].critics == ()
    assert tiny(without="l1").config == tiny(without=("l1",)).config
    card = json.loads(json.dumps(tiny(without=["l1"]).card()))
    assert CoordinateInpaintingConfig(**card["config"]) == tiny(without=["l1"]).config


def test_a_stage_keeps_a_loss_and_the_loss_has_a_name():
    with pytest.raises(InputError, match="Unknown loss 'adversary'; did you mean 'adversarial'"):
        tiny(without=["adversary"])
    with pytest.raises(InputError, match="Without l1, nearest_neighbour, adversarial the stage refinement has no loss"):
        tiny(reading="laptop_random", without=["l1", "nearest_neighbour", "adversarial"]).stages()


def test_fine_tuning_trains_f_on_with_g():
    """Section 3: "the first network f can be fine-tuned during the second stage"; all else is as without."""
    (f, g), (f_too, both) = (tiny(reading=reading).stages() for reading in ("laptop", "laptop_tuned"))
    assert f == f_too
    assert both == dataclasses.replace(g, parts=("f", "g"))
    system, pair = tiny(reading="laptop_tuned", features="random"), make_batch(1, 40)
    terms = system.losses(pair, system.stage_forward(pair, both), both.weights)
    sum(terms[name] for name in both.weights if name in terms).backward()
    assert any(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in system.f.parameters())


@pytest.mark.parametrize("reading", ["main", "supplementary", "laptop"])
def test_feature_losses_are_means(reading):
    """The published weights fit means (benchmarks/loss_scales.py)."""
    system, pair = tiny(reading=reading, features="random"), make_batch(1, 40)
    result = system(pair, image=False)
    result = dataclasses.replace(result, image=pair.target.image.flip(3))
    terms = system.losses(pair, result, ["content", "style", "nearest_neighbour"])
    vgg = VGGFeatures("random", width=system.config.feature_width)
    ours, theirs = vgg(result.image), vgg(pair.target.image)
    assert terms["content"] == content_loss(ours, theirs, mean=True)
    assert terms["style"] == style_loss(ours, theirs, mean=True)
    assert terms["nearest_neighbour"] == nearest_neighbour_loss(ours["relu1_2"], theirs["relu1_2"], 3, mean=True)


def test_as_printed_has_the_norms_and_sums_of_the_text():
    system, means = (tiny(reading=name, features="random") for name in ("as_printed", "supplementary"))
    assert [s.weights for s in system.stages()] == [s.weights for s in means.stages()]
    means.load_state_dict(system.state_dict())
    pair = make_batch(1, 40)
    result = dataclasses.replace(system(pair, image=False), image=pair.target.image.flip(3))
    printed, mean = (s.losses(pair, result) for s in (system, means))
    vgg = VGGFeatures("random", width=system.config.feature_width)
    ours, theirs = vgg(result.image), vgg(pair.target.image)
    assert printed["content"] == content_loss(ours, theirs)
    assert printed["style"] == style_loss(ours, theirs)
    assert printed["nearest_neighbour"] == nearest_neighbour_loss(ours["relu1_2"], theirs["relu1_2"], 3, mean=False)
    # "identity": the sum over both coordinates by the number of known texels
    known = result.known.sum()
    torch.testing.assert_close(printed["identity"], (result.known * (result.C - result.D).abs()).sum() / known)
    torch.testing.assert_close(printed["identity"], 2 * mean["identity"])
    for name in ("texture_source", "texture_target", "adversarial"):
        assert printed[name] == mean[name]


def test_losses_on_features_of_the_package_see_one_random_square_of_each_photograph():
    """The same square of both; drawn anew each time; l1 and the critic see everything."""
    system = tiny(features="auto", loss_crop=16)
    assert system.config.feature_kind == "edge_vgg16"
    assert system._nearest.kind == "edge_vgg16"
    pair = make_batch(2, 40)
    joints = torch.zeros(2, 18, 2)
    head = dataclasses.replace(pair.target, keypoints=joints, visibility=torch.full((2, 18), 2))
    pair = dataclasses.replace(pair, target=head)
    result = system(pair)
    torch.manual_seed(4)
    terms = system.losses(pair, result, ("content", "style", "nearest_neighbour", "l1"))
    torch.manual_seed(4)
    corners = random_corners(2, (40, 40), 16, joints, head.visibility)
    made, target = (cut_squares(x, corners, 16) for x in (result.image, pair.target.image))
    vgg = VGGFeatures("edge_vgg16")
    ours, theirs = vgg(made), vgg(target)
    torch.testing.assert_close(terms["content"], content_loss(ours, theirs, mean=True))
    torch.testing.assert_close(terms["style"], style_loss(ours, theirs, mean=True))
    expected = nearest_neighbour_loss(ours["relu1_2"], theirs["relu1_2"], 3)
    torch.testing.assert_close(terms["nearest_neighbour"], expected)
    torch.testing.assert_close(terms["l1"], (result.image - pair.target.image).abs().mean())
    again = {system.losses(pair, result, ("content",))["content"].item() for _ in range(4)}
    assert len(again) > 1, "another square each time"


def test_the_preset_without_features_differs_in_its_losses_alone():
    ours, theirs = (
        dataclasses.asdict(build("coordinate_inpainting", name).config) for name in ("laptop_random", "laptop")
    )
    assert {k for k in ours if ours[k] != theirs[k]} == {"reading", "loss_crop"}
    first, second = build("coordinate_inpainting").stages()
    without = build("coordinate_inpainting", "laptop_random").stages()
    assert first.weights == without[0].weights, "f sees no features"
    assert set(second.weights) == IMAGE
    assert set(second.weights) - set(without[1].weights) == {"content", "style"}
    assert set(first.weights) == set(TEXTURE_LOSSES)


def test_squares_as_large_as_the_photograph_are_the_photograph():
    pair, whole = make_batch(2, 40), tiny(features="auto", loss_crop=None)
    result = whole(pair)
    expected = whole.losses(pair, result, ["content"])["content"]
    for side in (40, 64):
        assert tiny(features="auto", loss_crop=side).losses(pair, result, ["content"])["content"] == expected


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"loss_crop": 7}, "loss_crop must be 8 pixels or more, or None for whole photographs; got 7"),
        ({"head_share": 1.5}, "head_share is a share between 0 and 1, got 1.5"),
    ],
)
def test_bad_squares(settings, reason):
    with pytest.raises(InputError, match=reason):
        tiny(**settings)


def test_features_follow_the_reading_unless_chosen():
    assert tiny(features="auto", reading="main").config.feature_kind == "vgg19"
    assert tiny(features="auto", reading="supplementary").config.feature_kind == "vgg16"
    assert tiny(features="auto").config.feature_kind == "edge_vgg16"
    assert tiny(features="auto", reading="laptop_random").config.feature_kind == "random"
    assert tiny(reading="main", features="random").config.feature_kind == "random"
    assert tiny().card()["loss_features"] == "random weights, width 4"


def test_stage_forward_skips_g_when_no_loss_looks_at_it():
    system, pair = tiny(), make_batch(1, 40)
    inpainting, refinement = system.stages()
    assert system.stage_forward(pair, inpainting).image is None
    assert system.stage_forward(pair, refinement).image is not None


def test_critic_losses_leave_the_generator_alone():
    system, pair = tiny(), make_batch(2, 40)
    loss = system.critic_losses(pair, system(pair))["discriminator"]
    loss.backward()
    assert all(p.grad is None for p in system.g.parameters())
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in system.discriminator.parameters())


def test_autocast_keeps_coordinates_in_float32():
    system, pair = tiny().eval(), make_batch(1, 40)
    exact = system(pair)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        r = system(pair)
    assert r.D.dtype == r.E.dtype == r.T.dtype == torch.float32
    assert torch.equal(r.C, exact.C)
    assert (r.image.float() - exact.image).abs().mean() < 0.02


def test_source_and_target_may_differ_in_size():
    small, large = make_batch(1, 40), make_batch(1, 64)
    pair = dataclasses.replace(small, target=large.target)
    assert tiny()(pair).image.shape == (1, 3, 64, 64)
    with pytest.raises(InputError, match="must have one size"):
        tiny("no_deform")(pair)


def test_empty_map_gives_a_finite_picture():
    pair = make_batch(1, 40)
    nobody = dataclasses.replace(
        pair.source, mask=torch.zeros_like(pair.source.mask), uv=torch.zeros_like(pair.source.uv)
    )
    system = tiny()
    pair = dataclasses.replace(pair, source=nobody)
    r = system(pair)
    assert r.known.sum() == 0
    assert torch.isfinite(r.image).all()
    assert all(torch.isfinite(v) for v in system.losses(pair, r).values())


def test_known_positions_stay_and_none_leaves_the_body():
    """Both settings act on the D that photographs are made of; f is trained on its own D."""
    pair = make_batch(2, 40)
    torch.manual_seed(0)
    plain = tiny()
    with torch.no_grad():
        plain.f.last.bias += 1.5  # towards a corner, where there is nobody
    both = tiny(paste_known=True, on_body=True)
    both.load_state_dict(plain.state_dict())
    raw, r = plain(pair), both(pair)
    kept = raw.known.expand_as(raw.D) > 0
    torch.testing.assert_close(r.D[kept], pull_inside(r.C, pair.source.mask)[kept], rtol=0, atol=0)
    torch.testing.assert_close(r.D[~kept], pull_inside(raw.D, pair.source.mask)[~kept], rtol=0, atol=0)
    assert background_share(r, pair)[0] == 0 < background_share(raw, pair)[0]
    stage_f, stage_g = both.stages()
    torch.testing.assert_close(both.stage_forward(pair, stage_f).D, raw.D)
    torch.testing.assert_close(both.stage_forward(pair, stage_g).D, r.D)
    pasted = tiny(paste_known=True)
    pasted.load_state_dict(plain.state_dict())
    torch.testing.assert_close(pasted(pair).D, torch.where(kept, raw.C, raw.D), rtol=0, atol=0)


def test_bad_input(unchecked):
    system = tiny()
    with pytest.raises(InputError, match="becomes one with pair.batched"):
        system(make_pair(0, 40))
    r = system(make_batch(1, 40), image=False)
    with pytest.raises(InputError, match="Unknown loss 'l1'.*identity, off_body, texture_source, texture_target"):
        system.losses(make_batch(1, 40), r, ["l1"])
    with pytest.raises(InputError, match="multiples of 4"):
        system(make_batch(1, 42))
