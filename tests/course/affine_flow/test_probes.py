"""What the measures of notebook 05 say, on flows whose answer is known."""

import dataclasses

import numpy as np
import pytest
import torch
from posekit_course.affine_flow import figures, probes

from posekit.ops.affine import affine_flow, invert
from posekit.ops.correlation import correlate, matching, mutual_filter, unit_length
from posekit.ops.grids import identity_grid, resize_grid
from posekit.person import Pair
from tests.synthetic import disc_person as person


def same():
    return Pair(person(), person())


def test_the_truth_of_a_pair_of_equal_photographs_is_the_identity():
    truth = probes.truth_of(same(), atlas=32)
    mask = person().mask
    assert torch.equal(truth.seen + truth.hidden, mask)
    assert truth.hidden.sum() < 0.05 * mask.sum()
    torch.testing.assert_close(truth.flow, identity_grid(32, 32)[None] * truth.seen, rtol=0, atol=1e-4)


def test_pairs_without_hidden_pixels_are_left_out_of_that_mean():
    pair = same()
    empty = dataclasses.replace(pair.target, mask=0 * pair.target.mask)
    one, none = Pair(pair.source[0], pair.target[0]), Pair(pair.source[0], empty[0])
    grid = identity_grid(8, 8)
    assert probes.scores([grid], [none]).off.isnan()
    assert probes.mean_scores([grid] * 2, [one, none]).off == probes.mean_scores([grid], [one]).off


def test_what_the_source_does_not_show_is_hidden():
    pair = same()
    half = (identity_grid(32, 32)[None, :1] < 0).float()
    less = dataclasses.replace(pair.source, mask=pair.source.mask * half, uv=pair.source.uv * half)
    truth = probes.truth_of(Pair(less, pair.target), atlas=32)
    assert (truth.seen * (1 - half)).sum() == 0
    assert (truth.hidden * half).sum() == 0


def test_scores_of_the_right_flow_and_of_a_shift():
    pair = same()
    truth = probes.truth_of(pair, atlas=32)
    right = probes.score(identity_grid(8, 8)[None], pair, truth)
    assert right.off < 1e-3
    assert right.l1_seen < 1e-3
    assert right.bent < 1e-4
    shift = torch.tensor([2 * 3 / 32, 0.0])[:, None, None]  # three pixels to the right
    moved = probes.score(identity_grid(8, 8)[None] + shift, pair, truth)
    assert float(moved.off) == pytest.approx(3, abs=1e-3)
    assert moved.bent < 1e-4
    assert moved.l1_seen > right.l1_seen + 0.01


def test_affine_flows_do_not_bend_and_others_do():
    A = torch.tensor([[[1.1, 0.2, 0.1], [-0.1, 0.9, 0.0]]])
    assert probes.second_differences(affine_flow(A, (9, 7))).max() < 1e-5
    grid = identity_grid(9, 7)[None].clone()
    grid[..., 4, 3] += 0.5
    bent = probes.second_differences(grid)
    assert bent[0, 0, 4, 3] == pytest.approx(2 * 0.5 * 2**0.5, rel=1e-4)  # -2 f, in both coordinates
    assert (bent > 1e-5).sum() == 5  # and its four neighbours


def test_best_match_looks_at_the_strongest_pixel():
    Q = torch.zeros(1, 12, 2, 2)
    Q[0, 5] = 1  # row 1, column 1 of 3 x 4
    torch.testing.assert_close(
        probes.best_match(Q, (3, 4)), torch.tensor([-0.25, 0.0]).view(1, 2, 1, 1).expand(1, 2, 2, 2)
    )


def test_attention_is_spread_over_as_many_pixels_as_are_alike():
    one, four = torch.zeros(1, 9, 2, 2), torch.zeros(1, 9, 2, 2)
    one[:, 3], four[:, :4] = 1, 0.5
    assert probes.spread(one) == pytest.approx(1)
    assert probes.spread(four) == pytest.approx(4)
    assert probes.spread(unit_length(torch.ones(1, 9, 2, 2))) == pytest.approx(9)


def test_joints_alone_find_an_affine_map():
    """Where the source pose is the target pose moved by an affine map, best matches of the heat maps undo it."""
    target = person()
    A = torch.tensor([[[0.9, 0.15, 0.1], [-0.1, 1.1, -0.05]]])
    p_t = probes.joint_features(target, 32, 4.0)
    moved = torch.nn.functional.grid_sample(p_t, affine_flow(A, (32, 32)).movedim(1, -1), align_corners=False)
    flow = probes.best_match(matching(unit_length(moved), p_t), (32, 32))
    wanted = affine_flow(invert(A), (32, 32))
    middle = (identity_grid(32, 32).abs().amax(0) < 0.6)[None, None]
    off = ((flow - wanted).norm(dim=1, keepdim=True) * 16)[middle]
    assert off.median() < 1.5
    assert (off < 3).float().mean() > 0.8


