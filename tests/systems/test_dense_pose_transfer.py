"""Dense Pose Transfer: its streams, variants, poses, losses, gradients, stages."""

import dataclasses
import json

import pytest
import torch
import torch.nn.functional as F

from posekit.losses.style import gram_matrix
from posekit.nets.vgg import VGGFeatures
from posekit.ops.charts import sample_charts, splat_charts
from posekit.ops.keypoints import heat_maps
from posekit.person import Pair
from posekit.systems import build
from posekit.systems.dense_pose_settings import LAYERS, PLANES, STYLE_LAYERS, VARIANTS, DensePoseTransferConfig
from posekit.systems.dense_pose_transfer import iuv_planes
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.errors import InputError
from tests.synthetic import TINY_DENSE_POSE, chart_batch, make_batch, with_charts


def tiny(variant="full", **overrides):
    return build("dense_pose_transfer", variant=variant, **{**TINY_DENSE_POSE, **overrides})


def with_joints(pair):
    def add(person):
        n = len(person.image)
        points = torch.rand(n, 18, 2, generator=torch.Generator().manual_seed(n)) - 0.5
        return dataclasses.replace(person, keypoints=points, visibility=torch.full((n, 18), 2))

    return Pair(add(pair.source), add(pair.target))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_runs_and_learns_from_every_loss(variant):
    system, pair = tiny(variant), chart_batch(2, 40)
    torch.nn.init.normal_(system.blending.layers[-1].weight, std=0.1) if variant != "predictive" else None
    result = system(pair)
    assert result.image.shape == (2, 3, 40, 40)
    assert 0 <= result.image.min() <= result.image.max() <= 1
    assert (result.W is None) == (variant in ("predictive", "self_refinement"))
    assert torch.equal(result.blended, result.predicted) == (variant == "predictive")
    terms = system.losses(pair, result)
    charts = {"charts"} if variant in ("full", "warping") else set()
    both = {"l1", "l2", "perceptual", "style", "adversarial"}
    assert set(terms) == {"predicted_l1", "predicted_l2"} | charts | both
    assert hasattr(system, "autoencoder") == (variant == "full")
    for name, value in terms.items():
        if name == "charts" and variant == "warping":
            continue  # observed charts are nobody's work
        system.zero_grad()
        value.backward(retain_graph=True)
        net = system.autoencoder if name == "charts" else system.predictive
        assert max(p.grad.abs().max() for p in net.parameters()) > 0, name
        if name in both and variant != "predictive":
            assert max(p.grad.abs().max() for p in system.blending.parameters()) > 0, name
        if name in both and variant == "full":
            assert max(p.grad.abs().max() for p in system.autoencoder.parameters()) > 0, "through W"


def test_the_published_size():
    with torch.device("meta"):
        system = build("dense_pose_transfer", "paper")
    count = {name: sum(p.numel() for p in net.parameters()) for name, net in system.named_children()}
    assert count["predictive"] == 7_825_795
    assert count["autoencoder"] == 209_848_392
    assert count["blending"] == 228_547
    laptop = build("dense_pose_transfer")
    made = sum(p.numel() for name in laptop.inference_parts for p in getattr(laptop, name).parameters())
    assert made < 1.5e6


@pytest.mark.parametrize(
    ("source", "target", "planes"),
    [
        ("none", "mask", 4), ("none", "parts", 27), ("none", "keypoints", 21),  # Table 3 as printed
        ("mask", "mask", 5), ("parts", "parts", 51), ("keypoints", "keypoints", 39),  # with both poses
        ("iuv", "iuv", 9), ("one_hot_iuv", "one_hot_iuv", 55),
        ("keypoints", "iuv", 24), ("iuv", "keypoints", 24),  # Table 7
    ],
)  # fmt: skip
def test_what_the_predictive_module_is_told(source, target, planes):
    system, pair = tiny("predictive", source_pose=source, target_pose=target), with_joints(chart_batch(2, 40))
    assert system.config.planes == planes
    seen = []
    system.predictive.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    system(pair)
    assert seen[0].shape == (2, planes, 40, 40)
    torch.testing.assert_close(seen[0][:, :3], 2 * pair.source.image - 1)
    assert torch.equal(
        seen[0][:, 3:], torch.cat([system.pose(pair.source, source), system.pose(pair.target, target)], 1)
    )


def test_the_poses():
    system, person = tiny(), with_joints(chart_batch(2, 40)).source
    assert torch.equal(system.pose(person, "mask"), person.mask)
    parts = system.pose(person, "parts")
    for number in range(1, 25):
        assert torch.equal(parts[:, number - 1 : number], (person.part == number).float())
    picture = iuv_planes(person)
    assert torch.equal(system.pose(person, "iuv"), picture)
    assert torch.equal(picture[:, :1], person.part / 24)
    assert torch.equal(picture[:, 1:], person.chart)
    assert torch.equal(system.pose(person, "one_hot_iuv"), torch.cat([parts, person.chart], 1))
    joints = heat_maps(person.keypoints, person.visibility, (40, 40), system.config.sigma)
    assert torch.equal(system.pose(person, "keypoints"), joints)
    assert {kind: system.pose(person, kind).shape[1] for kind in PLANES} == PLANES


