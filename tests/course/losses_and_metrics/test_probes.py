"""What notebook 11 computes: pictures that are moved, pictures that follow a loss, a critic of patches."""

import pytest
import torch
from posekit_course.full_training.failures import blurred
from posekit_course.losses_and_metrics import probes
from scipy.ndimage import shift
from torch.nn.utils import parametrize

from posekit.metrics.image import ssim
from posekit.nets.patch_gan import PatchGAN


@pytest.fixture(scope="module")
def photographs():
    """Made, not rendered: blocks with sharp edges, ``16 3 32 32``."""
    blocks = torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return blocks.repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.mark.parametrize("pixels", [0, 1, 2, -3, 0.5, 1.25, -0.75])
def test_moved_as_scipy_moves(pixels):
    image = torch.rand(1, 3, 6, 9, generator=torch.Generator().manual_seed(0))
    expected = shift(image.numpy(), (0, 0, 0, pixels), order=1, mode="nearest")
    torch.testing.assert_close(probes.moved_right(image, pixels), torch.from_numpy(expected), rtol=0, atol=1e-5)


def test_possible_pictures_go_from_left_to_right():
    image = torch.rand(1, 3, 4, 12, generator=torch.Generator().manual_seed(0))
    possible = probes.possible_pictures(image, 2)
    assert possible.shape == (5, 3, 4, 12)
    for n in range(5):
        left, right = max(0, n - 2), min(12, 12 + n - 2)
        assert torch.equal(possible[n, :, :, left:right], image[0, :, :, left - (n - 2) : right - (n - 2)])


@pytest.mark.parametrize("width", [1, 2, 6, 8])
def test_stripes_are_as_wide_as_asked_and_leave_the_border_light(width):
    stripes = probes.upright_stripes(width, 12, 60)
    dark = stripes[0, 0, 0] < 0.5
    assert int(dark.sum()) == 5 * width
    assert not dark[0]
    assert not dark[-1]
    assert torch.equal(dark[:48], dark[12:])


def test_the_median_deletes_what_is_thinner_than_the_uncertainty():
    """Of 2 reach + 1 answers a pixel needs reach + 1: stripes of at most reach pixels have none."""
    for width in range(1, 7):
        median = probes.possible_pictures(probes.upright_stripes(width, 12, 60), 2).median(0).values
        assert bool((median < 0.5).any()) == (width > 2), width


def test_a_descent_finds_the_picture_and_stays_in_range():
    target = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    near = probes.descend(lambda x: (x - target).square().sum(), probes.grey_noise(8), 200)
    assert (near - target).abs().max() < 0.02
    start = probes.grey_noise(8)
    beyond = probes.descend(lambda x: (x - 2).square().sum(), start, 60)
    assert float(beyond.max()) == float(beyond.min()) == 1
    assert torch.equal(start, probes.grey_noise(8)), "the start is left alone"
    assert not torch.equal(probes.grey_noise(8, 1), start)


def test_features_are_those_of_the_package():
    assert list(probes.edge_features().layers) == ["relu1_2", "relu2_2", "relu3_3", "relu4_3"]
    assert probes.edge_features("relu1_2").layers == ("relu1_2",)
    assert probes.edge_features() is probes.edge_features()


def test_swatch_is_cut_out_of_the_chest():
    swatch = probes.swatch_of(39, 0, 32, 256)
    photo = probes.photo_of(39, 0, 256)
    places = photo.image.unfold(2, 32, 1).unfold(3, 32, 1)
    same = (places[0].permute(1, 2, 0, 3, 4) == swatch[0]).flatten(2).all(-1).nonzero()
    assert len(same) == 1
    row, column = same[0].tolist()
    assert photo.mask[0, 0, row : row + 32, column : column + 32].mean() > 0.95


@pytest.mark.parametrize(("sides", "strides"), [((4, 4, 4), (2, 2, 1)), ((3, 5), (1, 1)), ((3, 2, 3), (2, 2, 1))])
def test_receptive_field_is_what_a_gradient_reaches(sides, strides):
    net = torch.nn.Sequential(*(torch.nn.Conv1d(1, 1, k, s) for k, s in zip(sides, strides, strict=True)))
    x = torch.zeros(1, 1, 80, requires_grad=True)
    net(x)[0, 0, 3].backward()
    assert int((x.grad != 0).sum()) == probes.side_of_patch(sides, strides)


def test_factors_multiply_to_ssim():
    x, y = torch.rand(2, 1, 3, 24, 30, generator=torch.Generator().manual_seed(4))
    y = 0.5 * x + 0.3 * y
    light, rest = probes.ssim_factors(x[0], y[0])
    assert light.shape == rest.shape == (3, 14, 20)
    assert float((light * rest).mean()) == pytest.approx(ssim(x, y).item(), abs=1e-6)
    assert float(light.max()) <= 1
    one, other = probes.ssim_factors(x[0], 0.8 * x[0])  # darker and flatter, but in step
    assert float(one.min()) > 0.9
    assert float(other.min()) > 0.9


def test_receptive_field_of_the_well_known_critic():
    convs = [layer for layer in PatchGAN().layers if isinstance(layer, torch.nn.Conv2d)]
    sides, strides = zip(*((conv.kernel_size[0], conv.stride[0]) for conv in convs), strict=True)
    assert probes.side_of_patch(sides, strides) == 70


def test_critic_is_normalised_and_sees_as_far_as_said():
    critic = probes.PatchCritic().eval()
    assert all(parametrize.is_parametrized(conv, "weight") for conv in critic.convs)
    x = torch.rand(1, 3, 64, 64, requires_grad=True)
    verdict = critic(x)
    assert bool(((verdict > 0) & (verdict < 1)).all())
    verdict[0, 0, 5, 5].backward()
    columns = int((x.grad.abs().sum((0, 1, 2)) > 0).sum())
    assert columns == probes.side_of_patch([probes.PatchCritic.SIDE] * 3, probes.PatchCritic.STRIDES)


def test_critic_learns_to_tell_a_blur(photographs):
    before = torch.get_rng_state()
    critic, losses = probes.trained_critic(photographs, 150)
    assert torch.equal(torch.get_rng_state(), before), "the caller's random numbers are left alone"
    assert len(losses) == 150
    assert losses[-1] < 0.8 * losses[0]
    assert probes.taken_for_right(critic, photographs) > 0.7
    assert not any(p.requires_grad for p in critic.parameters())
    again, _ = probes.trained_critic(photographs, 150)
    assert torch.equal(again(photographs), critic(photographs))


def test_share_told_right_of_critics_that_always_say_the_same(photographs):
    for verdict in (0.1, 0.9):
        assert probes.taken_for_right(lambda x, v=verdict: torch.full((len(x), 1, 2, 2), v), photographs) == 0.5
    sharpness = float((photographs[..., 1:] - photographs[..., :-1]).abs().amax((1, 2, 3)).min()) * 0.8

    def knows(x):
        return (x[..., 1:] - x[..., :-1]).abs().amax((1, 2, 3), keepdim=True) / sharpness / 2

    assert float(knows(blurred(photographs, probes.SOFT)).min()) < 0.5
    assert probes.taken_for_right(knows, photographs) > 0.5
