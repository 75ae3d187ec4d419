"""The three networks of Dense Pose Transfer: published sizes, wiring against twins, what reaches what."""

import pytest
import torch
import torch.nn.functional as F

from posekit.nets.blending import Blending
from posekit.nets.part_autoencoder import PartAutoencoder
from posekit.nets.predictive_stream import PredictiveStream
from posekit.systems.base import count_parameters
from posekit.util.errors import InputError


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (9, 7_825_795),  # image and both IUV pictures
        (4, 7_822_915),  # as printed: image and one mask, 24 part planes, 18 joints
        (27, 7_836_163),
        (21, 7_832_707),
        (5, 7_823_491),  # with both poses
        (51, 7_849_987),
        (39, 7_843_075),
    ],
)
def test_parameters_of_the_predictive_stream(channels, expected):
    assert count_parameters(PredictiveStream(channels)) == expected


def test_wiring_of_the_predictive_stream():
    torch.manual_seed(0)
    net, x = PredictiveStream(9, 4), torch.randn(2, 9, 12, 16)
    convs = [m for m in net.layers if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    blocks = [m for m in net.layers if hasattr(m, "layers")]
    assert (len(convs), len(blocks)) == (6, 6)
    y = x
    for conv, stride in zip(convs[:3], (1, 2, 2), strict=True):
        y = F.relu(F.instance_norm(F.conv2d(y, conv.weight, conv.bias, stride=stride, padding=1)))
    assert y.shape == (2, 16, 3, 4)
    for block in blocks:
        first, second = (m for m in block.layers if isinstance(m, torch.nn.Conv2d))
        z = F.relu(F.instance_norm(F.conv2d(y, first.weight, first.bias, padding=1)))
        y = y + F.instance_norm(F.conv2d(z, second.weight, second.bias, padding=1))
    for conv in convs[3:5]:
        y = F.conv_transpose2d(y, conv.weight, conv.bias, stride=2, padding=1, output_padding=1)
        y = F.relu(F.instance_norm(y))
    y = torch.tanh(F.conv2d(y, convs[5].weight, convs[5].bias, padding=1))
    torch.testing.assert_close(net(x), y)


@pytest.mark.parametrize(("width", "expected"), [(64, 228_547), (128, 899_459), (256, 3_568_387)])
def test_parameters_of_the_blending_module(width, expected):
    assert count_parameters(Blending(9, width)) == expected


def test_an_untrained_blending_hands_the_prediction_on_and_learns_a_residual():
    torch.manual_seed(0)
    net, predicted, others = Blending(9, 4), torch.randn(2, 3, 8, 8), torch.randn(2, 6, 8, 8)
    assert torch.equal(net(predicted, others[:, :3], others[:, 3:]), predicted)
    net(predicted, others).sum().backward()
    assert net.layers[-1].weight.grad.abs().sum() > 0
    torch.nn.init.normal_(net.layers[-1].weight)
    torch.testing.assert_close(net(predicted, others), predicted + net.layers(torch.cat([predicted, others], 1)))


def test_the_level_of_a_colour_reaches_the_correction():
    """A norm behind the first convolution would take away a change that is the same everywhere."""
    torch.manual_seed(0)
    net, predicted, others = Blending(9, 4), torch.randn(1, 3, 16, 16), torch.randn(1, 6, 16, 16)
    before_the_blocks = net.layers[: next(n for n, layer in enumerate(net.layers) if hasattr(layer, "layers"))]
    with torch.no_grad():
        levels = [before_the_blocks(torch.cat([predicted, others + level], 1)).mean((0, 2, 3)) for level in (0, 2)]
    assert (levels[0] - levels[1]).abs().max() > 0.2


def test_parameters_of_the_autoencoder():
    """On no device: the published context alone would take 800 MB."""
    with torch.device("meta"):
        net = PartAutoencoder()
    assert count_parameters(net.encoder) == 24 * 102_496
    assert count_parameters(net.decoder) == 24 * 249_827
    assert count_parameters(net.gather) + count_parameters(net.spread) == 201_392_640
    assert count_parameters(net) == 209_848_392
    with torch.device("meta"):
        charts = torch.zeros(1, 24, 3, 256, 256)
        assert net.encode(charts).shape == (1, 24, 128, 16, 16)
        assert net(charts).shape == charts.shape


@pytest.mark.parametrize(("pooled", "norm"), [(None, "instance"), (1, "instance"), (1, "part")])
def test_grouped_convolutions_are_a_loop_over_the_parts(pooled, norm):
    torch.manual_seed(0)
    net = PartAutoencoder(parts=5, width=2, context=6, side=32, pooled=pooled, norm=norm).double()
    charts = torch.randn(2, 5, 3, 32, 32, dtype=torch.float64)
    normed = F.instance_norm if norm == "instance" else lambda x: F.layer_norm(x, x.shape[1:])  # of one part

    def part(layer, i):
        rows = slice(i * layer.weight.shape[0] // 5, (i + 1) * layer.weight.shape[0] // 5)
        outs = slice(i * layer.bias.shape[0] // 5, (i + 1) * layer.bias.shape[0] // 5)
        return layer.weight[rows], layer.bias[outs]

    codes = []
    for i in range(5):
        x = charts[:, i]
        for conv in net.encoder:
            x = normed(F.relu(F.conv2d(x, *part(conv, i), stride=2, padding=1)))
        codes.append(x)
    whole = torch.stack(codes, 1)
    seen = whole.mean((3, 4)) if pooled else whole
    G = F.relu(seen.flatten(1) @ net.gather.weight.T + net.gather.bias)
    G = (G - G.mean(1, keepdim=True)) / (G.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    G = G @ net.spread.weight.T + net.spread.bias
    completed = net(charts)
    for i in range(5):
        x = torch.cat([codes[i], G[:, :, None, None].expand(-1, -1, 2, 2)], 1)
        for conv in net.decoder[:3]:
            x = F.conv_transpose2d(x, *part(conv, i), stride=2, padding=1, output_padding=1)
            x = normed(F.relu(x))
        x = F.conv_transpose2d(x, *part(net.decoder[3], i), stride=2, padding=1, output_padding=1)
        torch.testing.assert_close(completed[:, i], x)


@pytest.mark.parametrize("norm", ["instance", "part"])
def test_instance_norm_takes_the_level_that_the_context_gives_to_a_channel(norm):
    """Of a part that is not seen: G is the same everywhere, and moves whole channels up and down, or nothing does."""
    torch.manual_seed(0)
    net = PartAutoencoder(parts=2, width=4, context=8, side=128, norm=norm).double()
    codes = net.encode(torch.zeros(1, 2, 3, 128, 128, dtype=torch.float64))
    assert codes.abs().max() < 1e-6 if norm == "instance" else codes.std() > 0
    levels = []
    net.decoder[1].register_forward_pre_hook(lambda _, inputs: levels.append(inputs[0].detach().mean((0, 2, 3))))
    with torch.no_grad():
        for _ in range(2):
            net.decode(codes, 3 * torch.randn(1, 8, dtype=torch.float64))
    assert (levels[0] - levels[1]).abs().max() < 1e-9 if norm == "instance" else (levels[0] - levels[1]).std() > 0.1


def test_parts_know_of_each_other_through_the_context_alone():
    torch.manual_seed(0)
    net = PartAutoencoder(parts=3, width=2, context=4, side=32)
    charts = torch.randn(1, 3, 3, 32, 32)
    codes = net.encode(charts.requires_grad_())
    (grad,) = torch.autograd.grad(codes[:, 0].sum() + codes[:, 0].square().sum(), charts, retain_graph=True)
    assert grad[:, 0].abs().sum() > 0
    assert grad[:, 1:].abs().max() == 0, "a code is its own part's"
    fixed = net.embed(codes).detach()
    made = net.decode(codes, fixed)
    (grad,) = torch.autograd.grad(made[:, 0].square().sum(), charts, retain_graph=True)
    assert grad[:, 1:].abs().max() == 0, "with G held, nothing of other parts"
    (grad,) = torch.autograd.grad(net(charts)[:, 0].square().sum(), charts)
    assert grad[:, 1:].abs().max() > 0, "through G they are heard"


def test_the_last_layer_keeps_absolute_colours():
    """ReLU and InstanceNorm after it, as printed for every layer, would leave each chart a mean of 0."""
    torch.manual_seed(0)
    net = PartAutoencoder(parts=2, width=2, context=4, side=32)
    with torch.no_grad():
        net.decoder[-1].bias += 3
    made = net(torch.randn(1, 2, 3, 32, 32))
    assert made.mean() > 2
    printed = F.instance_norm(F.relu(made.flatten(1, 2)))
    assert printed.mean((2, 3)).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PredictiveStream(0), "positive numbers of channels, got 0 and 64"),
        (lambda: PredictiveStream(9, 2)(torch.zeros(1, 9, 10, 12)), "multiples of 4, 8 or more, got 10 x 12"),
        (lambda: Blending(9, 0), "positive numbers of channels, got 9 and 0"),
        (lambda: PartAutoencoder(side=40), "multiples of 16, of at least 32 texels; got 40"),
        (lambda: PartAutoencoder(parts=0), "got 0, 32, 256"),
        (lambda: PartAutoencoder(2, 2, 4, 32, pooled=3), "from 1 to side / 16 = 2, or None, got 3"),
        (lambda: PartAutoencoder(2, 2, 4, 32)(torch.zeros(1, 3, 3, 32, 32)), r"2 charts of 32 x 32 texels, got \(1, 3"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()