def test_the_streams_put_together_by_hand():
    torch.manual_seed(0)
    system, pair = tiny(), chart_batch(2, 40)
    torch.nn.init.normal_(system.blending.layers[-1].weight, std=0.1)
    source, target, r = pair.source, pair.target, system(pair)
    seen = torch.cat([2 * source.image - 1, iuv_planes(source), iuv_planes(target)], 1)
    torch.testing.assert_close(r.predicted, (system.predictive(seen) + 1) / 2)
    charts, known = splat_charts(source.image, source.part, source.chart, 32)
    assert torch.equal(r.charts, charts)
    assert torch.equal(r.known, known)
    completed = (system.autoencoder(torch.where(known > 0, 2 * charts - 1, 0)) + 1) / 2
    torch.testing.assert_close(r.completed, completed)
    torch.testing.assert_close(r.W, sample_charts(completed, target.part, target.chart))
    blended = system.blending(2 * r.predicted - 1, 2 * r.W - 1, iuv_planes(target))
    torch.testing.assert_close(r.blended, (blended + 1) / 2)
    torch.testing.assert_close(r.image, r.blended.clamp(0, 1))


def test_without_inpainting_the_warp_hands_observed_colours_on():
    """Where source and target agree, W is the target: the texture of the synthetic people is exact."""
    pair = chart_batch(1, 64)
    same = Pair(pair.source, pair.source)
    W = tiny("warping", image_size=64, chart_size=64)(same).W
    body = (pair.source.mask > 0).expand_as(W)
    assert (W - pair.source.image)[body].abs().mean() < 0.03
    assert (W[~body] == 0).all()


def test_multi_view_supervision_is_equation_6():
    torch.manual_seed(0)
    pair = chart_batch(2, 40, neighbours=2)
    assert len(pair.neighbours) == 2
    for supervision, views in (
        ("single", [pair.source]), ("multi", [pair.source, pair.target, *pair.neighbours]),
    ):  # fmt: skip
        system = tiny(supervision=supervision)
        result = system.stage_forward(pair, system.stages()[1])
        total, count = 0.0, 0.0
        for view in views:
            for i in range(2):
                for k in range(24):
                    one = [x[i : i + 1] for x in (view.image, view.part * (view.part == k + 1), view.chart)]
                    shown, known = splat_charts(*one, 32)
                    total += ((result.completed[i, k] - shown[0, k]).abs() * known[0, k]).sum()
                    count += 3 * known[0, k].sum()
        torch.testing.assert_close(system.losses(pair, result)["charts"], total / count, rtol=1e-4, atol=1e-6)


def test_neighbours_reach_what_source_and_target_do_not_show():
    """With a neighbour, texels that only it shows have a gradient."""
    pair = chart_batch(1, 40, neighbours=3)
    system = tiny()
    result = system.stage_forward(pair, system.stages()[1])
    result.completed.retain_grad()
    system.losses(pair, result, ["charts"])["charts"].backward()
    with_them = (result.completed.grad.abs().sum(2) > 0).sum()
    bare = dataclasses.replace(pair, neighbours=())
    result = system.stage_forward(bare, system.stages()[1])
    result.completed.retain_grad()
    system.losses(bare, result, ["charts"])["charts"].backward()
    assert with_them > (result.completed.grad.abs().sum(2) > 0).sum() > 0


def test_losses_as_printed_and_as_means():
    torch.manual_seed(0)
    pair = chart_batch(2, 40)
    printed, means = tiny(reading="paper"), tiny(reading="laptop")
    means.load_state_dict(printed.state_dict())
    r = printed(pair)
    vgg = VGGFeatures("random", LAYERS, 4)
    ours, theirs = vgg(r.blended), vgg(pair.target.image)
    norms = sum((ours[k] - theirs[k]).flatten(1).norm(dim=1).mean() for k in LAYERS)
    absolute = sum((ours[k] - theirs[k]).abs().mean() for k in LAYERS)
    grams = {k: (gram_matrix(ours[k]) - gram_matrix(theirs[k])).flatten(1) / ours[k].shape[1] for k in STYLE_LAYERS}
    frobenius = sum(grams[k].norm(dim=1).mean() / ours[k].shape[1] for k in STYLE_LAYERS)
    a, b = printed.losses(pair, r), means.losses(pair, r)
    torch.testing.assert_close(a["perceptual"], norms)
    torch.testing.assert_close(b["perceptual"], absolute)
    torch.testing.assert_close(a["style"], frobenius)
    for terms in (a, b):
        torch.testing.assert_close(terms["l1"], F.l1_loss(r.blended, pair.target.image))
        torch.testing.assert_close(terms["l2"], F.mse_loss(r.blended, pair.target.image))
        torch.testing.assert_close(terms["predicted_l1"], F.l1_loss(r.predicted, pair.target.image))
    seen = torch.cat([2 * pair.source.image - 1, iuv_planes(pair.target)], 1)
    judged = {name: printed.discriminator(torch.cat([seen, 2 * image - 1], 1))
              for name, image in (("fake", r.blended), ("real", pair.target.image))}  # fmt: skip
    torch.testing.assert_close(a["adversarial"], (judged["fake"] - 1).square().mean() / 2)
    expected = ((judged["real"] - 1).square().mean() + judged["fake"].square().mean()) / 2
    torch.testing.assert_close(printed.critic_losses(pair, r)["discriminator"], expected)


