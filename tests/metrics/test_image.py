"""Image metrics against independent implementations and hand-made cases."""

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from posekit.metrics import image as metrics
from posekit.metrics.protocol import STANDARD, Protocol
from posekit.studio.generate import make_person
from posekit.util.errors import InputError
from posekit.util.torchvision import ensure_torchvision


def pictures(n=3, size=64, noise=0.1):
    generator = torch.Generator().manual_seed(0)
    smooth = torch.rand(n, 3, 8, 8, generator=generator)
    truth = torch.nn.functional.interpolate(smooth, (size, size), mode="bilinear")
    return (truth + noise * torch.randn(truth.shape, generator=generator)).clamp(0, 1), truth


def independent_map(image, truth, sigma=1.5, data_range=1.0, k1=0.01, k2=0.03):
    """torchmetrics' map of SSIM in double precision, away from the border, where it mirrors as we do not."""
    ensure_torchvision()
    from torchmetrics.functional.image import structural_similarity_index_measure

    settings = {"sigma": sigma, "data_range": data_range, "k1": k1, "k2": k2, "reduction": "none"}
    maps = structural_similarity_index_measure(image.double(), truth.double(), return_full_image=True, **settings)[1]
    edge = int(3.5 * sigma + 0.5)
    return maps[..., edge : maps.shape[-2] - edge, edge : maps.shape[-1] - edge]


def independent_ssim(image, truth, **settings):
    return independent_map(image, truth, **settings).mean((1, 2, 3)).float()


def test_ssim_agrees_with_torchmetrics():
    image, truth = pictures()
    torch.testing.assert_close(metrics.ssim(image, truth), independent_ssim(image, truth), atol=1e-6, rtol=0)


def test_flat_pictures_are_compared_to_the_last_digit():
    """Variances are differences of large numbers: in float32 these two come out at 0.99892."""
    a, b = (torch.full((1, 3, 64, 64), value / 255) for value in (240, 241))
    x, y = 240 / 255, 241 / 255
    luminance = (2 * x * y + 1e-4) / (x * x + y * y + 1e-4)
    assert metrics.ssim(a, b).item() == pytest.approx(luminance, abs=1e-6)
    assert metrics.ms_ssim(a, b).item() == pytest.approx(luminance ** (0.3001 / (0.0448 + 0.2856 + 0.3001)), abs=1e-6)


def test_ssim_takes_window_and_range_from_the_protocol():
    """With another sigma, data range and constants, and still as torchmetrics has it."""
    image, truth = pictures()
    other = Protocol(sigma=0.8, data_range=2.0, k=(0.02, 0.05))
    found = metrics.ssim(image, truth, protocol=other)
    expected = independent_ssim(image, truth, sigma=0.8, data_range=2.0, k1=0.02, k2=0.05)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert ((found - metrics.ssim(image, truth)).abs() > 0.01).all()
    one_scale = Protocol(sigma=0.8, data_range=2.0, k=(0.02, 0.05), scale_weights=(0.3,))
    torch.testing.assert_close(metrics.ms_ssim(image, truth, protocol=one_scale), found)


def test_a_window_of_one_pixel():
    """Means and no variances: what is left is the luminance term, of every pixel."""
    image, truth = pictures()
    narrow = Protocol(sigma=0.1)
    assert narrow.window == 1
    expected = ((2 * image * truth + 0.01**2) / (image**2 + truth**2 + 0.01**2)).mean((1, 2, 3))
    torch.testing.assert_close(metrics.ssim(image, truth, protocol=narrow), expected, atol=1e-6, rtol=0)


