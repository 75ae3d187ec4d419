"""Charts, atlas and mirror symmetry, on small surfaces whose truth is known."""

import math

import numpy as np
import pytest
import torch

from posekit.ops.grids import identity_grid, index_to_norm
from posekit.ops.surface import MIRROR_PARTS, PARTS, ChartTable, flip_map, mirror_charts, mirror_parts, mirror_uv

SIZE = 96  # texels of the test atlas: 6 x 4 boxes of 14 x 22 texels in cells of 16 x 24


def box_atlas():
    """Labels and boxes of an atlas with one box a part, two texels apart."""
    labels = torch.zeros(SIZE, SIZE, dtype=torch.long)
    boxes = torch.empty(PARTS, 4)
    for i in range(PARTS):
        row, column = divmod(i, 6)
        x, y = 16 * column + 1, 24 * row + 1
        labels[y : y + 22, x : x + 14] = i + 1
        edges = (x - 0.5, y - 0.5, x + 13.5, y + 21.5)  # the outer edges of its texels
        boxes[i] = torch.tensor([index_to_norm(e, SIZE) for e in edges])
    return boxes, labels


@pytest.fixture(scope="module")
def boxes():
    return ChartTable.from_boxes(*box_atlas())


@pytest.fixture(scope="module")
def table(boxes):
    """The same surface, known by its table alone."""
    return ChartTable.from_table(boxes.table, atlas_size=256)


def everywhere(dtype=torch.float32, seed=0):
    """A map with random positions all over the atlas."""
    uv = torch.rand(2, 2, 40, 50, generator=torch.Generator().manual_seed(seed)).to(dtype) * 2 - 1
    return uv, torch.ones(2, 1, 40, 50, dtype=dtype)


def inside_boxes(boxes, part, uv):
    """Where a position lies in the box of its part, not in the gap beside it."""
    box = boxes.boxes.to(uv.dtype)[(part - 1).clamp(min=0)].squeeze(1).movedim(-1, 1)
    return ((uv >= box[:, :2]) & (uv <= box[:, 2:])).all(1, keepdim=True) & (part > 0)


# ------------------------------------------------------------------------------------------------------------ boxes


def test_boxes_by_hand(boxes):
    part = torch.tensor([[[1, 8, 0]]])
    chart = torch.tensor([[[0.0, 0.5, 0.3]], [[1.0, 0.25, 0.3]]])
    uv, mask = boxes.to_atlas(part, chart)
    assert mask.flatten().tolist() == [1, 1, 0]
    # Part 1: left edge and bottom edge.  Part 8: second row, second column; U to the right, V down.
    assert uv[:, 0, 0].tolist() == pytest.approx([index_to_norm(0.5, SIZE), index_to_norm(22.5, SIZE)])
    assert uv[:, 0, 1].tolist() == pytest.approx([index_to_norm(16.5 + 7, SIZE), index_to_norm(24.5 + 5.5, SIZE)])
    assert uv[:, 0, 2].tolist() == [0, 0]


def test_atlas_to_charts_and_back_is_exact_inside_the_boxes(boxes):
    uv, mask = everywhere(torch.float64)
    part, chart = boxes.to_charts(uv, mask)
    assert part.dtype == torch.long
    assert chart.min() >= 0
    assert chart.max() <= 1
    back, known = boxes.to_atlas(part, chart)
    assert torch.equal(known > 0, part > 0)
    inside = inside_boxes(boxes, part, uv)
    assert inside.double().mean() > 0.75
    assert ((back - uv).abs() * inside).max() < 1e-6
    assert ((back - uv).abs() * known).max() < 2 / SIZE  # beside a box, the nearest point of it: under a texel


def test_charts_to_atlas_and_back(boxes):
    part = torch.randint(1, 25, (3, 1, 9, 9))
    chart = torch.rand(3, 2, 9, 9, dtype=torch.float64) * 0.98 + 0.01
    again, back = boxes.to_charts(*boxes.to_atlas(part, chart))
    assert torch.equal(again, part)
    torch.testing.assert_close(back, chart, atol=1e-5, rtol=0)


