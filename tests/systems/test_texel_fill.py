"""Transfer without learning: what is visible arrives, what is not comes from where the variant says."""

import pytest
import torch

from posekit.ops.grids import identity_grid
from posekit.ops.outline import background, close_gaps, trim_mask
from posekit.person import Pair, Person
from posekit.systems import build
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.util.errors import InputError


def person(size=32, shift=0, half=False):
    """A square body whose map is the grid, shifted by whole pixels; ``half``: only its left half is seen."""
    grid = identity_grid(size, size)
    mask = torch.zeros(1, size, size)
    mask[:, 6:26, 6 + shift : 26 + shift] = 1
    if half:
        mask[:, :, size // 2 :] = 0
    uv = grid.clone()
    uv[0] -= 2 * shift / size
    colors = torch.stack((0.5 + 0.4 * uv[0], 0.5 + 0.4 * uv[1], torch.full_like(uv[0], 0.3)))
    return Person(torch.where(mask > 0, colors, torch.full((), 0.75)), uv * mask, mask)


def test_a_shifted_body_is_reproduced_exactly():
    pair = Pair(person(), person(shift=3)).batched()
    result = TexelFill(TexelFillConfig(atlas_size=32))(pair)
    assert (result.image - pair.target.image).abs().max() < 1e-5
    assert (result.W - pair.target.image * pair.target.mask).abs().max() < 1e-5


def test_every_map_has_its_meaning():
    pair = Pair(person(), person(shift=3)).batched()
    result = TexelFill(TexelFillConfig(atlas_size=32))(pair)
    grid = identity_grid(32, 32)[None]
    assert torch.allclose(result.C, grid * result.known, atol=1e-6)  # the atlas is the source's own frame here
    assert int(result.known.sum()) >= 20 * 20
    assert torch.allclose(result.D * result.known, result.C, atol=1e-6)
    moved = (grid - torch.tensor([2 * 3 / 32, 0]).view(1, 2, 1, 1)) * pair.target.mask
    assert torch.allclose(result.E, moved, atol=1e-6)
    assert result.T.shape == (1, 3, 32, 32)
    assert (result.W * (1 - pair.target.mask) == 0).all()


def test_unseen_texels_come_from_the_nearest_or_from_the_mirror():
    pair = Pair(person(half=True), person()).batched()
    flip = identity_grid(32, 32)
    flip[0] *= -1
    nearest = TexelFill(TexelFillConfig(atlas_size=32))(pair).image
    mirrored = TexelFill(TexelFillConfig(variant="mirror", atlas_size=32), mirror=flip)(pair).image
    row = pair.source.image[0, :, 15]
    assert torch.allclose(nearest[0, :, 15, 20], row[:, 15], atol=1e-5)  # the last column that was seen
    assert torch.allclose(mirrored[0, :, 15, 20], row[:, 31 - 20], atol=1e-5)  # the same place on the other side
    assert torch.equal(nearest[..., :15], mirrored[..., :15])


def test_photographs_and_atlas_of_other_sizes():
    result = TexelFill(TexelFillConfig(atlas_size=24))(Pair(person(48), person(32)).batched())
    assert result.image.shape == (1, 3, 32, 32)
    assert result.T.shape == (1, 3, 24, 24)


def test_an_unmapped_source_gives_something_finite():
    source = person()
    blind = Person(source.image, source.uv * 0, source.mask * 0)
    image = TexelFill(TexelFillConfig(atlas_size=16))(Pair(blind, person()).batched()).image
    assert image.isfinite().all()
    assert 0 <= image.min() <= image.max() <= 1


def test_background_is_the_median_of_the_border_off_the_body():
    image = torch.full((2, 3, 64, 64), 0.8)
    mask = torch.zeros(2, 1, 64, 64)
    image[0, :, 30:, 10:50] = 0.1  # the body leaves the picture at its lower edge
    mask[0, :, 30:, 10:50] = 1
    image[0, :, 0, :5] = 0.0  # a stain
    image[1], mask[1] = 0.25, 1
    assert torch.equal(background(image, mask), torch.tensor([0.8, 0.25])[:, None].expand(2, 3))


def test_trimming_takes_the_outline_and_leaves_the_border_of_the_picture():
    mask = torch.zeros(1, 1, 10, 10)
    mask[..., 3:, 2:8] = 1
    assert trim_mask(mask, 0) is mask
    expected = torch.zeros(1, 1, 10, 10)
    expected[..., 5:, 4:6] = 1
    assert torch.equal(trim_mask(mask, 2), expected)


def test_trimming_keeps_background_out_of_the_fill():
    source, target = person(half=True), person()
    white = source.image.clone()
    white[:, :, 14:16] = 1.0  # the map overshoots the outline by two pixels that show the background
    pair = Pair(Person(white, source.uv, source.mask), target).batched()
    spoilt = TexelFill(TexelFillConfig(atlas_size=32))(pair).image
    trimmed = TexelFill(TexelFillConfig(atlas_size=32, trim=2))(pair).image
    assert (spoilt[0, :, 15, 20] == 1).all()
    assert (trimmed[0, :, 15, 20] < 0.8).all()


def test_it_is_a_system_without_parameters():
    system = build("texel_fill", variant="nearest")
    assert system.config.atlas_size == 128
    assert list(system.parameters()) == []
    assert system.state_dict() == {}
    assert system.stages() == []
    assert system.card()["system"] == "texel_fill"


def test_wrong_settings_and_missing_table():
    with pytest.raises(InputError, match="Unknown variant 'nearset'; did you mean 'nearest'"):
        TexelFillConfig(variant="nearset")
    with pytest.raises(InputError, match="atlas_size must be at least 1"):
        TexelFillConfig(atlas_size=0)
    with pytest.raises(InputError, match="trim is a number of pixels"):
        TexelFillConfig(trim=-1)
    with pytest.raises(InputError, match="needs the mirror table"):
        build("texel_fill", variant="mirror")(Pair(person(), person()).batched())
    with pytest.raises(InputError, match="works on batches"):
        build("texel_fill")(Pair(person(), person()))


def test_gaps_close_and_outlines_stay():
    mask = torch.zeros(1, 1, 12, 12)
    mask[..., 2:9, 2:9] = 1
    holes = mask.clone()
    holes[..., 4, 4] = holes[..., 6, 5:7] = holes[..., 7, 5:7] = 0
    assert torch.equal(close_gaps(holes, 1), mask)
    assert close_gaps(mask, 0) is mask
    apart = mask.clone()
    apart[..., 4:7] = 0  # three columns wide: no gap
    assert torch.equal(close_gaps(apart, 1), apart)


def test_between_two_splatted_pixels_the_mirror_is_not_asked():
    """An atlas of four times the photograph's side: between splatted pixels lie texels that no pixel reached."""
    pair = Pair(person(), person()).batched()
    blue = torch.zeros(2, 32, 32)
    blue[0], blue[1] = -0.75, -0.55  # every texel's mirror is one place near the body's upper left
    result = TexelFill(TexelFillConfig(variant="mirror", atlas_size=128), mirror=blue)(pair)
    inside = trim_mask(pair.target.mask, 1)
    assert result.known.mean() < 0.3  # of the 39 % that the body covers
    assert ((result.image - pair.target.image).abs() * inside).max() < 0.02
