"""Surface maps: each of the field's mistakes is made on purpose, and named."""

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.data.inspection.inspect_file import inspect_file
from posekit.data.inspection.sides import CUT, winding
from posekit.ops.surface import MIRROR_PARTS
from tests.synthetic import densepose_channels, make_person

RENUMBER = np.array(MIRROR_PARTS, np.uint8)


def inspected(path, channels, **how):
    Image.fromarray(np.ascontiguousarray(channels)).save(path, **how)
    return inspect_file(path)


def wrong(report):
    return " ".join(fault.what for fault in report.faults)


def naive_winding(chart, region):
    """Sign of the area that the four neighbours of a pixel span in the chart, loop by loop."""
    _, h, w = region.shape
    out = np.zeros((1, h, w))
    for y in range(1, h - 1):
        for x in range(1, w - 1):
            places = [(y, x + 1), (y, x - 1), (y + 1, x), (y - 1, x)]
            if region[0, y, x] <= 0 or any(region[0, j, i] != region[0, y, x] for j, i in places):
                continue
            right, left, below, above = (chart[:, j, i] for j, i in places)
            dx, dy = (right - left) / 2, (below - above) / 2
            if max(abs(dx).max(), abs(dy).max()) < CUT:
                out[0, y, x] = np.sign(dx[0] * dy[1] - dx[1] * dy[0])
    return out


def test_winding_is_that_of_its_naive_twin():
    rng = np.random.default_rng(0)
    chart = np.cumsum(rng.uniform(-0.02, 0.03, (2, 17, 13)), 1).astype(np.float32)
    region = (rng.random((1, 17, 13)) > 0.1).astype(np.int64) * 7
    sign = winding(torch.from_numpy(chart), torch.from_numpy(region))
    assert np.array_equal(sign.numpy(), naive_winding(chart, region))
    assert 10 < int((sign != 0).sum()) < 150
    exchanged = winding(torch.from_numpy(chart[::-1].copy()), torch.from_numpy(region))
    assert torch.equal(exchanged, -sign)


@pytest.mark.parametrize("order", ["VUI", "IUV"])
def test_a_good_picture_in_either_order(tmp_path, order):
    report = inspected(tmp_path / "a.jpg", densepose_channels(order), format="PNG")  # the name lies
    assert report.kind == "DensePose IUV picture"
    assert report.facts["channels"].startswith(", ".join(order))
    assert report.facts["people"] == "1"
    assert report.facts["suffix"] == ".jpg, but the file holds PNG; readers look inside"
    assert report.facts["mirrored"].startswith("no: right parts on their side; 100% of torso and head and 100% of arms")
    assert report.faults == ()
    assert [image.shape for image in report.pictures.values()] == [(1, 3, 300, 240)] * 3


def mirrored(channels):
    return channels[:, ::-1]


def renumbered(channels):
    made = channels.copy()
    made[..., 2] = RENUMBER[made[..., 2]]
    return made


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        (mirrored, "The picture is mirrored, and its part numbers are those of before."),
        (lambda c: renumbered(mirrored(c)), "the charts of torso and head were not turned over"),
        (renumbered, "Its right and left part numbers are exchanged."),
        (lambda c: c[..., [1, 0, 2]], "U and V are exchanged, or one of them runs backwards."),
    ],
)
def test_what_mirroring_does_when_it_is_done_by_halves(tmp_path, mistake, named):
    report = inspected(tmp_path / "a_IUV.png", mistake(densepose_channels()))
    assert named in wrong(report)
    assert len(report.faults) == 1
    assert not report.facts["mirrored"].startswith("no")


def test_a_pose_that_crosses_over_is_no_mistake(tmp_path):
    """Arms and legs on the other side, winding as they should: somebody who turns, not numbers that were exchanged."""
    channels = densepose_channels()
    body = channels.copy()
    for left, right in ((slice(48, 84), slice(156, 192)), (slice(90, 120), slice(120, 150))):
        body[60:, left], body[60:, right] = channels[60:, right], channels[60:, left]
    report = inspected(tmp_path / "a_IUV.png", body)
    assert "right parts on the other side" in report.facts["mirrored"]
    assert report.faults == ()


def test_a_side_view_that_is_mirrored_leaves_two_answers(tmp_path):
    channels = densepose_channels()
    channels[60:, 118:] = 0  # one side of the body alone
    report = inspected(tmp_path / "a_IUV.png", channels[:, ::-1])
    assert wrong(report) == "Its charts wind the other way: the picture is mirrored, or U and V are exchanged."