def test_labels_split_overlapping_boxes():
    boxes, labels = box_atlas()
    boxes[1] = boxes[0]  # part 2 shares the box of part 1 and owns its lower half
    labels[labels == 2] = 0
    labels[12:23, 1:15] = 2
    table = ChartTable.from_boxes(boxes, labels)
    grid = torch.tensor([[index_to_norm(7.0, SIZE)] * 2, [index_to_norm(5.0, SIZE), index_to_norm(20.0, SIZE)]])
    part, _ = table.to_charts(grid[:, None], torch.ones(1, 1, 2))
    assert part.flatten().tolist() == [1, 2]
    # The table has entries of each part only where the atlas shows it.
    known = table.table[:2].isfinite().all(-1)
    assert known[0, :100].all()
    assert not known[0, -100:].any()
    assert known[1, -100:].all()
    assert not known[1, :100].any()


def test_a_part_that_the_atlas_lacks():
    boxes, labels = box_atlas()
    boxes[6] = torch.nan
    labels[labels == 7] = 0
    table = ChartTable.from_boxes(boxes, labels)
    uv, mask = table.to_atlas(torch.full((1, 2, 2), 7), torch.full((2, 2, 2), 0.5))
    assert mask.eq(0).all()
    assert uv.eq(0).all()
    labels[0, 0] = 7
    with pytest.raises(ValueError, match=r"parts \[7\], whose boxes are not finite"):
        ChartTable.from_boxes(boxes, labels)


# ------------------------------------------------------------------------------------------------------------ table


def test_the_table_is_indexed_v_then_u(table):
    """U runs along a row of the atlas: the field's commonest mistake, [I, U, V], would move it down a column."""
    part = torch.full((1, 1, 2), 3)
    uv, mask = table.to_atlas(part, torch.tensor([[[0.2, 0.8]], [[0.5, 0.5]]]))
    assert mask.eq(1).all()
    moved = uv[:, 0, 1] - uv[:, 0, 0]
    assert moved[0].item() == pytest.approx(0.6 * 14 * 2 / SIZE, abs=1e-5)
    assert moved[1].item() == pytest.approx(0, abs=1e-6)


def test_table_and_boxes_agree(boxes, table):
    part = torch.randint(1, 25, (2, 1, 30, 30))
    chart = torch.rand(2, 2, 30, 30)
    exact, _ = boxes.to_atlas(part, chart)
    ours, mask = table.to_atlas(part, chart)
    assert mask.min() == 1
    torch.testing.assert_close(ours, exact, atol=1e-5, rtol=0)


def test_the_inverse_of_a_table_is_good_to_a_fraction_of_a_texel(boxes, table):
    uv, mask = everywhere()
    part, chart = table.to_charts(uv, mask)
    exact_part, exact_chart = boxes.to_charts(uv, mask)
    both = (part == exact_part) & (part > 0)
    assert (part > 0).float().mean() > 0.7
    # The parts lie two texels apart, and so do the answers: one may reach further into the gap, never to a neighbour.
    assert torch.equal(part[(part > 0) & (exact_part > 0)], exact_part[(part > 0) & (exact_part > 0)])
    assert both.sum() > 0.98 * (part > 0).sum()
    texels = (chart - exact_chart).abs() * torch.tensor([14, 22]).reshape(2, 1, 1)
    assert (texels * both).max() < 0.3
    back, known = table.to_atlas(part, chart)
    assert ((back - uv).abs() * known * inside_boxes(boxes, part, uv)).max() < 0.3 * 2 / SIZE
    assert ((back - uv).abs() * known).max() < 2 / SIZE


def test_one_sample_and_batches(table):
    uv, mask = everywhere()
    part, chart = table.to_charts(uv, mask)
    one_part, one_chart = table.to_charts(uv[0], mask[0])
    assert torch.equal(part[0], one_part)
    assert torch.equal(chart[0], one_chart)
    atlas, _ = table.to_atlas(part, chart)
    assert torch.equal(atlas[0], table.to_atlas(one_part, one_chart)[0])
    nothing_part, nothing = table.to_charts(uv[:0], mask[:0])
    assert nothing_part.shape == (0, 1, 40, 50)
    assert nothing.shape == (0, 2, 40, 50)
    assert table.to_atlas(nothing_part, nothing)[0].shape == (0, 2, 40, 50)