def test_the_largest_of_a_target_pixel_divides_out():
    """The maximum over source pixels in (9) is one number for a target pixel, and (2) divides by it."""
    z_s, z_t = (unit_length(torch.rand(1, 6, 5, 4, generator=torch.Generator().manual_seed(s))) for s in (1, 2))
    C = correlate(z_s, z_t)
    half = unit_length(C * C * (C / C.amax((2, 3), keepdim=True)))
    torch.testing.assert_close(half, unit_length(mutual_filter(C)))
    torch.testing.assert_close(half, matching(z_s, z_t))


def test_errors_of_photographs_and_of_single_pairs():
    pair = same()
    one = Pair(pair.source[0], pair.target[0])
    still, shift = identity_grid(8, 8), identity_grid(8, 8) + torch.tensor([4 / 32, 0.0])[:, None, None]  # two pixels
    every = probes.scores([still, shift], [one, one])
    assert every.off[0] < 1e-3
    assert float(every.off[1]) == pytest.approx(2, abs=1e-3)
    mean = probes.mean_scores([still, shift], [one, one])
    assert mean.off == every.off.mean()
    assert mean.l1_seen == every.l1_seen.mean()
    assert probes.photograph_error([still], [one]) < 1e-3
    wanted = (one.source.image.roll(-2, -1) - one.target.image)[..., :-2].abs().mean()
    assert probes.photograph_error([shift], [one]) == pytest.approx(float(wanted), rel=0.1)


def test_error_of_a_body_pixel_drawn_at_random():
    pair = same()
    half = (identity_grid(32, 32)[None, :1] < 0).float()
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    less = dataclasses.replace(pair.source, image=red, mask=pair.source.mask * half, uv=pair.source.uv * half)
    blue = dataclasses.replace(pair.target, image=red.flip(1))
    assert probes.random_body_error([Pair(less[0], blue[0])]) == pytest.approx(2 / 3)  # every red pixel is as wrong
    assert probes.random_body_error([Pair(less[0], dataclasses.replace(blue, image=red)[0])]) == 0


def test_smaller_photographs_keep_their_joints():
    small = probes.smaller(person(), 8)
    assert small.size == (8, 8)
    assert torch.equal(small.keypoints, person().keypoints)
    torch.testing.assert_close(small.image.mean(), person().image.mean())
    assert probes.smaller(person()[0], 8).image.shape == (3, 8, 8)


# ----------------------------------------------------------------------------------------------------------- pictures


def test_colours_of_a_flow():
    assert np.allclose(figures.flow_colors(identity_grid(4, 4)), 1)  # nothing moves: white
    right = figures.flow_colors(identity_grid(4, 4) + torch.tensor([1.0, 0.0])[:, None, None])
    assert np.allclose(right, [1, 0, 0])
    disc = figures.wheel(65)
    assert np.allclose(disc[32, 32], 1)
    assert np.allclose(disc[32, 64], [1, 0, 0], atol=0.05)
    assert np.allclose(disc[0, 0], 1)  # outside the disc


def test_heat_maps_wear_the_colours_of_their_joints():
    maps = torch.zeros(18, 4, 4)
    maps[3, 1, 2] = 1
    image = figures.heat_picture(maps)
    assert np.allclose(image[1, 2], figures.HUES[3])
    assert np.allclose(image[0, 0], 1)


def test_the_grid_of_the_identity_is_straight():
    figure, ((axis,),) = figures.new_figure(2, 2)
    figures.draw_grid(axis, identity_grid(8, 8), (8, 8), every=4)
    rows, columns = axis.lines[:2], axis.lines[2:]
    assert [line.get_ydata()[0] for line in rows] == pytest.approx([2, 6])
    assert [line.get_xdata()[0] for line in columns] == pytest.approx([2, 6])


def test_flows_are_drawn_with_their_own_warp():
    pair = same()
    flow = resize_grid(identity_grid(8, 8)[None], (32, 32))
    figure = figures.draw_flows({"a": flow, "b": flow}, pair.source.image, pair.target.image, pair.target.mask)
    shown = figure.axes[2].images[0].get_array()
    np.testing.assert_allclose(shown, figures.picture(pair.source.image), atol=1e-5)


def test_bars_and_curves():
    bars = figures.draw_bars({"one": {"both tasks": 1.0, "other": 2.0}, "two": {"both tasks": 3.0}})
    assert [p.get_height() for p in bars.axes[0].patches] == [1, 2]
    curves = figures.draw_accuracy({"both tasks": [(0, 1.0), (5, 0.5)]}, "error")
    assert curves.axes[0].lines[0].get_ydata().tolist() == [1, 0.5]
