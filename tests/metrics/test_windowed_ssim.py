"""SSIM through any window, against the sum written out and against scikit-image, which the scripts call."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from skimage.metrics import structural_similarity

from posekit.metrics.windowed_ssim import SsimWindow, windowed_ssim
from posekit.util.errors import InputError


def pictures(n=2, size=(40, 30), noise=0.1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    smooth = torch.nn.functional.interpolate(torch.rand(n, 3, 6, 6, generator=generator), size, mode="bilinear")
    made = (smooth + noise * torch.randn(smooth.shape, generator=generator)).clamp(0, 1)
    return tuple((x * 255).round() / 255 for x in (made, smooth))


def naive(a, b, window):
    """Window by window, of one picture ``3 h w``: means, variances and the quotient, as the definition has them."""
    a, b = a.double().numpy(), b.double().numpy()
    if window.grey:
        a, b = (np.round(255 * (0.2989 * x[0] + 0.5870 * x[1] + 0.1140 * x[2]))[None] / 255 for x in (a, b))
    reach = a.max() - a.min() if window.own_range else 1
    half, n = window.side // 2, window.side**2
    x = np.arange(-half, half + 1)
    line = np.exp(-(x**2) / (2 * window.sigma**2)) if window.kind == "gaussian" else np.ones(window.side)
    weight = np.outer(line, line) / line.sum() ** 2
    border = [(0, 0), (half, half), (half, half)]
    va, vb = (sliding_window_view(np.pad(z, border, "symmetric"), weight.shape, axis=(1, 2)) for z in (a, b))
    ma, mb = ((v * weight).sum((-1, -2)) for v in (va, vb))
    da, db = va - ma[..., None, None], vb - mb[..., None, None]
    times = n / (n - 1) if window.sample else 1
    saa, sbb, sab = (times * (p * q * weight).sum((-1, -2)) for p, q in ((da, da), (db, db), (da, db)))
    c, d = (0.01 * reach) ** 2, (0.03 * reach) ** 2
    values = (2 * ma * mb + c) * (2 * sab + d) / ((ma**2 + mb**2 + c) * (saa + sbb + d))
    edge = window.edge
    return values[:, edge : values.shape[1] - edge, edge : values.shape[2] - edge].mean()


@pytest.mark.parametrize(
    "window",
    [
        SsimWindow(),
        SsimWindow(side=13, edge=5, own_range=True),
        SsimWindow(side=7, sigma=0.8, edge=0),
        SsimWindow(kind="uniform", side=9, edge=4, sample=True),
        SsimWindow(grey=True),
        SsimWindow(grey=True, own_range=True, kind="uniform", side=3, edge=7),
    ],
    ids=SsimWindow.words,
)
def test_it_is_the_sum_written_out(window):
    image, truth = pictures(noise=0.2)
    expected = [naive(a, b, window) for a, b in zip(image, truth, strict=True)]
    assert max(expected) < 0.95
    assert windowed_ssim(image, truth, window).tolist() == pytest.approx(expected, abs=2e-6)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), noise=st.floats(0.02, 0.5))
def test_it_is_scikit_images(seed, noise):
    """Under the two settings that scikit-image knows: bells cut at 3.5 sigma, and means of 51 x 51 pixels."""
    image, truth = pictures(1, (64, 57), noise, seed)
    a, b = (x[0].double().numpy() for x in (image, truth))
    bell = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    of_range = structural_similarity(b, a, **bell, channel_axis=0, data_range=a.max() - a.min())
    assert windowed_ssim(image, truth, SsimWindow(own_range=True)).item() == pytest.approx(of_range, abs=2e-6)
    small = structural_similarity(b, a, **bell | {"sigma": 1.2}, channel_axis=0, data_range=a.max() - a.min())
    nine = SsimWindow(side=9, sigma=1.2, edge=4, own_range=True)
    assert windowed_ssim(image, truth, nine).item() == pytest.approx(small, abs=2e-6)
    broad = SsimWindow(kind="uniform", side=51, edge=25, sample=True)
    expected = structural_similarity(b, a, win_size=51, channel_axis=0, data_range=1)
    assert windowed_ssim(image, truth, broad).item() == pytest.approx(expected, abs=2e-6)


def test_equal_pictures_are_at_one_and_their_own_range_takes_sides():
    image, truth = pictures()
    own = SsimWindow(own_range=True)
    assert windowed_ssim(image, image, own).tolist() == pytest.approx([1, 1])
    pale = 0.4 + 0.2 * truth
    torch.testing.assert_close(windowed_ssim(pale, truth, SsimWindow()), windowed_ssim(truth, pale, SsimWindow()))
    assert (windowed_ssim(pale, truth, own) < windowed_ssim(truth, pale, own) - 0.02).all()


def test_a_generated_picture_of_one_value_has_no_range():
    flat, truth = torch.full((1, 3, 20, 20), 0.5), torch.rand(1, 3, 20, 20)
    assert torch.isnan(windowed_ssim(flat, truth, SsimWindow(own_range=True)))
    assert torch.isfinite(windowed_ssim(truth, flat, SsimWindow(own_range=True)))


def test_what_cannot_be_is_refused():
    small = torch.rand(1, 3, 50, 60)
    with pytest.raises(InputError, match="window of 51 pixels and needs pictures of at least 51 a side, got 50 x 60"):
        windowed_ssim(small, small, SsimWindow(kind="uniform", side=51, edge=25))
    for wrong in ({"side": 10}, {"edge": -1}, {"side": 0}):
        with pytest.raises(InputError, match="odd number of pixels"):
            SsimWindow(**wrong)