def naive_ms_ssim(a, b):
    """The definition in numpy, window by window: contrast and structure at each scale, luminance at the last."""
    x = np.arange(-5, 6)
    bell = np.exp(-(x**2) / (2 * 1.5**2))
    window = np.outer(bell, bell) / bell.sum() ** 2
    weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    terms = []
    for _ in weights:
        if min(a.shape[1:]) < 11:
            break
        va, vb = (sliding_window_view(z, (11, 11), axis=(1, 2)) for z in (a, b))
        ma, mb = (np.einsum("chwij,ij->chw", v, window) for v in (va, vb))
        aa, bb, ab = (np.einsum("chwij,chwij,ij->chw", p, q, window) for p, q in ((va, va), (vb, vb), (va, vb)))
        cs = (2 * (ab - ma * mb) + 0.03**2) / (aa - ma**2 + bb - mb**2 + 0.03**2)
        luminance = (2 * ma * mb + 0.01**2) / (ma**2 + mb**2 + 0.01**2)
        terms.append((cs.mean(), (cs * luminance).mean()))
        h, w = (n // 2 for n in a.shape[1:])
        a, b = (z[:, : 2 * h, : 2 * w].reshape(3, h, 2, w, 2).mean((2, 4)) for z in (a, b))
    weights = np.array(weights[: len(terms)])
    means = np.array([cs for cs, _ in terms[:-1]] + [terms[-1][1]])
    return len(terms), np.prod(np.maximum(means, 0) ** (weights / weights.sum()))


@pytest.mark.parametrize(
    ("size", "scales"), [((64, 64), 3), ((128, 128), 4), ((192, 192), 5), ((97, 131), 4), ((256, 176), 5)]
)
def test_ms_ssim_agrees_with_the_definition(size, scales):
    image, truth = (x[..., : size[0], : size[1]] for x in pictures(2, max(size), noise=0.2))
    expected = [naive_ms_ssim(a.double().numpy(), b.double().numpy()) for a, b in zip(image, truth, strict=True)]
    assert STANDARD.scales(size) == scales
    assert [found for found, _ in expected] == [scales, scales]
    values = torch.tensor([value for _, value in expected]).float()
    assert (values < 0.99).all()
    torch.testing.assert_close(metrics.ms_ssim(image, truth), values, atol=1e-6, rtol=0)


def test_both_agree_on_photographs_of_studio_people():
    """Flat walls, prints and edges, and another pose: what the table is made of."""
    views = [make_person(0, person, view, 128).image for person in (9, 19) for view in (0, 1)]
    image, truth = torch.stack(views[::2]), torch.stack(views[1::2])
    several = [naive_ms_ssim(a.double().numpy(), b.double().numpy())[1] for a, b in zip(image, truth, strict=True)]
    torch.testing.assert_close(metrics.ssim(image, truth), independent_ssim(image, truth), atol=1e-6, rtol=0)
    torch.testing.assert_close(metrics.ms_ssim(image, truth), torch.tensor(several).float(), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("size", "scales"), [(11, 1), (22, 2), (43, 2), (44, 3), (87, 3), (88, 4), (175, 4), (176, 5)])
def test_scales_follow_the_size(size, scales):
    assert STANDARD.scales((size, 500)) == scales


def test_equal_images():
    image, _ = pictures()
    torch.testing.assert_close(metrics.ssim(image, image), torch.ones(3))
    torch.testing.assert_close(metrics.ms_ssim(image, image), torch.ones(3))
    torch.testing.assert_close(metrics.gradient_energy_ratio(image, image), torch.ones(3))
    assert (metrics.l1(image, image) == 0).all()


def test_l1_per_image():
    truth = torch.zeros(2, 3, 12, 12)
    image = torch.stack([torch.full((3, 12, 12), 0.25), torch.full((3, 12, 12), 0.5)])
    assert metrics.l1(image, truth).tolist() == [0.25, 0.5]


def test_gradient_energy_of_a_step():
    truth = torch.zeros(1, 3, 12, 12)
    truth[..., 6:] = 1
    half = truth * 0.5
    assert metrics.gradient_energy_ratio(half, truth).item() == pytest.approx(0.25)
    soft = truth.clone()
    soft[..., 6] = 0.5  # a ramp of two steps of 0.5 in place of one of 1
    assert metrics.gradient_energy_ratio(soft, truth).item() == pytest.approx(0.5)


def test_gradient_energy_inside_a_mask_ignores_the_rest():
    image, truth = pictures()
    mask = torch.zeros(3, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    inside = metrics.gradient_energy_ratio(image, truth, mask)
    noisy = torch.where(mask > 0, image, torch.rand_like(image))
    torch.testing.assert_close(metrics.gradient_energy_ratio(noisy, truth, mask), inside)
    crop = (..., slice(16, 48), slice(16, 48))
    torch.testing.assert_close(metrics.gradient_energy_ratio(image[crop], truth[crop]), inside)


def half_mask(n=3, size=64):
    mask = torch.zeros(n, 1, size, size)
    mask[..., 10:40, 20:] = 1
    mask[..., 20:24, 30:33] = 0
    return mask


def test_masked_l1_is_the_mean_of_the_pixels_on_the_mask():
    image, truth = pictures()
    mask = half_mask()
    expected = [(a - b).abs().permute(1, 2, 0)[m[0] > 0].mean() for a, b, m in zip(image, truth, mask, strict=True)]
    torch.testing.assert_close(metrics.l1(image, truth, mask), torch.stack(expected))
    torch.testing.assert_close(metrics.l1(image, truth, torch.ones_like(mask)), metrics.l1(image, truth))


def test_masked_ssim_is_the_mean_of_the_map_on_the_mask():
    image, truth = pictures()
    mask = half_mask()
    torch.testing.assert_close(metrics.ssim(image, truth, torch.ones_like(mask)), metrics.ssim(image, truth))
    similar = independent_map(image * mask, truth * mask)  # 5 pixels of the border are missing
    expected = [one[:, m[5:-5, 5:-5] > 0].mean() for one, m in zip(similar, mask[:, 0], strict=True)]
    torch.testing.assert_close(metrics.ssim(image, truth, mask), torch.stack(expected).float(), atol=1e-6, rtol=0)


def test_masked_metrics_ignore_what_is_off_the_mask():
    image, truth = pictures()
    mask = half_mask()
    other = torch.where(mask > 0, image, torch.nan)
    for metric in (metrics.l1, metrics.ssim, metrics.gradient_energy_ratio):
        assert torch.equal(metric(other, truth, mask), metric(image, truth, mask))
        assert metric(image, truth, torch.zeros_like(mask)).isnan().all()


def test_l1_at_32_pixels_does_not_see_detail():
    image, truth = pictures()
    noise = torch.zeros_like(truth)
    noise[..., ::2, ::2], noise[..., 1::2, 1::2] = 0.1, -0.1  # no mean over 2 x 2
    torch.testing.assert_close(metrics.l1_at(truth + noise, truth, 32), torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(metrics.l1_at(truth + 0.1, truth, 32), torch.full((3,), 0.1))
    # down and back up: a difference that changes its sign from pixel to pixel is smaller half-way between the two
    wave = torch.zeros(1, 3, 64, 64)
    wave[..., torch.arange(64) // 2 % 2 == 0] = 1.0
    flat = torch.full_like(wave, 0.5)
    assert metrics.l1_at(wave, flat, 32).item() == pytest.approx(0.5 * (62 * 0.5 + 2) / 64, abs=1e-6)
    torch.testing.assert_close(metrics.l1_at(image, truth, image.shape[-1]), metrics.l1(image, truth))


def test_bad_input(unchecked):
    image, truth = pictures()
    for metric in (metrics.ssim, metrics.ms_ssim, metrics.l1, metrics.gradient_energy_ratio):
        with pytest.raises(InputError, match="of one shape, got"):
            metric(image, truth[..., 1:])
    for metric in (metrics.ssim, metrics.l1, metrics.gradient_energy_ratio):
        with pytest.raises(InputError, match="The mask of images of shape"):
            metric(image, truth, half_mask(1))
    with pytest.raises(InputError, match="at least 11 pixels a side, got 8 x 8"):
        metrics.ms_ssim(image[..., :8, :8], truth[..., :8, :8])


def test_psnr_and_relative_l1_by_hand():
    image, truth = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.75)
    truth[:, :, 2:] = 0.5
    assert metrics.psnr(image, truth).item() == pytest.approx(-10 * np.log10(0.5 * 0.25**2))
    assert metrics.relative_l1(image, truth).item() == pytest.approx(0.125 / (0.5 + 0.625))
    assert metrics.psnr(truth, truth).item() == np.inf
    assert metrics.relative_l1(truth, truth).item() == 0
    assert metrics.relative_l1(truth, 0 * truth).item() == 1


def test_psnr_is_scikit_images():
    from skimage.metrics import peak_signal_noise_ratio

    image, truth = pictures()
    pairs = zip(image.double().numpy(), truth.double().numpy(), strict=True)
    expected = [peak_signal_noise_ratio(b, a, data_range=1) for a, b in pairs]
    assert metrics.psnr(image, truth).tolist() == pytest.approx(expected, rel=1e-5)
