"""Texture measures against slow twins, on textures whose answer is known, and off the mask."""

import cmath
import math

import pytest
import torch

from posekit.metrics.texture import laplacian_pyramid, radial_spectrum, sliced_wasserstein
from posekit.util.errors import InputError


def noise(n=2, size=32, seed=0):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed))


def blob(n=2, size=32):
    """A ragged mask with a hole."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    mask = ((x - size / 2) ** 2 + 1.5 * (y - size / 2) ** 2 < (0.45 * size) ** 2) & ((x - 9) ** 2 + (y - 12) ** 2 > 5)
    return mask.float().expand(n, 1, size, size).clone()


def blurred(image, times=1):
    for _ in range(times):
        image = torch.nn.functional.avg_pool2d(image, 3, stride=1, padding=1, count_include_pad=False)
    return image


# ------------------------------------------------------------------------------------------------------------- twins


def naive_around(image, mask, y, x):
    """Binomial mean (and its weight) around a pixel, over the pixels on the mask."""
    k, total, weight = (1, 4, 6, 4, 1), torch.zeros(3), 0.0
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            i, j = y + dy, x + dx
            if 0 <= i < image.shape[1] and 0 <= j < image.shape[2] and mask[i, j] > 0:
                total += k[dy + 2] * k[dx + 2] / 256 * image[:, i, j]
                weight += k[dy + 2] * k[dx + 2] / 256
    return (total / weight if weight else total), weight


def naive_pyramid(image, mask, levels):
    bands, places = [], []
    for _ in range(levels - 1):
        _, h, w = image.shape
        coarse_mask = mask[::2, ::2]
        coarse = torch.zeros(3, *coarse_mask.shape)
        for y in range(0, h, 2):
            for x in range(0, w, 2):
                if mask[y, x] > 0:
                    coarse[:, y // 2, x // 2] = naive_around(image, mask, y, x)[0]
        spread, spread_mask = torch.zeros_like(image), torch.zeros_like(mask)
        spread[:, ::2, ::2], spread_mask[::2, ::2] = coarse, coarse_mask
        band, on = torch.zeros_like(image), torch.zeros_like(mask)
        for y in range(h):
            for x in range(w):
                enlarged, weight = naive_around(spread, spread_mask, y, x)
                if mask[y, x] > 0 and weight > 0:
                    band[:, y, x], on[y, x] = image[:, y, x] - enlarged, 1
        bands.append(band)
        places.append(on)
        image, mask = coarse, coarse_mask
    return [*bands, image], [*places, mask]


def naive_distance(image, truth, mask, levels, patch, directions, seed):
    found = []
    (ours, known), (theirs, _) = (naive_pyramid(i, mask, levels) for i in (image, truth))
    for a, b, on in zip(ours, theirs, known, strict=True):
        places = [
            (slice(None), slice(y, y + patch), slice(x, x + patch))
            for y in range(on.shape[0] - patch + 1)
            for x in range(on.shape[1] - patch + 1)
            if on[y : y + patch, x : x + patch].all()
        ]
        generator = torch.Generator().manual_seed(seed)
        total = 0.0
        for r in torch.randn(directions, 3 * patch * patch, generator=generator):
            r = r / r.norm()
            p, q = (sorted(float(r @ band[place].flatten()) for place in places) for band in (a, b))
            total += sum(abs(s - t) for s, t in zip(p, q, strict=True)) / len(places)
        found.append(total / directions)
    return found


def test_pyramid_against_its_twin():
    image, mask = noise(1, 17), blob(1, 17)
    bands, places = laplacian_pyramid(image, mask, 3)
    image = torch.where(mask > 0, image, 0)
    slow_bands, slow_places = naive_pyramid(image[0], mask[0, 0], 3)
    for ours, theirs in zip([*bands, *places], [*slow_bands, *slow_places], strict=True):
        torch.testing.assert_close(ours[0].reshape(theirs.shape), theirs)


def test_pyramid_of_a_smooth_image_is_its_rest():
    """A ramp is its own blur: no band but at the border, where the mean is one-sided."""
    ramp = (torch.arange(32.0) / 32).expand(1, 3, 32, 32)
    (fine, rest), _ = laplacian_pyramid(ramp, torch.ones(1, 1, 32, 32), 2)
    torch.testing.assert_close(fine[..., 4:-4], torch.zeros(1, 3, 32, 24), atol=1e-6, rtol=0)
    torch.testing.assert_close(rest[..., 2:-2], ramp[..., ::2, ::2][..., 2:-2])


def test_distance_against_its_twin():
    image, truth = blurred(noise(1, 20)), noise(1, 20, seed=1)
    ours = sliced_wasserstein(image, truth, blob(1, 20), levels=2, patch=3, directions=5, patches=10**6, seed=3)
    expected = naive_distance(image[0], truth[0], blob(1, 20)[0, 0], 2, 3, 5, 3)
    torch.testing.assert_close(ours[0], torch.tensor(expected))


# -------------------------------------------------------------------------------------------------------- properties


def test_equal_images_have_no_distance():
    image = noise()
    assert sliced_wasserstein(image, image).tolist() == [[0, 0, 0]] * 2
    assert sliced_wasserstein(image, image, blob(), patch=3).tolist() == [[0, 0, 0]] * 2


def test_it_is_symmetric():
    a, b = noise(), blurred(noise(seed=1))
    torch.testing.assert_close(sliced_wasserstein(a, b, blob(), patch=3), sliced_wasserstein(b, a, blob(), patch=3))


def test_what_lies_off_the_mask_does_not_matter():
    image, truth, mask = noise(), blurred(noise()), blob()
    other = torch.where(mask > 0, image, 1e3 * noise(seed=5))
    nothing = torch.where(mask > 0, image, torch.nan)
    expected = sliced_wasserstein(image, truth, mask, patch=3)
    assert (expected > 0).all()
    assert torch.equal(sliced_wasserstein(other, truth, mask, patch=3), expected)
    assert torch.equal(sliced_wasserstein(nothing, truth, mask, patch=3), expected)


def test_the_order_of_patches_does_not_matter():
    """The same tiles at other places: no distance, however large l1 is."""
    truth = noise(1, 8).repeat(1, 1, 5, 5)[..., :36, :36]  # period 8; 32 x 32 patches of 5 hold four periods each way
    moved = noise(1, 8).roll((3, 5), (2, 3)).repeat(1, 1, 5, 5)[..., :36, :36]
    assert (moved - truth).abs().mean() > 0.2
    assert sliced_wasserstein(moved, truth, levels=1, patch=5, patches=10**6).item() < 1e-6
    shuffled = truth.flatten(2)[..., torch.randperm(36 * 36)].reshape(truth.shape)
    assert sliced_wasserstein(shuffled, truth, levels=1, patch=1, patches=10**6).item() < 1e-6
    assert sliced_wasserstein(shuffled, truth, levels=1, patch=5).item() > 0.01


def test_blur_is_seen_in_the_finest_level_first():
    truth = noise(2, 64)
    once, twice = (sliced_wasserstein(blurred(truth, k), truth) for k in (1, 2))
    assert (once[:, 0] > 0.05).all()
    assert (twice[:, 0] > once[:, 0]).all()
    assert (once[:, 0] > 3 * once[:, 2]).all()


def test_a_change_of_colour_is_seen_in_the_coarsest_level_alone():
    truth = noise(2, 64)
    found = sliced_wasserstein(truth + 0.1, truth)
    assert (found[:, :2] < 1e-5).all()
    assert (found[:, 2] > 0.05).all()


def test_blur_wins_l1_and_loses_here():
    """Stripes moved by half a period against their mean: why l1 alone does not tell texture."""
    x = torch.arange(64.0)
    stripes = (0.5 + 0.4 * torch.sin(x * 2 * math.pi / 8)).expand(1, 3, 64, 64)
    moved, flat = stripes.roll(4, 3), torch.full_like(stripes, 0.5)
    assert (moved - stripes).abs().mean() > 1.9 * (flat - stripes).abs().mean()
    ours, blur = (sliced_wasserstein(image, stripes)[0, :2] for image in (moved, flat))
    assert (ours < 0.2 * blur).all()


def test_values_depend_on_the_seed_alone():
    image, truth, mask = noise(3), blurred(noise(3)), blob(3)
    together = sliced_wasserstein(image, truth, mask, patch=3, patches=50)
    torch.manual_seed(99)
    again = sliced_wasserstein(image[1:2], truth[1:2], mask[1:2], patch=3, patches=50)
    torch.testing.assert_close(again, together[1:2])
    other = sliced_wasserstein(image, truth, mask, patch=3, patches=50, seed=1)
    assert not torch.equal(other, together)
    torch.testing.assert_close(other[:, 0], together[:, 0], rtol=0.25, atol=0)


def test_no_patch_is_no_number():
    mask = torch.zeros(2, 1, 32, 32)
    mask[0, :, :, 4:10] = 1  # 6 pixels wide: patches of 5 at level 0, none at level 1
    found = sliced_wasserstein(noise(), blurred(noise()), mask, levels=2, patch=5)
    assert found.isnan().tolist() == [[False, True], [True, True]]


def test_bad_input(unchecked):
    image = noise()
    with pytest.raises(InputError, match="of one shape, got"):
        sliced_wasserstein(image, image[..., 1:])
    with pytest.raises(InputError, match=r"The mask of images of shape \(2, 3, 32, 32\) is \(2, 1, 32, 32\), got"):
        sliced_wasserstein(image, image, blob(1))
    with pytest.raises(InputError, match="32 x 32 pixels has no patch of 9 at level 2"):
        sliced_wasserstein(image, image, patch=9)
    with pytest.raises(InputError, match="are 1 or more, got 0, 7, 128 and 1024"):
        sliced_wasserstein(image, image, levels=0)
    with pytest.raises(InputError, match="at least 1 ring and an image of 3 pixels a side, got 0 and 32 x 32"):
        radial_spectrum(image, bins=0)
    with pytest.raises(InputError, match="The mask of images"):
        radial_spectrum(image, blob(2, 30))


# ---------------------------------------------------------------------------------------------------------- spectrum


def naive_spectrum(image, mask, bins):
    _, h, w = image.shape
    count, total = [0] * bins, [0.0] * bins
    energy = float((mask**2).sum())
    for ky in range(h):
        for kx in range(w):
            fy, fx = (k / n if k / n < 0.5 else k / n - 1 for k, n in ((ky, h), (kx, w)))
            ring = int(math.hypot(fy, fx) * 2 * bins)
            if ring >= bins or (ky, kx) == (0, 0):
                continue
            power = 0.0
            for channel in image:
                mean = float((channel * mask).sum() / mask.sum())
                value = sum(
                    float(mask[y, x] * (channel[y, x] - mean)) * cmath.exp(-2j * math.pi * (ky * y / h + kx * x / w))
                    for y in range(h)
                    for x in range(w)
                )
                power += abs(value) ** 2 / 3
            count[ring] += 1
            total[ring] += power / energy
    return [t / n for t, n in zip(total, count, strict=True)]


def test_spectrum_against_its_twin():
    image, mask = noise(1, 10), blob(1, 10)
    frequency, power = radial_spectrum(image, mask, bins=3)
    torch.testing.assert_close(power[0], torch.tensor(naive_spectrum(image[0], mask[0, 0], 3)))
    torch.testing.assert_close(frequency, torch.tensor([1, 3, 5]) / 12)
    hann = torch.tensor([math.sin(math.pi * (i + 1) / 11) ** 2 for i in range(10)])
    expected = naive_spectrum(image[0], torch.outer(hann, hann), 3)
    torch.testing.assert_close(radial_spectrum(image, bins=3)[1][0], torch.tensor(expected))


def test_white_noise_has_its_variance_at_every_frequency():
    image = 0.5 + 0.1 * torch.randn(4, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    for mask in (None, blob(4, 128)):
        _, power = radial_spectrum(image, mask, bins=8)
        torch.testing.assert_close(power.mean(0)[1:], torch.full((7,), 0.01), rtol=0.1, atol=0)


def test_a_wave_is_at_its_frequency():
    wave = (0.5 + 0.3 * torch.sin(2 * math.pi * 0.2 * torch.arange(64.0))).expand(1, 3, 64, 64)
    frequency, power = radial_spectrum(wave)
    assert frequency[power[0].argmax()].item() == pytest.approx(0.2, abs=1 / 64)


def test_spectrum_sees_the_mask_alone_and_not_the_mean():
    image, mask = noise(), blob()
    _, power = radial_spectrum(image, mask, bins=8)
    _, other = radial_spectrum(torch.where(mask > 0, image + 3, torch.nan), mask, bins=8)
    torch.testing.assert_close(other, power, rtol=1e-4, atol=1e-6)
    assert radial_spectrum(image, torch.zeros(2, 1, 32, 32))[1].isnan().all()


def test_blur_takes_the_high_frequencies():
    truth = noise(1, 64)
    before, after = (radial_spectrum(image, blob(1, 64))[1][0] for image in (truth, blurred(truth)))
    assert (after[-4:] < 0.3 * before[-4:]).all()
    assert after[1] > 0.7 * before[1]
