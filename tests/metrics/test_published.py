"""What public evaluation scripts compute: each against its steps done anew on 8-bit pictures, and their table."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from posekit.metrics.published import PUBLISHED, measure_published, prepare_published, published_words
from posekit.metrics.windowed_ssim import SsimWindow
from posekit.util.errors import InputError
from tests.metrics.test_windowed_ssim import naive

PAGE = Path(__file__).parents[2] / "docs" / "measurements.md"


def people(size=(256, 176), seed=0):
    """(generated, true): two 8-bit pictures ``h w 3``, blocks and stripes; the generated one moved, pale and noisy."""
    rng = np.random.default_rng(seed)
    h, w = size
    blocks = rng.random((16, 16, 3)).repeat(-(-h // 16), 0).repeat(-(-w // 16), 1)[:h, :w]
    true = blocks * 0.6 + 0.2 + 0.1 * np.sin(np.arange(w) / 2)[None, :, None]
    made = 0.1 + 0.8 * np.roll(true, 2, 1) + 0.03 * rng.standard_normal(true.shape)
    return tuple((255 * x.clip(0, 1)).round().astype(np.uint8) for x in (made, true))


def as_tensor(pixels):
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def measured(made, true, name):
    image, truth, _ = prepare_published(as_tensor(made), as_tensor(true), name)
    return {number.split(".")[1]: value.item() for number, value in measure_published(image, truth, name).items()}


def bell_of_own_range(made, true):
    """As scikit-image 0.15 and later have it, on values from 0 to 255."""
    made, true = made.astype(float), true.astype(float)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 2}
    return structural_similarity(true, made, data_range=made.max() - made.min(), **settings)


def broad(made, true):
    return structural_similarity(true / 255, made / 255, win_size=51, data_range=1, channel_axis=2)


def test_patn_pads_with_white_and_looks_through_thirteen_pixels():
    made, true = people()
    wide_made, wide_true = (np.pad(x, ((0, 0), (40, 40), (0, 0)), constant_values=255) for x in (made, true))
    values = measured(made, true, "patn")
    reach = int(wide_made.max()) - int(wide_made.min())
    assert reach == 255 - made.min() > int(made.max()) - int(made.min())  # the white of the border is in the range

    expected = naive(as_tensor(wide_made)[0], as_tensor(wide_true)[0], SsimWindow(side=13, edge=5, own_range=True))
    assert values["ssim"] == pytest.approx(expected, abs=2e-6)
    assert abs(values["ssim"] - bell_of_own_range(wide_made, wide_true)) > 1e-4  # of today's scikit-image: 11 pixels
    on_two = np.abs(2 * (wide_true / 255 - 0.5) - 2 * (wide_made / 255 - 0.5)).mean()
    assert values["l1"] == pytest.approx(on_two, rel=1e-5)
    assert set(values) == {"ssim", "l1"}


def test_patn_cuts_off_the_borders_of_the_data_set_first():
    made, true = people((256, 256))
    assert measured(made, true, "patn") == measured(made[:, 40:216], true[:, 40:216], "patn")


def test_patn_leaves_market_as_it_is():
    made, true = people((128, 64))
    image, _, protocol = prepare_published(as_tensor(made), as_tensor(true), "patn")
    assert torch.equal(image, as_tensor(made))
    assert (protocol.crop, protocol.padding, protocol.published) == (None, None, "patn")


@pytest.mark.parametrize("name", ["gfla", "pws"])
def test_gfla_has_two_numbers_called_ssim(name):
    made, true = people((256, 174))
    values = measured(made, true, name)
    a, b = made / 255, true / 255
    assert values["ssim"] == pytest.approx(broad(made, true), abs=2e-6)
    assert values["ssim_256"] == pytest.approx(bell_of_own_range(made, true), abs=2e-6)
    assert values["psnr"] == pytest.approx(peak_signal_noise_ratio(b, a, data_range=1), rel=1e-5)
    assert values["l1"] == pytest.approx(np.abs(a - b).mean(), rel=1e-5)
    assert values["mae"] == pytest.approx(np.abs(a - b).sum() / (a + b).sum(), rel=1e-5)
    assert abs(values["ssim"] - values["ssim_256"]) > 0.05


def test_cfld_brings_both_to_one_size_by_two_filters():
    made, true = people((512, 352))
    small_true = np.asarray(Image.fromarray(true).resize((176, 256), Image.Resampling.BICUBIC))
    floats = torch.nn.functional.interpolate(as_tensor(made), (256, 176), mode="bicubic", antialias=True)
    small_made = (floats * 255).clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0).numpy()
    values = measured(made, true, "cfld")
    assert values["ssim"] == pytest.approx(broad(small_made, small_true), abs=2e-6)
    assert values["ssim_256"] == pytest.approx(bell_of_own_range(small_made, small_true), abs=2e-6)
    expected = peak_signal_noise_ratio(small_true / 255, small_made / 255, data_range=1)
    assert values["psnr"] == pytest.approx(expected, rel=1e-5)
    assert set(values) == {"ssim", "ssim_256", "psnr"}


def test_pws_brings_the_truth_to_the_prediction():
    made, true = people((512, 348))[0], people((1101, 750))[1]
    small = np.asarray(Image.fromarray(true).resize((348, 512), Image.Resampling.LANCZOS))
    assert measured(made, true, "pws")["ssim"] == pytest.approx(broad(made, small), abs=2e-6)


def test_wang_is_in_grey_with_all_of_the_range():
    made, true = people()
    grey = [np.round(x @ np.array([0.2989, 0.5870, 0.1140])) for x in (made, true)]
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    values = measured(made, true, "wang")
    assert values == {"ssim": pytest.approx(structural_similarity(*grey, **settings), abs=1e-5)}  # greys at a half


def test_plain_is_what_an_evaluation_of_ours_measures():
    from posekit.metrics.image import ssim

    made, true = people()
    expected = ssim(as_tensor(made), as_tensor(true)).item()
    assert measured(made, true, "plain")["ssim"] == pytest.approx(expected, abs=1e-6)


def test_the_order_of_two_predictions_turns_around():
    """Which of two is better, is for the script to say: all four numbers are called SSIM."""
    _, true = people()
    x = true / 255
    predictions = {"pale": 0.5 + 0.4 * (x - 0.5), "moved": np.roll(x, 2, 1), "recoloured": x[..., [1, 2, 0]]}
    made = {name: (255 * p).round().astype(np.uint8) for name, p in predictions.items()}
    value = {
        name: {p: measured(pixels, true, p)["ssim"] for p in PUBLISHED if p != "pws"} for name, pixels in made.items()
    }
    assert value["pale"]["patn"] > value["moved"]["patn"] + 0.05
    assert value["pale"]["gfla"] < value["moved"]["gfla"] - 0.02
    assert value["recoloured"]["wang"] > value["moved"]["wang"] + 0.05
    assert value["recoloured"]["gfla"] < value["moved"]["gfla"] - 0.05


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        (
            "patn",
            (128, 128),
            "patn is for pictures of 256 x 176, 256 x 256, 128 x 64 pixels .height x width., got 128 x 128",
        ),
        ("pws", (512, 512), "pws is for pictures of 512 x 348, 256 x 174 pixels"),
        ("gfla", (40, 60), "window of 51 pixels"),
        ("nobody", (64, 64), "published evaluations are plain, wang, patn, gfla, cfld, pws; got 'nobody'"),
    ],
)
def test_sizes_and_names_that_a_protocol_does_not_know(name, size, expected):
    picture = torch.rand(1, 3, *size)
    with pytest.raises(InputError, match=expected):
        measure_published(*prepare_published(picture, picture, name)[:2], name)


def test_two_sizes_are_refused_where_the_script_does_not_bring_them_to_one():
    with pytest.raises(InputError, match="prediction has 64 x 64 pixels .height x width. and its truth 64 x 60"):
        prepare_published(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 60), "gfla")


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_number_says_how_it_is_made(name):
    made, true = people()
    size = {"pws": (256, 174)}.get(name, (256, 176))
    made, true = people(size)
    numbers = {f"{name}.{number}" for number in measured(made, true, name)}
    words = published_words(name)
    assert numbers == words.keys() - {name}
    assert words[name].startswith(PUBLISHED[name].source)


def test_the_page_says_what_the_code_does():
    """The table "what each public evaluation script computes": one row a window, with its facts."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.read_text().splitlines()]
    rows = {row[0].strip("`"): row for row in rows if re.fullmatch(r"`\w+\.ssim(_256)?`", row[0])}
    windows = {f"{name}.{number}": w for name, own in PUBLISHED.items() for number, w in own.windows.items()}
    assert rows.keys() == windows.keys()
    for name, window in windows.items():
        _, _, shape, variances, reach, color, edge, _ = rows[name]
        assert shape.startswith(
            f"{'Gaussian' if window.kind == 'gaussian' else 'uniform'}, {window.side} x {window.side}"
        )
        assert variances == ("n - 1" if window.sample else "n")
        assert reach == ("of the prediction" if window.own_range else "255")
        assert color == ("grey, BT.601" if window.grey else "R, G, B")
        assert edge == str(window.edge)
