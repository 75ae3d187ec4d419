"""VGG features: layers, fixed random weights, pretrained weights read from a cache, missing weights."""

import pytest
import torch
import torch.nn.functional as F

from posekit.nets.vgg import VGGFeatures
from posekit.util.errors import InputError
from posekit.util.torchvision import ensure_torchvision


def test_shapes_and_nothing_deeper_than_needed():
    vgg = VGGFeatures("random", ("relu1_2", "relu3_3"), width=4)
    found = vgg(torch.rand(2, 3, 32, 48))
    assert {k: tuple(v.shape) for k, v in found.items()} == {"relu1_2": (2, 4, 32, 48), "relu3_3": (2, 16, 8, 12)}
    assert vgg.plan[-1] == "relu3_3"


def test_random_weights_are_the_same_everywhere_and_keep_the_scale():
    torch.manual_seed(1)
    a = VGGFeatures("random", width=8)
    torch.manual_seed(2)
    b = VGGFeatures("random", width=8)
    x = torch.rand(1, 3, 32, 32)
    for name, value in a(x).items():
        assert torch.equal(value, b(x)[name])
        assert 0.05 < value.std() < 5
    assert a.relu1_1_weight[0, 0, 0, 0].item() == pytest.approx(-0.11809, abs=1e-4)  # the seed is part of the loss


def test_weights_are_no_parameters_and_not_in_the_state():
    vgg = VGGFeatures("random", width=4)
    assert not list(vgg.parameters())
    assert not vgg.state_dict()


@pytest.mark.parametrize("kind", ["vgg16", "vgg19"])
def test_pretrained_equals_torchvision(kind, monkeypatch):
    """Stand-in weights in torchvision's own layout: our feature maps are torchvision's, normalisation included."""
    models = ensure_torchvision().models
    torch.manual_seed(0)
    model = getattr(models, kind)(weights=None, init_weights=False).eval()
    weights = {"vgg16": models.VGG16_Weights, "vgg19": models.VGG19_Weights}[kind]
    monkeypatch.setattr(weights, "get_state_dict", lambda self, *args, **kwargs: model.state_dict())
    layers = ("relu1_2", "relu2_2", "relu3_3")
    index = {"vgg16": (3, 8, 15), "vgg19": (3, 8, 15)}[kind]  # layers of torchvision's `features`
    image = torch.rand(1, 3, 32, 32)
    found = VGGFeatures(kind, layers)(image)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (image - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    for name, i in zip(layers, index, strict=True):
        torch.testing.assert_close(found[name], F.relu(model.features[: i + 1](x)), atol=1e-5, rtol=1e-4)


def test_missing_weights_say_what_to_do(monkeypatch):
    weights = ensure_torchvision().models.VGG16_Weights

    def fail(self, *args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(weights, "get_state_dict", fail)
    with pytest.raises(InputError, match=r"no network.*'edge_vgg16', which is in.*download https.*vgg16.*checkpoints"):
        VGGFeatures("vgg16")


def test_bad_input():
    with pytest.raises(InputError, match="one of edge_vgg16, vgg16, vgg19, random, got 'resnet'"):
        VGGFeatures("resnet")
    with pytest.raises(InputError, match="got relu9_9"):
        VGGFeatures("random", ("relu9_9",))
    with pytest.raises(InputError, match="width 16 needs features='random'"):
        VGGFeatures("vgg16", width=16)