def test_off_the_mask_and_nan_are_zero(table):
    uv, mask = everywhere()
    uv[0, 1, :5], uv[0, 0, 5:9] = torch.nan, torch.inf
    mask[0, :, 20:] = 0
    part, chart = table.to_charts(uv, mask)
    for rows in (slice(0, 9), slice(20, None)):
        assert part[0, :, rows].eq(0).all()
        assert chart[0, :, rows].eq(0).all()
    chart[1, 0, 3] = torch.nan
    back, known = table.to_atlas(part, chart)
    assert back.isfinite().all()
    assert known[1, :, 3].eq(0).all()


def cut_table(n=64):
    """Part 1 lies in two pieces of the atlas, left and right of U = 1/2, 1.2 apart."""
    table = torch.full((PARTS, n, n, 2), torch.nan)
    u = torch.linspace(0, 0.4, n)
    table[0, :, :, 0] = torch.where(torch.arange(n) < n // 2, -0.9 + u, 0.3 + u)
    table[0, :, :, 1] = torch.linspace(-0.5, 0.5, n)[:, None]
    return table


def test_no_position_is_interpolated_across_a_cut():
    chart = torch.stack((torch.linspace(0, 1, 500).expand(5, 500), torch.linspace(0, 1, 5)[:, None].expand(5, 500)))
    uv, mask = ChartTable.from_table(cut_table()).to_atlas(torch.ones(1, 5, 500, dtype=torch.long), chart)
    assert mask.min() == 1
    assert ((uv[0] < -0.9 + 0.2) | (uv[0] > 0.3 + 0.2)).all()
    # Away from the cut the reading is bilinear, so it moves with every step of U.
    assert uv[0, 0].diff()[:240].gt(0).all()


def test_a_stray_node_between_two_pieces_is_left_out_of_the_inverse():
    table = cut_table()
    clean = ChartTable.from_table(table, atlas_size=64).inverse_part
    table[0, :, 32, 0] = -0.1  # what a table holds that was interpolated across the seam
    stray = ChartTable.from_table(table, atlas_size=64).inverse_part
    between = slice(22, 36)  # columns of the atlas around u = -0.1
    assert clean[:, between].eq(0).all()
    assert stray[:, between].eq(0).all()
    assert stray.gt(0).sum() > 0.9 * clean.gt(0).sum()


def test_at_a_missing_entry_the_nearest_counts():
    table = torch.full((PARTS, 4, 4, 2), torch.nan)
    table[0, :2, :2] = torch.tensor([[[-0.5, -0.5], [-0.4, -0.5]], [[-0.5, -0.4], [-0.4, -0.4]]])
    table = ChartTable.from_table(table, atlas_size=32)
    part = torch.ones(1, 1, 3, dtype=torch.long)
    chart = torch.tensor([[[1 / 6, 0.45, 0.9]], [[1 / 6, 0.45, 0.9]]])
    uv, mask = table.to_atlas(part, chart)
    assert mask.flatten().tolist() == [1, 1, 0]
    assert uv[:, 0, 0].tolist() == pytest.approx([-0.45, -0.45])  # between four entries
    assert uv[:, 0, 1].tolist() == pytest.approx([-0.4, -0.4])  # node (1.35, 1.35): the nearest entry, (1, 1)
    assert uv[:, 0, 2].tolist() == [0, 0]


# ------------------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize("kind", ["boxes", "table"])
def test_save_and_load(kind, boxes, table, tmp_path):
    original = {"boxes": boxes, "table": table}[kind]
    path = tmp_path / "charts.npz"
    original.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["charts.npz"]
    loaded = ChartTable.load(path)
    assert (loaded.boxes is None) == (kind == "table")
    torch.testing.assert_close(loaded.table, original.table, equal_nan=True)
    assert torch.equal(loaded.inverse_part, original.inverse_part)
    assert torch.equal(loaded.inverse_chart, original.inverse_chart)
    original.save(path)  # writing over it is fine
    assert loaded.to("cpu").atlas_size == original.atlas_size


def test_a_failed_save_leaves_the_old_file(boxes, tmp_path, monkeypatch):
    path = tmp_path / "charts.npz"
    path.write_bytes(b"the old one")

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OSError, match="No space left"):
        boxes.save(path)
    assert path.read_bytes() == b"the old one"
    assert [p.name for p in tmp_path.iterdir()] == ["charts.npz"]


