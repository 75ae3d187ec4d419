"""Deformable GAN: wiring of variants and skips, losses, discriminator, training from joints alone."""

import dataclasses
import inspect
import json

import pytest
import torch

from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.nets.deformable_hourglass import warp_activations
from posekit.nets.vgg import VGGFeatures
from posekit.ops.keypoints import heat_maps
from posekit.ops.part_affine import fuse_parts, part_maps, warp_parts
from posekit.systems import build
from posekit.systems.deformable_gan import READINGS, SKIPS, VARIANTS, DeformableGANConfig
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.training.weights import load_weights, save_weights
from posekit.util.errors import InputError
from tests.ops.test_part_affine import STANDING
from tests.synthetic import make_batch

TINY = {"image_size": 48, "width": 4, "levels": 5, "d_width": 4, "feature_width": 4, "atlas_size": 32, "batch_size": 2}
LOSS = {"baseline": "l1", "dsc": "l1", "perceptual": "content", "full": "nearest_neighbour"}


def tiny(variant="full", **overrides):
    return build("deformable_gan", variant=variant, **{**TINY, **overrides})


def unfilled(preset, variant="full"):
    """A system of published size whose weights take no memory."""
    with torch.device("meta"):
        return build("deformable_gan", preset, variant)


def with_joints(person, seed, surface):
    b = len(person.image)
    noise = torch.randn(b, 18, 2, generator=torch.Generator().manual_seed(seed))
    fields = {} if surface else {"uv": None, "mask": None}
    visibility = torch.full((b, 18), 2)
    return dataclasses.replace(person, keypoints=STANDING.float() + 0.05 * noise, visibility=visibility, **fields)


