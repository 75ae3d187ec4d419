"""DensePose pictures in both channel orders, and what is no DensePose picture."""

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.data.iuv import find_order, read_iuv
from posekit.util.errors import InputError


@pytest.fixture
def picture():
    """I, U, V of a little map, each (6, 8) uint8, with background."""
    rng = np.random.default_rng(0)
    part = rng.integers(0, 25, (6, 8), dtype=np.uint8)
    part[0, :5] = [0, 1, 12, 23, 24]
    u, v = (rng.integers(0, 256, (6, 8), dtype=np.uint8) * (part > 0) for _ in range(2))
    u[0, 4] = v[0, 4] = 255
    return part, u.astype(np.uint8), v.astype(np.uint8)


def save(path, *channels, **options):
    Image.fromarray(np.stack(channels, 2)).save(path, **options)
    return path


def test_both_orders_give_the_same_map(tmp_path, picture):
    part, u, v = picture
    densepose = read_iuv(save(tmp_path / "a.png", v, u, part))
    other = read_iuv(save(tmp_path / "b.png", part, u, v))
    assert (densepose.order, other.order) == ("VUI", "IUV")
    for a, b in zip(densepose[:3], other[:3], strict=True):
        assert torch.equal(a, b)
    assert torch.equal(densepose.part[0], torch.from_numpy(part).long())
    assert torch.equal(densepose.mask, (densepose.part > 0).float())
    assert torch.allclose(densepose.chart, torch.from_numpy(np.stack([u, v])) / 255)
    assert densepose.chart[:, 0, 4].tolist() == [1, 1]


def test_the_order_can_be_told(tmp_path, picture):
    part, u, v = picture
    path = save(tmp_path / "a.png", part, u, v)
    assert read_iuv(path, order="IUV").order == "IUV"
    with pytest.raises(InputError, match=r"a\.png: the part channel of order VUI reaches \d+ .*other order"):
        read_iuv(path, order="VUI")
    with pytest.raises(InputError, match="is one of VUI, IUV or None"):
        read_iuv(path, order="UVI")


def test_ambiguous_and_impossible_pictures_are_named(tmp_path, picture):
    part, u, v = picture
    with pytest.raises(InputError, match="first and last channel both stay at or below 24"):
        read_iuv(save(tmp_path / "a.png", part, u, v // 11))
    with pytest.raises(InputError, match="no channel can be the part number"):
        read_iuv(save(tmp_path / "b.png", v + 25, u, np.full_like(u, 25)))
    assert read_iuv(save(tmp_path / "a.png", part, u, v // 11), order="IUV").part.max() == 24


def test_off_the_body_the_chart_is_zero(tmp_path, picture):
    part, u, v = picture
    u[part == 0] = v[part == 0] = 200  # some tools leave garbage there
    read = read_iuv(save(tmp_path / "a.png", v, u, part))
    assert (read.chart * (1 - read.mask) == 0).all()
    assert read.mask.sum() == (part > 0).sum()


def test_a_lossy_picture_is_refused_whatever_its_name(tmp_path, picture):
    part, u, v = picture
    with pytest.raises(InputError, match="JPEG data, which changes part numbers"):
        read_iuv(save(tmp_path / "a.png", v, u, part, format="JPEG"))
    assert read_iuv(save(tmp_path / "a.jpg", v, u, part, format="PNG")).order == "VUI"


def test_pictures_with_other_channels(tmp_path, picture):
    part, u, v = picture
    opaque = read_iuv(save(tmp_path / "a.png", v, u, part, np.full_like(u, 255)))
    assert torch.equal(opaque.part[0], torch.from_numpy(part).long())
    Image.fromarray(part).save(tmp_path / "grey.png")
    with pytest.raises(InputError, match="has mode L; an IUV picture has three 8-bit channels"):
        read_iuv(tmp_path / "grey.png")


def test_largest_part_decides_not_the_middle_channel():
    channels = np.array([[[24, 3, 25]]], np.uint8)
    assert find_order(channels) == "IUV"
    assert find_order(channels[..., ::-1]) == "VUI"


def test_a_picture_with_nobody_in_it_is_called_so(tmp_path):
    path = tmp_path / "nobody_IUV.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    with pytest.raises(InputError, match="nobody was detected in this picture"):
        read_iuv(path)