@pytest.mark.parametrize("kind", ["missing", "text", "cut off", "pickle", "other", "wrong shape"])
def test_a_file_that_is_no_table_is_named(kind, boxes, tmp_path):
    path = tmp_path / "charts.npz"
    if kind == "text":
        path.write_text("not an archive")
    elif kind == "cut off":
        boxes.save(path)
        path.write_bytes(path.read_bytes()[:500])
    elif kind == "pickle":
        np.savez(path, boxes=np.array([{}], dtype=object))
    elif kind == "other":
        np.savez(path, a=np.zeros(3))
    elif kind == "wrong shape":
        np.savez(path, boxes=np.zeros((3, 4), np.float32), labels=np.zeros((4, 4), np.int64), nodes=4)
    with pytest.raises(ValueError, match=r"charts.npz is not a chart table written by ChartTable.save"):
        ChartTable.load(path)


# --------------------------------------------------------------------------------------------------------- symmetry


def left_right(size=32, dtype=torch.float64):
    """The mirror table of a body that is symmetric about u = 0."""
    return identity_grid(size, size, dtype=dtype) * torch.tensor([-1.0, 1.0], dtype=dtype)[:, None, None]


def test_mirror_of_mirror_is_the_identity():
    uv, mask = everywhere(torch.float64)
    once, mask_once = mirror_uv(uv, mask, left_right())
    torch.testing.assert_close(once, uv * torch.tensor([-1.0, 1.0]).double()[:, None, None])
    twice, _ = mirror_uv(once, mask_once, left_right())
    torch.testing.assert_close(twice, uv)
    flipped = flip_map(*flip_map(uv, mask, left_right()), left_right())
    torch.testing.assert_close(flipped[0], uv)
    assert torch.equal(flipped[1], mask)


def test_flip_map_flips_the_picture_too():
    uv, mask = everywhere(torch.float64)
    mask[..., :10] = 0
    flipped, flipped_mask = flip_map(uv, mask, left_right())
    mirrored, mirrored_mask = mirror_uv(uv, mask, left_right())
    assert torch.equal(flipped, mirrored.flip(-1))
    assert flipped_mask[..., -10:].eq(0).all()
    assert flipped[..., -10:].eq(0).all()
    assert torch.equal(mirrored_mask, mask)