def batch(n=2, size=48, surface=False):
    pair = make_batch(n, size)
    return dataclasses.replace(
        pair, source=with_joints(pair.source, 1, surface), target=with_joints(pair.target, 2, surface)
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_learns_from_its_losses_without_a_surface_map(variant):
    system, pair = tiny(variant), batch()
    result = system(pair)
    assert result.image.shape == (2, 3, 48, 48)
    assert 0 <= result.image.min() <= result.image.max() <= 1
    terms = system.losses(pair, result)
    assert set(terms) == {LOSS[variant], "adversarial"}
    for value in terms.values():
        system.zero_grad()
        value.backward(retain_graph=True)
        for name, parameter in system.generator.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
        assert sum(p.grad.abs().sum() for p in system.generator.parameters()) > 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_encoders_and_skips_of_the_variants(variant):
    system = unfilled("market", variant)
    stacked = variant == "baseline"
    assert system.generator.source.first.in_channels == (39 if stacked else 21)
    assert (system.generator.target is None) == stacked
    assert system.config.skip_kind == ("plain" if stacked else "parts")
    assert system.generator.decoder.last.in_channels == (128 + 64 if stacked else 128 + 2 * 64)
    assert system.discriminator.first.in_channels == 42


def test_published_sizes_and_schedules():
    """61.1 and 82.1 million parameters, derived in tests/nets; the coarsest maps are 4 x 2 and 4 x 4."""
    for preset, size, parameters, window, pairs in [
        ("market", (128, 64), 61_109_085, 3, 4),
        ("fashion", (256, 256), 82_080_611, 5, 2),
    ]:
        system = unfilled(preset)
        assert sum(p.numel() for p in system.generator.parameters()) == parameters
        assert system.config.size == size
        assert system.config.window == window
        (stage,) = system.stages()
        assert (stage.lr, stage.critic_lr, stage.betas) == (2e-4, 2e-4, (0.5, 0.999))
        assert stage.weights == {"nearest_neighbour": 0.01, "adversarial": 1.0}
        assert (stage.batch_size, stage.parts, stage.critics) == (pairs, ("generator",), ("discriminator",))
        assert system.config.feature_kind == "vgg19"
    assert unfilled("paper").config == unfilled("fashion").config
    weights = {v: dict(unfilled("market", v).stages()[0].weights) for v in VARIANTS}
    assert weights["baseline"] == weights["dsc"] == {"l1": 200.0, "adversarial": 1.0}
    assert weights["perceptual"] == {"content": 0.5, "adversarial": 1.0}


def test_size_of_the_laptop_preset():
    """Widths 16, 32, 64, 64, 64, 64: two encoders and a decoder of the same levels."""
    w = (16, 32, 64, 64, 64, 64)
    down = sum(a * b * 16 for a, b in zip(w, w[1:], strict=False))
    encoders = (21 + 18) * 16 * 9 + 2 * 16 + 2 * down
    up = 2 * 64 * 64 * 16 + 3 * (64 + 2 * 64) * 64 * 16 + (64 + 2 * 32) * 32 * 16
    norms = 2 * (4 + 4 + 5)
    expected = encoders + up + (32 + 2 * 16) * 3 * 9 + 3 + norms
    assert sum(p.numel() for p in build("deformable_gan").generator.parameters()) == expected == 1_268_973


def test_the_result_follows_its_definitions():
    system, pair = tiny().eval(), batch()
    r, s, t = system(pair), pair.source, pair.target
    torch.testing.assert_close(r.P_S, heat_maps(s.keypoints, s.visibility, (48, 48), 6.0))
    torch.testing.assert_close(r.P_N, heat_maps(t.keypoints, t.visibility, (48, 48), 6.0))
    parts = part_maps(s.keypoints, s.visibility, t.keypoints, t.visibility, (48, 48))
    torch.testing.assert_close(r.parts.matrix, parts.matrix)
    for level, (source, skip) in enumerate(zip(r.source, r.skips, strict=True)):
        expected = fuse_parts(warp_parts(source, parts)) if level < 4 else source
        torch.testing.assert_close(skip, expected, atol=2e-4, rtol=1e-4)
        assert source.shape[-1] == r.target[level].shape[-1] == 48 >> level
    made = system.generator.decoder([torch.cat(both, 1) for both in zip(r.skips, r.target, strict=True)])
    torch.testing.assert_close(r.image, (made + 1) / 2)


@pytest.mark.parametrize("variant", ["baseline", "full"])
def test_what_the_encoders_see(variant):
    system, pair, seen = tiny(variant), batch(), []
    system.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    r = system(pair)
    S = 2 * pair.source.image - 1
    if variant == "baseline":
        assert torch.equal(seen[0][0], torch.cat([S, r.P_S, r.P_N], 1))
    else:
        assert torch.equal(seen[0][0], torch.cat([S, r.P_S], 1))
        assert torch.equal(seen[0][1], r.P_N)


def test_the_discriminator_sees_both_photographs_with_their_poses():
    """Real and generated in turn, both beside the same source; its gradient does not reach the generator."""
    system, pair, seen = tiny(), batch(), []
    system.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    r = system(pair)
    system.critic_losses(pair, r)["discriminator"].backward()
    S, N, made = (2 * image - 1 for image in (pair.source.image, pair.target.image, r.image))
    assert torch.equal(seen[0], torch.cat([S, r.P_S, N, r.P_N], 1))
    assert torch.equal(seen[1], torch.cat([S, r.P_S, made, r.P_N], 1))
    assert all(p.grad is None for p in system.generator.parameters())
    assert all(p.grad is not None for p in system.discriminator.parameters())
    system.losses(pair, r, ["adversarial"])
    assert torch.equal(seen[2], seen[1])


@pytest.mark.parametrize("kind", SKIPS)
def test_every_kind_of_skip(kind):
    system, pair = tiny(skips=kind).eval(), batch(surface=True)
    r = system(pair)
    assert (r.parts is not None) == (kind == "parts")
    assert (r.E is not None) == (kind == "surface")
    for level in range(4):
        source, skip = r.source[level], r.skips[level]
        if kind == "none":
            assert skip is None
        elif kind == "plain":
            assert torch.equal(skip, source)
        elif kind == "surface":
            E = TexelFill(TexelFillConfig(atlas_size=32))(pair).E
            torch.testing.assert_close(r.E, E)
            torch.testing.assert_close(skip, warp_activations(source, E, pair.target.mask, source.shape[-2:]))
    assert dict(system.notes())["skips_in_use"] == kind
    sum(system.losses(pair, r).values()).backward()


def test_skips_of_one_size_have_nets_of_one_size():
    """Plain, parts and surface differ in where they look, not in what they can learn."""
    counts = [sum(p.numel() for p in tiny(skips=kind).generator.parameters()) for kind in SKIPS]
    assert counts[1] == counts[2] == counts[3] > counts[0]


def test_losses_as_printed_and_as_means():
    pair = batch()
    printed = tiny(reading="supplementary", features="random", window=5)
    r = printed(pair)
    features = VGGFeatures("random", ("relu1_2", "relu2_1"), 4)
    ours, theirs = features(r.image), features(pair.target.image)
    terms = printed.losses(pair, r, ["nearest_neighbour", "content", "l1"])
    expected = nearest_neighbour_loss(ours["relu1_2"], theirs["relu1_2"], 5, mean=False)
    torch.testing.assert_close(terms["nearest_neighbour"], expected)
    torch.testing.assert_close(terms["content"], (ours["relu2_1"] - theirs["relu2_1"]).abs().mean())
    torch.testing.assert_close(terms["l1"], (r.image - pair.target.image).abs().mean())
    laptop = tiny(window=3).losses(pair, r, ["nearest_neighbour"])["nearest_neighbour"]
    torch.testing.assert_close(laptop, nearest_neighbour_loss(ours["relu1_2"], theirs["relu1_2"], 3))


def test_features_are_named():
    assert dict(tiny().notes())["loss_features"] == "random weights, width 4"
    assert tiny().card()["loss_features"] == "random weights, width 4"
    assert dict(unfilled("market").notes())["loss_features"] == "vgg19, ImageNet"
    assert dict(tiny("dsc").notes())["loss_features"] == "none"


def test_moving_the_joints_of_a_limb_moves_its_skip():
    """The deformable skip is what carries the source's details: it follows the target's joints, plain ones do not."""
    pair = batch(1)
    keypoints = pair.target.keypoints.clone()
    keypoints[:, [3, 4], 0] += 0.2  # right elbow and wrist
    other = dataclasses.replace(pair, target=dataclasses.replace(pair.target, keypoints=keypoints))
    for kind, moved in [("parts", True), ("plain", False)]:
        system = tiny(skips=kind).eval()
        a, b = system(pair), system(other)
        assert torch.equal(a.source[0], b.source[0])
        assert torch.equal(a.skips[0], b.skips[0]) != moved


def test_missing_joints_give_a_finite_picture():
    pair = batch()
    nobody = dataclasses.replace(pair.source, visibility=torch.zeros_like(pair.source.visibility))
    r = tiny().eval()(dataclasses.replace(pair, source=nobody))
    assert r.P_S.abs().max() == 0
    assert not r.parts.defined.any()
    assert all(skip.abs().max() == 0 for skip in r.skips[:4])
    assert r.image.isfinite().all()


class Pairs:
    """Four pairs with joints and no surface map."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return batch(4)[i]


@pytest.mark.parametrize("variant", ["baseline", "full"])
def test_a_few_steps_lower_the_loss(variant):
    torch.set_num_threads(1)
    system = tiny(variant, lr=5e-3)
    log = fit(
        system, Pairs(), options=TrainingOptions(steps=24, batch_size=2, device="cpu", progress=False, log_every=1)
    )
    first, last = (sum(entry["losses"][LOSS[variant]] for entry in part) / 5 for part in (log[:5], log[-5:]))
    assert last < 0.75 * first


def test_weights_hold_the_generator_and_come_back(tmp_path):
    system, pair = tiny().eval(), batch()
    save_weights(system, tmp_path / "w.safetensors", half=False)
    again = load_weights(tmp_path / "w.safetensors")
    assert again.config == system.config
    torch.testing.assert_close(again(pair).image, system(pair).image)


def test_a_size_of_two_sides_survives_the_card():
    config = DeformableGANConfig(image_size=(64, 32), levels=5)
    assert DeformableGANConfig(**json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_every_setting_is_explained():
    explained = inspect.getdoc(DeformableGANConfig)
    for field in dataclasses.fields(DeformableGANConfig):
        assert field.name in explained, field.name
    assert set(READINGS["laptop"]) == set(READINGS["supplementary"]) == set(LOSS.values()) | {"adversarial"}


def test_bad_input(unchecked):
    pair = batch()
    with pytest.raises(InputError, match="deformable_gan needs the fields keypoints, visibility"):
        tiny()(make_batch(2, 48))
    with pytest.raises(InputError, match="becomes one with pair.batched"):
        tiny()(pair[0])
    with pytest.raises(InputError, match="must have one size"):
        tiny()(dataclasses.replace(pair, target=batch(2, 64).target))
    with pytest.raises(InputError, match="needs the fields uv, mask"):
        tiny(skips="surface")(pair)
    with pytest.raises(InputError, match="Unknown kind of skips 'part'; did you mean 'parts'"):
        tiny(skips="part")
    with pytest.raises(InputError, match="The baseline has one encoder"):
        tiny("baseline", skips="parts")
    with pytest.raises(InputError, match="multiples of 16 for 5 levels, got 40"):
        tiny(image_size=40)
    with pytest.raises(InputError, match="lr must be positive"):
        tiny(lr=0.0)
    with pytest.raises(InputError, match="Unknown loss 'l2'"):
        tiny().losses(pair, tiny()(pair), ["l2"])
