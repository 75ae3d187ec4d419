"""Textures measured by region: a perfect and a spoilt texture, counts by hand, systems without coordinates."""

import numpy as np
import pytest
import torch

from posekit.evaluation.textures import FEWEST, REGIONS, background_share, compared, measure_region, measure_textures
from posekit.ops.grids import identity_grid
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit.person import collate_pairs
from posekit.systems import build
from posekit.systems.base import System
from posekit.systems.coordinate_results import CoordinateResult
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.training.weights import load_weights, save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs, make_batch, texture_colors

SIZE = 64


class Painter(System):
    """Knows the true texture of everyone; ``spoil`` is added where the source does not show it."""

    name = "painter"

    def __init__(self, spoil=0.0):
        super().__init__(None)
        self.spoil = spoil

    def forward(self, pair):
        b, _, h, w = pair.source.image.shape
        known = splat(pair.source.image, pair.source.uv, (h, w), pair.source.mask).known
        grid = identity_grid(h, w)
        T = torch.stack([texture_colors(grid, int(who)) for who in pair.source.identity])
        T = T + self.spoil * (1 - known)
        D = grid.expand(b, 2, h, w)
        return CoordinateResult(known=known, D=D, T=T, W=sample(T, pair.target.uv, padding="border") * pair.target.mask)


@pytest.fixture(scope="module")
def table():
    systems = {"truth": Painter(), "spoilt": Painter(0.2), "nearest": TexelFill(TexelFillConfig(atlas_size=SIZE))}
    return measure_textures(systems, SyntheticPairs(5, SIZE), batch_size=2)


def test_the_true_texture_is_nearly_perfect_in_every_region(table):
    for region in REGIONS:
        assert table.row("truth", f"{region}.l1").mean < 0.02
        assert table.row("truth", f"{region}.ssim").mean > 0.95
        assert table.row("truth", f"{region}.gradient_energy_ratio").mean == pytest.approx(1, abs=0.15)
        assert table.row("truth", f"{region}.sliced_wasserstein").mean < 0.02


def test_what_is_spoilt_is_found_in_its_region(table):
    for frame in ("atlas", "view"):
        seen = table.row("spoilt", f"{frame}.seen.l1").mean
        assert seen == pytest.approx(table.row("truth", f"{frame}.seen.l1").mean, abs=0.02)
        assert table.row("spoilt", f"{frame}.unseen.l1").mean == pytest.approx(0.2, abs=0.05)
        assert table.row("spoilt", f"{frame}.unseen.sliced_wasserstein").mean > 0.05


def test_coordinates_copied_from_known_texels_lie_on_the_body(table):
    assert table.row("nearest", "background_share").mean < 0.01
    assert table.row("nearest", "atlas.seen.l1").mean < 0.02


def test_regions_are_disjoint_and_cover_what_the_target_shows():
    batch = make_batch(2, SIZE)
    regions = compared(Painter()(batch), batch)
    assert list(regions) == list(REGIONS)
    seen, unseen = (regions[f"view.{name}"][2] for name in ("seen", "unseen"))
    assert torch.equal(seen + unseen, batch.target.mask)
    seen, unseen = (regions[f"atlas.{name}"][2] for name in ("seen", "unseen"))
    visible = splat(batch.target.image, batch.target.uv, (SIZE, SIZE), batch.target.mask).known
    assert torch.equal(seen + unseen, visible)
    assert min(seen.sum((1, 2, 3)).min(), unseen.sum((1, 2, 3)).min()) > 0


def test_background_share_counted_by_hand():
    batch = make_batch(2, SIZE)
    result = Painter()(batch)
    visible = splat(batch.target.image, batch.target.uv, (SIZE, SIZE), batch.target.mask).known
    for i, share in enumerate(background_share(result, batch)):
        off, all_ = 0, 0
        for row in range(SIZE):
            for column in range(SIZE):
                if visible[i, 0, row, column] > 0 and result.known[i, 0, row, column] == 0:
                    all_ += 1
                    off += int(batch.source.mask[i, 0, row, column] == 0)  # D is the identity
        assert share.item() == pytest.approx(off / all_)
        assert off > 0


def test_positions_outside_the_photograph_read_its_border():
    batch = make_batch(1, SIZE)
    result = Painter()(batch)
    outside = CoordinateResult(**{**vars(result), "D": torch.full_like(result.D, -5.0)})
    assert background_share(outside, batch).item() == 1  # the corner is background


def test_small_regions_are_left_out():
    made, mask = torch.rand(2, 3, 32, 32), torch.zeros(2, 1, 32, 32)
    mask[0, :, :, :4] = 1  # 128 pixels
    mask[1, :, :9, :11] = 1  # 99
    for value in measure_region(made, made.flip(0), mask).values():
        assert value.isnan().tolist() == [False, True] or value.isnan().all()  # no patch at the coarse level
    assert measure_region(made, made.flip(0), mask)["l1"].isnan().tolist() == [False, True]


def test_systems_that_complete_colours_have_no_background_share(tmp_path):
    rgb = build("coordinate_inpainting", variant="rgb", **TINY)
    only_f = load_weights(save_weights(rgb, tmp_path / "f.safetensors", parts=("f",)))  # no photograph is asked for
    found = measure_textures({"rgb": only_f}, SyntheticPairs(2, 40))
    assert found.row("rgb", "background_share").mean is None
    assert found.row("rgb", "atlas.seen.l1").mean > 0
    assert "missing" in str(found)


def test_batches_and_protocol(table):
    again = measure_textures({"truth": Painter()}, SyntheticPairs(5, SIZE), batch_size=5)
    for metric, values in again.values["truth"].items():
        np.testing.assert_allclose(values, table.values["truth"][metric], rtol=1e-3, atol=1e-6)
    assert table.protocol.pairs == 5
    assert "unseen: visible in N, not known in C" in table.protocol.words()["regions"]


def test_systems_without_textures_are_refused():
    with pytest.raises(InputError, match=r"copy_source \(CopySource\) completes no texture"):
        measure_textures({"copy": build("copy_source")}, SyntheticPairs(2, 40))


def test_collated_pairs_are_what_is_compared(table):
    pairs = SyntheticPairs(5, SIZE)
    batch = collate_pairs([pairs[i] for i in range(5)])
    made, truth, mask = compared(Painter(0.2)(batch), batch)["view.unseen"]
    by_hand = [(a - b).abs()[:, m[0] > 0].mean().item() for a, b, m in zip(made.clamp(0, 1), truth, mask, strict=True)]
    by_hand = [value if m.sum() >= FEWEST else np.nan for value, m in zip(by_hand, mask, strict=True)]
    np.testing.assert_allclose(table.values["spoilt"]["view.unseen.l1"], by_hand, rtol=1e-4)


def test_the_perceptual_distance_is_of_the_view_and_of_some_pairs():
    data = SyntheticPairs(5, SIZE)
    table = measure_textures({"truth": Painter()}, data, batch_size=2, perceptual_every=2)
    measured = {name: values for name, values in table.values["truth"].items() if name.endswith("perceptual")}
    assert list(measured) == ["view.seen.perceptual", "view.unseen.perceptual"]
    assert np.isnan(measured["view.seen.perceptual"]).tolist() == [False, True, False, True, False]
    assert "perceptual: one of 2 pairs" in str(table)
