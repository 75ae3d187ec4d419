"""The protocol: what it does to pictures, how it is stored, what it refuses."""

import dataclasses
import json

import pytest
import torch
from skimage.color import rgb2gray

from posekit.metrics.protocol import STANDARD, Protocol, check_same, parse_size
from posekit.util.errors import InputError


def ramp(h, w):
    return torch.arange(3.0 * h * w).reshape(1, 3, h, w) / (3 * h * w)


def test_the_standard_changes_nothing():
    images = ramp(20, 30)
    assert torch.equal(STANDARD.frame(images), images)
    assert STANDARD.window == 11


def test_crop_takes_the_middle():
    images = ramp(20, 30)
    assert torch.equal(Protocol(crop=(20, 12)).frame(images), images[..., 9:21])
    assert torch.equal(Protocol(crop=(7, 30)).frame(images), images[..., 6:13, :])  # 13 rows too many: 6 above, 7 below


def test_padding_surrounds_the_picture():
    images = ramp(20, 30)
    framed = Protocol(crop=(20, 12), padding=(24, 17), padding_value=0.5).frame(images)
    assert framed.shape == (1, 3, 24, 17)
    assert torch.equal(framed[..., 2:22, 2:14], images[..., 9:21])  # 5 columns too few: 2 on the left, 3 on the right
    framed[..., 2:22, 2:14] = 0.5
    assert (framed == 0.5).all()


def test_cutting_the_padding_off_again_gives_the_picture():
    images = ramp(17, 13)
    for h, w in ((17, 13), (18, 20), (31, 14)):
        padded = Protocol(padding=(h, w)).frame(images)
        assert torch.equal(Protocol(crop=(17, 13)).frame(padded), images)


def test_the_padding_is_not_on_the_mask():
    mask = torch.ones(1, 1, 20, 12)
    framed = Protocol(padding=(24, 17)).frame_mask(mask)
    assert framed.sum() == 20 * 12
    assert framed[..., 2:22, 2:14].all()


def test_grey_is_scikit_images_grey():
    images = ramp(5, 6)
    grey = Protocol(color="grey").frame(images)
    expected = torch.from_numpy(rgb2gray(images[0].numpy(), channel_axis=0)).float()
    torch.testing.assert_close(grey, expected.expand(1, 3, 5, 6))


def test_stored_as_json_and_read_again():
    protocol = Protocol(size=(256, 256), pairs=9, crop=(256, 176), sigma=2.0, more={"lpips": "AlexNet"})
    stored = json.loads(json.dumps(protocol.to_json()))
    assert Protocol.from_json(stored) == protocol
    assert (stored["window"], stored["ms_ssim_scales"]) == (15, 4)  # 176 / 16 = 11 pixels do not hold a window of 15
    assert stored["words"]["lpips"] == "AlexNet"
    assert "15 x 15, sigma 2" in stored["words"]["ssim"]
    assert set(stored) == {f.name for f in dataclasses.fields(Protocol)} | {"window", "words", "ms_ssim_scales"}
    with pytest.raises(KeyError):
        Protocol.from_json({"size": [1, 2]})


def test_results_older_than_published_protocols_are_read():
    stored = Protocol(size=(64, 64)).to_json()
    del stored["published"]
    assert Protocol.from_json(stored) == Protocol(size=(64, 64))


def test_said_in_one_line():
    text = str(Protocol(size=(256, 176), pairs=200, padding=(256, 256)))
    assert text == (
        "256 x 176 RGB in [0, 1], no crop, padded to 256 x 256 with white; SSIM window 11, sigma 1.5, data range 1; "
        "MS-SSIM 5 scales; 200 pairs"
    )
    assert str(Protocol(size=(64, 64), published="gfla")).startswith("protocol gfla; 64 x 64 RGB in [0, 1], no crop, ")


CHANGES = {
    "size": (64, 64),
    "pairs": 7,
    "crop": (32, 32),
    "padding": (99, 99),
    "padding_value": 0.0,
    "color": "grey",
    "data_range": 2.0,
    "sigma": 1.0,
    "k": (0.02, 0.03),
    "scale_weights": (0.5, 0.5),
    "confidence": 0.9,
    "resamples": 100,
    "seed": 1,
    "published": "gfla",
    "more": {"lpips": "VGG"},
}


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Protocol)])
def test_results_that_differ_in_anything_are_refused(name):
    """Every field of a protocol counts: a new one without a line above fails here."""
    ours = Protocol(size=(48, 48), pairs=6, more={"lpips": "AlexNet"})
    check_same({"a": ours, "b": dataclasses.replace(ours)})
    said = "lpips AlexNet and VGG" if name == "more" else name
    with pytest.raises(InputError, match=f"The results a and b were measured differently .{said}.*under one protocol"):
        check_same({"a": ours, "b": dataclasses.replace(ours, **{name: CHANGES[name]})})


def test_a_metric_more_can_be_compared_in_the_others():
    check_same({"a": STANDARD, "b": Protocol(more={"lpips": "AlexNet"})})


def test_sizes_of_the_command_line():
    assert parse_size("256x176") == (256, 176)
    assert parse_size("128") == (128, 128)
    assert parse_size(None) is None
    for text in ("", "a", "1x2x3", "-4", "x"):
        with pytest.raises(InputError, match="HEIGHTxWIDTH in pixels, such as 256x176"):
            parse_size(text)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"crop": (0, 5)}, "crop is .height, width. in pixels"),
        ({"color": "BGR"}, "RGB or grey, got 'BGR'"),
        ({"padding_value": 255.0}, "from 0 to 1, got 255"),
        ({"data_range": 0.0}, "above 0"),
        ({"sigma": float("nan")}, "above 0"),
        ({"resamples": 0}, "above 0"),
        ({"scale_weights": ()}, "above 0"),
        ({"confidence": 1.0}, "confidence below 1"),
        ({"size": (64, 64), "crop": (65, 10)}, "The crop of 65 x 10 pixels does not go with photographs of 64 x 64"),
        ({"size": (64, 64), "padding": (64, 60)}, "The padding of 64 x 60"),
        ({"crop": (64, 64), "padding": (64, 60)}, "The padding of 64 x 60"),
    ],
)
def test_what_cannot_be_is_refused(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        Protocol(**settings)


def test_pictures_that_are_too_small():
    with pytest.raises(InputError, match="crop of 20 x 12 .* photographs of 16 x 16"):
        Protocol(crop=(20, 12)).frame(ramp(16, 16))