def test_stages_in_order():
    first, second, third = tiny().stages()
    assert [s.name for s in (first, second, third)] == ["predictive", "inpainting", "joint"]
    assert (first.parts, first.weights, first.critics) == (("predictive",), {"predicted_l1": 1.0}, ())
    assert (second.parts, second.weights) == (("autoencoder",), {"charts": 1.0})
    assert third.parts == ("predictive", "autoencoder", "blending")
    assert third.critics == ("discriminator",)
    assert list(third.weights) == ["l1", "perceptual", "style", "adversarial", "predicted_l1", "charts"]
    assert third.weights["charts"] == third.weights["predicted_l1"] == tiny().config.stream_weight > 0
    assert third.part_lr == dict.fromkeys(("predictive", "autoencoder"), tiny().config.joint_lr)
    assert (first.clip, second.clip, third.clip) == (None, None, tiny().config.joint_clip)
    published = tiny(stream_weight=0.0, joint_lr=None, joint_clip=None).stages()[-1]
    assert list(published.weights) == ["l1", "perceptual", "style", "adversarial"]
    assert (published.part_lr, published.clip) == ({}, None)
    assert [s.name for s in tiny("predictive").stages()] == ["joint"]
    assert [s.name for s in tiny("self_refinement").stages()] == ["predictive", "joint"]
    assert tiny("warping").stages()[-1].parts == ("predictive", "blending")
    assert tiny(losses="l1").stages()[-1].critics == ()
    only = tiny(losses="l2").stages()
    assert list(only[0].weights) == ["predicted_l2"]
    assert list(only[-1].weights) == ["l2", "predicted_l2", "charts"]
    assert list(tiny(losses="l2", stream_weight=0.0).stages()[-1].weights) == ["l2"]
    assert "predicted_l1" not in tiny("predictive").stages()[-1].weights, "there it is the photograph"


def test_what_training_asks_of_its_data():
    assert tiny().training_data == {"pairs": "same too", "neighbours": 3}
    assert tiny(supervision="single").training_data == {"pairs": "same too", "neighbours": 0}
    assert tiny("predictive").training_data["neighbours"] == 0


@pytest.mark.usefixtures("unchecked")
def test_it_trains_and_goes_on_bit_for_bit(tmp_path):
    class Pairs:
        def __len__(self):
            return 6

        def __getitem__(self, i):
            if i >= 6:
                raise IndexError
            return chart_batch(6, 40, neighbours=1)[i]

        def describe(self):
            return {"dataset": "charts"}

    def run(folder, **more):
        system = tiny(predictive_steps=2, inpainting_steps=2, joint_steps=2)
        options = TrainingOptions(device="cpu", checkpoint_every=1, progress=False, **more)
        return system, fit(system, Pairs(), folder, options)

    whole, _ = run(tmp_path / "a")
    run(tmp_path / "b", stages=("predictive",))
    halved, log = run(tmp_path / "c")
    assert {record["stage"] for record in log} == {"predictive", "inpainting", "joint"}
    for a, b in zip(whole.state_dict().values(), halved.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_config_survives_a_card():
    system = tiny("warping", losses=["l1", "style"])
    stored = json.loads(json.dumps(system.card()))
    assert DensePoseTransferConfig(**stored["config"]) == system.config
    assert stored["predictive_planes"] == "9 = image 3 + poses"


def test_bad_input(unchecked):
    with pytest.raises(InputError, match="needs the fields part, chart"):
        tiny()(make_batch(1, 40))
    with pytest.raises(InputError, match="needs the fields keypoints, visibility"):
        tiny(target_pose="keypoints")(chart_batch(1, 40))
    for setting, message in (
        ({"target_pose": "none"}, "nothing to transfer to"),
        ({"source_pose": "skeleton"}, "Unknown pose 'skeleton'"),
        ({"losses": ["adversarial"]}, "needs a loss that knows the target"),
        ({"losses": ["l3"]}, "Unknown loss 'l3'"),
        ({"image_size": 42}, "multiple of 4 of at least 32, got 42"),
        ({"neighbours": -1}, "0 or more, got -1"),
        ({"extra": -1}, "extra is a number of layers"),
        ({"lr": 0.0}, "lr must be positive"),
    ):
        with pytest.raises(InputError, match=message):
            tiny(**setting)


def test_synthetic_charts_are_one_surface():
    """The helper of these tests: both views show the same colour at the same place of the same part."""
    pair = chart_batch(1, 64)
    a, b = (splat_charts(p.image, p.part, p.chart, 32) for p in (pair.source, pair.target))
    both = (a.known * b.known).expand_as(a.values) > 0
    assert both.sum() > 300
    assert (a.values - b.values)[both].abs().mean() < 0.05
    assert with_charts(make_batch(1, 40).source).part.max() == 4