def test_holes_and_a_second_person(tmp_path):
    channels = np.concatenate([densepose_channels(), densepose_channels()], 1)
    channels[90:92, 120:122] = 0
    report = inspected(tmp_path / "a_IUV.png", channels)
    assert report.facts["people"] == "2"
    assert report.facts["holes"] == "4 pixels in small holes"


def test_an_iuv_picture_that_went_through_jpeg(tmp_path):
    report = inspected(tmp_path / "a_IUV.png", densepose_channels(), format="JPEG", quality=90)
    assert report.kind == "IUV picture that was saved with losses, it seems"
    assert "Part numbers do not survive JPEG" in wrong(report)
    assert report.faults[0].mend == "Write the map again as a PNG."


def test_nobody_and_values_that_were_not_multiplied(tmp_path):
    assert inspected(tmp_path / "a.png", np.zeros((40, 30, 3), np.uint8)).kind == "black picture"
    small = densepose_channels() // np.array([255, 255, 1], np.uint8)
    report = inspected(tmp_path / "b.png", small)
    assert "Its channel order is not certain" in wrong(report)
    assert "U and V are 0 or 1 everywhere." in wrong(report)
    assert report.facts["channels"].startswith("V, U, I"), "The channel in patches is I."


@pytest.fixture
def surface():
    """A map (h, w, 2) as the authors store it: NaN off the body."""
    person = make_person(0, 0, 64)
    uv = torch.where(person.mask > 0, person.uv, torch.nan)
    return uv.permute(1, 2, 0).numpy()


def saved(path, array):
    with open(path, "wb") as file:
        np.save(file, array)
    return inspect_file(path)


def test_a_good_map_has_its_facts(tmp_path, surface):
    report = saved(tmp_path / "map.bin", surface)  # whatever it is called
    assert report.kind.startswith("surface map (h, w, 2)")
    assert report.facts["background"] == "NaN off the body"
    assert report.facts["mirrored"] == "no (100% of the pixels wind as the SMPL atlas does)"
    assert report.facts["strays"] == "0.0% of the body"
    assert report.faults == ()
    assert set(report.pictures) == {"u red, v green", "strays red"}


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        (lambda a: a[:, ::-1], "the other way round"),
        (lambda a: a[..., ::-1], "the other way round"),
        (lambda a: a * [1, -1], "it points up"),
        (lambda a: a.transpose(2, 0, 1), "Its channels come first."),
        (lambda a: np.stack([(a[..., 0] + 1) / 2, (1 - a[..., 1]) / 2], -1), "(u, v) in [0, 1], whose v points up"),
        (lambda a: np.nan_to_num(a, nan=-1.0), "Its background is (-1, -1)"),
        (lambda a: a * 256, "It reaches"),
        (lambda a: np.nan_to_num(a * 100).astype(np.int16), "It holds int16 values."),
        (lambda a: np.full_like(a, np.nan), "It has no body pixel"),
    ],
)
def test_each_other_convention_is_named(tmp_path, surface, mistake, named):
    report = saved(tmp_path / "a.npy", mistake(surface))
    assert named in wrong(report)
    assert len(report.faults) == 1, wrong(report)
    assert all(fault.mend.endswith(".") and fault.what.endswith(".") for fault in report.faults)


def test_strays_are_counted(tmp_path, surface):
    body = np.argwhere(np.isfinite(surface[..., 0]))
    chosen = body[::6]
    surface[chosen[:, 0], chosen[:, 1]] = [0.95, -0.95]
    report = saved(tmp_path / "a.npy", surface)
    assert "lie far from all their neighbours" in wrong(report)
    share = float(report.facts["strays"].split("%")[0]) / 100
    assert share == pytest.approx(len(chosen) / len(body), abs=0.02)


def test_other_arrays(tmp_path):
    assert "lookup table" in saved(tmp_path / "a.npy", np.zeros((24, 256, 256, 2), np.float32)).kind
    assert saved(tmp_path / "b.npy", np.zeros(5)).kind == "array of 1 axes, no surface map"
    assert saved(tmp_path / "c.npy", np.zeros((0, 4, 2))).kind == "array without numbers"
    assert saved(tmp_path / "d.npy", np.zeros((4, 4, 3), np.uint8)).kind == "array of a picture (h, w, 3)"
    report = saved(tmp_path / "e.npy", densepose_channels())
    assert report.kind == "DensePose IUV map in an array"
    assert report.faults[0].mend == "Save it as a PNG."
