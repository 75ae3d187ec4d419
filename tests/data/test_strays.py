"""Strays and holes of estimated maps: found where they were put, and nothing else."""

import torch

from posekit.data.strays import find_strays, mend_map
from posekit.ops.grids import identity_grid


def smooth(h=24, w=20):
    """A person that fills the middle of the picture, and a map without errors."""
    mask = torch.zeros(1, 1, h, w)
    mask[..., 3:-3, 4:-4] = 1
    return identity_grid(h, w)[None] * 0.4 * mask, mask


def test_a_smooth_map_has_none():
    uv, mask = smooth()
    assert find_strays(uv, mask).sum() == 0
    mended, closed = mend_map(uv, mask)
    assert torch.equal(mended, uv)
    assert torch.equal(closed, mask)


def test_a_cut_of_the_atlas_is_no_stray():
    uv, mask = smooth()
    uv[..., 10:] += 0.5 * mask[..., 10:]  # two charts side by side: every pixel has half its neighbours near
    assert find_strays(uv, mask).sum() == 0


def test_strays_are_found_and_take_a_neighbours_place():
    uv, mask = smooth()
    clean = uv.clone()
    spots = [(8, 8), (12, 5), (3, 9), (16, 10), (17, 10)]  # on the outline and side by side too
    for k, (i, j) in enumerate(spots):
        uv[0, :, i, j] = torch.tensor([0.9 - 0.3 * k, -0.9])
    strays = find_strays(uv, mask)
    assert strays.nonzero()[:, 2:].tolist() == sorted(map(list, spots))
    mended, closed = mend_map(uv, mask)
    assert torch.equal(closed, mask)
    step = (clean[0, :, 8, 8] - clean[0, :, 9, 9]).norm()
    assert (mended - clean).norm(dim=1).max() <= step
    changed = (mended != uv).any(1)
    assert int(changed.sum()) == len(spots)


def test_small_holes_are_closed_and_windows_are_not():
    uv, mask = smooth(40, 40)
    mask[0, 0, 20, 20] = 0  # one pixel of about 1100
    mask[0, 0, 10:16, 10:16] = 0  # the background seen through a bent arm
    mask[0, 0, 0:12, 30] = 0  # a notch is open to the outside
    mended, closed = mend_map(uv * mask, mask)
    assert closed[0, 0, 20, 20] == 1
    assert closed.sum() == mask.sum() + 1
    assert (mended[0, :, 20, 20] - uv[0, :, 20, 20]).norm() < 0.05
    assert torch.equal(mended * mask, uv * mask)


def test_nothing_to_go_by():
    empty = torch.zeros(2, 2, 5, 5), torch.zeros(2, 1, 5, 5)
    assert find_strays(*empty).sum() == 0
    mended, closed = mend_map(*empty)
    assert mended.abs().sum() == closed.sum() == 0
    lonely = torch.zeros(1, 1, 5, 5)
    lonely[0, 0, 2, 2] = 1
    assert find_strays(torch.rand(1, 2, 5, 5), lonely).sum() == 0  # no neighbours, so none that contradict it


def test_each_map_of_a_batch_by_its_own_scale():
    uv, mask = smooth()
    coarse = uv * 2
    uv[0, :, 9, 9] += 0.15
    both = torch.cat((uv, coarse)), torch.cat((mask, mask))
    assert torch.equal(find_strays(*both)[:1], find_strays(uv, mask))
    assert find_strays(*both)[0].sum() == 1
    assert find_strays(*both)[1].sum() == 0
