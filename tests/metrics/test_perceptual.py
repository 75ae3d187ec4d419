"""The perceptual distance: a slow twin, its value on one pair, what it orders, masks, and its memory."""

import math

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from posekit.metrics import perceptual as module
from posekit.metrics.perceptual import TAPS, Perceptual, perceptual
from posekit.nets.vgg import VGGFeatures
from posekit.studio.generate import make_person
from posekit.util.errors import InputError


@pytest.fixture(scope="module")
def person():
    """Two photographs of one rendered person, 64 x 64."""
    return torch.stack([make_person(1, 9, view, 64).image for view in (0, 1)])


def blurred(image, factor):
    return interpolate(avg_pool2d(image, factor), size=image.shape[-2:], mode="bilinear") if factor > 1 else image


def test_agrees_with_the_definition(person):
    image, truth = person[:1, :, :32, 16:48], person[1:, :, :32, 16:48]
    vgg = VGGFeatures("edge_vgg16", TAPS)
    a, b = vgg(image), vgg(truth)
    means = []
    for tap in TAPS:
        cosines = []
        for y in range(a[tap].shape[2]):
            for x in range(a[tap].shape[3]):
                u, v = a[tap][0, :, y, x].double(), b[tap][0, :, y, x].double()
                cosines.append((u @ v / (u.norm() * v.norm())).item())
        means.append(1 - sum(cosines) / len(cosines))
    assert perceptual(image, truth).item() == pytest.approx(sum(means) / 5, abs=1e-5)


def test_its_value_on_a_pair():
    """A change of network, scale or layers changes every table: this number has to be changed with it."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 48), torch.linspace(0, 1, 48), indexing="ij")
    image = torch.stack([x, y, (12 * x).sin() * (9 * y).cos() / 2 + 0.5])[None]
    assert perceptual(image, image.flip(3)).item() == pytest.approx(0.3745, abs=1e-3)


def test_equal_pictures_are_at_zero_and_order_does_not_matter(person):
    assert perceptual(person, person).tolist() == [0, 0]
    there, back = perceptual(person[:1], person[1:]), perceptual(person[1:], person[:1])
    torch.testing.assert_close(there, back)
    assert 0.1 < there.item() < 1


def test_it_orders_ladders(person):
    """More of a fault is further away: blur, a shift, noise, another colour; another view is further than blur."""
    truth, other = person[:1], person[1:]
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    grey = truth.mean(1, keepdim=True)
    ladders = {
        "blur": [blurred(truth, factor) for factor in (1, 2, 4, 8, 16)],
        "shift": [truth.roll(pixels, 3) for pixels in (0, 1, 2, 4, 8)],
        "noise": [(truth + sigma * noise).clamp(0, 1) for sigma in (0, 0.02, 0.05, 0.1, 0.2)],
        "colour": [truth.lerp(grey.expand_as(truth), share) for share in (0, 0.25, 0.5, 1)],
        "hue": [truth, truth.lerp(truth.roll(1, 1), 0.3), truth.roll(1, 1)],
    }
    for name, ladder in ladders.items():
        values = [perceptual(image, truth).item() for image in ladder]
        assert values == sorted(values), f"{name}: {values}"
        assert values[0] == 0 < values[1], f"{name}: {values}"
    assert perceptual(blurred(truth, 2), truth) < perceptual(other, truth)


def test_nothing_off_the_mask_matters_and_an_empty_one_gives_nan(person):
    mask = torch.zeros(2, 1, 64, 64)
    mask[0, :, 10:50, 20:44] = 1
    value = perceptual(person, person.flip(0), mask)
    assert 0 < value[0] < 1
    assert math.isnan(value[1])
    elsewhere = torch.where(mask > 0, person, torch.nan)
    assert torch.equal(perceptual(elsewhere, person.flip(0), mask)[0], value[0])
    whole = perceptual(person, person.flip(0), torch.ones_like(mask))
    torch.testing.assert_close(whole, perceptual(person, person.flip(0)))


def test_vectors_of_zeros(monkeypatch):
    """0 from each other, 1/2 from the rest: neither is NaN."""
    taps = {f"tap{n}": 2**n for n in range(5)}

    class Zeros(torch.nn.Module):
        def forward(self, image):
            return {name: avg_pool2d(image, side) for name, side in taps.items()}

    monkeypatch.setattr(module, "_network", Zeros)
    black, white = torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    assert perceptual(black, black).item() == 0
    assert perceptual(black, white).item() == pytest.approx(0.5)
    assert perceptual(white, white / 2).item() == pytest.approx(0, abs=1e-6)


def test_the_memory_is_small_and_changes_no_number(person, monkeypatch):
    pictures = [(person[:1] * (1 - 0.1 * n)) for n in range(4)]
    fresh = [perceptual(picture, person[1:]).item() for picture in pictures]
    monkeypatch.setattr(module, "_MEMORY", 0)
    measure = Perceptual()
    for _ in range(2):
        assert [measure(picture, person[1:]).item() for picture in pictures] == fresh
        assert len(measure._seen) == 2, "only the last pictures are kept"


@pytest.mark.usefixtures("unchecked")
def test_bad_input(person):
    with pytest.raises(InputError, match="at least 16 pixels a side, got 15 x 64"):
        perceptual(person[..., :15, :], person[..., :15, :])
    with pytest.raises(InputError, match="two batches of images of one shape"):
        perceptual(person, person[:1])