def two_islands(size=32):
    """A mirror table with a cut: the upper half of the atlas mirrors left-right, the lower half onto itself."""
    mirror = left_right(size)
    mirror[:, size // 2 :] = identity_grid(size, size, dtype=torch.float64)[:, size // 2 :]
    return mirror


def test_no_position_is_mirrored_across_a_cut():
    uv, mask = everywhere(torch.float64)
    once, mask_once = mirror_uv(uv, mask, two_islands())
    step = 2 / 32
    expected = torch.where(uv[:, 1:] < 0, uv * torch.tensor([-1.0, 1.0]).double()[:, None, None], uv)
    wrong = (once - expected).abs().amax(1)
    near = uv[:, 1].abs() < step / 2  # between the last row of one island and the first of the other
    assert wrong[~near].max() < 1e-9
    # There the nearest texel counts: half a texel off at most, on one of the two islands, never between them.
    # Close to u = 0 both islands agree and nothing is cut.
    twin = (once - uv * torch.tensor([-1.0, 1.0]).double()[:, None, None]).abs().amax(1)
    same = (once - uv).abs().amax(1)
    away = near & (uv[:, 0].abs() > 6 * step)
    assert away.any()
    assert torch.minimum(twin, same)[away].max() <= step / 2 + 1e-9
    twice, _ = mirror_uv(once, mask_once, two_islands())
    assert (twice - uv).abs().amax(1)[~near].max() < 1e-9


def test_empty_texels_of_the_mirror_leave_the_mask():
    mirror = left_right()
    mirror[:, :, 20:] = torch.nan
    uv = torch.tensor(
        [[[index_to_norm(10.3, 32), index_to_norm(19.4, 32), index_to_norm(25.0, 32)]], [[0.1, 0.1, 0.1]]]
    )
    mirrored, mask = mirror_uv(uv, torch.ones(1, 1, 3), mirror)
    assert mask.flatten().tolist() == [1, 1, 0]
    assert mirrored[0, 0].tolist() == pytest.approx([-index_to_norm(10.3, 32), -index_to_norm(19.0, 32), 0])


def test_a_mask_hides_nan(boxes):
    uv, mask = everywhere()
    uv[:, :, :4] = torch.nan
    mask[:, :, :4] = 0
    mirrored, seen = mirror_uv(uv, mask, left_right())
    assert torch.equal(seen, mask)
    assert mirrored.isfinite().all()
    assert mirrored[:, :, :4].eq(0).all()


def test_mirror_parts():
    parts = torch.arange(25).reshape(1, 5, 5)
    mirrored = mirror_parts(parts)
    assert mirrored.flatten().tolist() == list(MIRROR_PARTS)
    assert torch.equal(mirror_parts(mirrored), parts)
    assert mirrored.flatten()[:3].tolist() == [0, 1, 2]  # background and torso stay
    pairs = {tuple(sorted((i, j))) for i, j in enumerate(MIRROR_PARTS) if i != j}
    assert pairs == {(i, i + 1) for i in (3, 5, 23)} | {(i, i + 1) for i in range(7, 23, 2)}
    assert mirror_parts(parts.to(torch.uint8)).dtype == torch.uint8


def test_mirror_charts_flips_by_part():
    part = torch.arange(25).reshape(1, 5, 5)
    chart = torch.stack((torch.full((5, 5), 0.2), torch.full((5, 5), 0.7)))
    mirrored, flipped = mirror_charts(part, chart)
    assert torch.equal(mirrored, mirror_parts(part))
    u, v = flipped.flatten(1)
    assert [i for i in range(25) if not math.isclose(u[i], 0.2, rel_tol=1e-5)] == [5, 6, 23, 24]
    assert [i for i in range(25) if not math.isclose(v[i], 0.7, rel_tol=1e-5)] == [1, 2]
    again, back = mirror_charts(mirrored, flipped)
    assert torch.equal(again, part)
    torch.testing.assert_close(back, chart)


# ------------------------------------------------------------------------------------------------------------ input


@pytest.mark.usefixtures("unchecked")
def test_wrong_input_is_named(boxes):
    uv, mask = everywhere()
    with pytest.raises(ValueError, match=r"uv \(..., 2, h, w\) and mask \(..., 1, h, w\) of one size"):
        boxes.to_charts(uv, mask[..., 1:])
    with pytest.raises(ValueError, match=r"got \(2, 2, 40, 50\) and \(2, 2, 40, 50\)"):
        mirror_uv(uv, uv, left_right())
    with pytest.raises(ValueError, match="numbered 0..24, got 0..25"):
        boxes.to_atlas(torch.tensor([[[0, 25]]]), torch.zeros(2, 1, 2))
    with pytest.raises(ValueError, match="numbered 0..24, got -1..3"):
        mirror_parts(torch.tensor([[[-1, 3]]]))
    with pytest.raises(ValueError, match=r"\(2, a, a\)"):
        mirror_uv(uv, mask, torch.zeros(2, 8, 9))
    with pytest.raises(ValueError, match=r"\(24, n, n, 2\)"):
        ChartTable.from_table(torch.zeros(24, 2, 16, 16))
    with pytest.raises(ValueError, match="in -1..1|in \\[-1, 1\\] or NaN"):
        ChartTable.from_table(torch.full((24, 4, 4, 2), 1.5))
    with pytest.raises(ValueError, match="at least 2 nodes"):
        ChartTable.from_table(torch.zeros(24, 1, 1, 2))
    box, labels = box_atlas()
    with pytest.raises(ValueError, match="square labels"):
        ChartTable.from_boxes(box, labels[:-1])
    with pytest.raises(ValueError, match="parts 0..24, got 0..30"):
        ChartTable.from_boxes(box, torch.where(labels == 24, 30, labels))
    with pytest.raises(ValueError, match="without extent"):
        ChartTable.from_boxes(box[:, [2, 1, 0, 3]], labels)
