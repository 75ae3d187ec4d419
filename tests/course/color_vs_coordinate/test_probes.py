"""Probes of the inpainting network: each against a slow twin or a case whose answer is known."""

import numpy as np
import pytest
import torch
from posekit_course.color_vs_coordinate import figures as figures_inpainting
from posekit_course.color_vs_coordinate import probes
from torch import nn

from posekit.evaluation.table import Evaluation, MetricRow
from posekit.metrics.protocol import Protocol
from posekit.nets.gated_hourglass import GatedHourglass
from posekit.ops.grids import identity_grid, index_to_norm
from posekit.studio.body.surface_tables import part_labels
from posekit.studio.generate import make_person


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return GatedHourglass(width=2).double()


@pytest.fixture(scope="module")
def person():
    return make_person(0, 15, 1, 64).batched()


def test_input_of_f_holds_the_mark_of_the_unknown():
    C, known = torch.rand(2, 2, 8, 8), (torch.rand(2, 1, 8, 8) > 0.5).float()
    x = probes.f_input(C, known)
    assert x.shape == (2, 5, 8, 8)
    assert (x[:, :2][(known == 0).expand(-1, 2, -1, -1)] == -10).all()
    assert torch.equal(x[:, :2] * known, C * known)
    assert torch.equal(x[:, 2:3], known)
    assert torch.equal(x[1, 3:], identity_grid(8, 8))


def test_gates_are_those_of_the_layers_and_hooks_are_gone(net):
    x = torch.randn(1, 5, 40, 40, dtype=torch.float64)
    before = net(x)
    gates = probes.gate_openings(net, x)
    assert len(gates) == 15
    assert all(((gate > 0) & (gate < 1)).all() for gate in gates)
    first = net.encoder[0]
    padded = nn.functional.pad(x, (2, 2, 2, 2), mode="reflect")
    torch.testing.assert_close(gates[0], torch.sigmoid(first.gate(padded)))
    assert not any(module._forward_hooks for module in net.modules())
    assert torch.equal(net(x), before)


def test_receptive_field_of_single_layers():
    for kernel, dilation in ((3, 1), (5, 1), (3, 4)):
        layer = nn.Conv2d(1, 1, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2)
        field = probes.receptive_field(layer, torch.randn(1, 1, 31, 31), (15, 15))
        assert probes.extent(field) == 1 + dilation * (kernel - 1)
        assert int((field > 0).sum()) == kernel**2  # with dilation only every so many texels


def test_dilation_widens_the_field_of_f_by_what_the_formula_says(net):
    x = torch.randn(1, 5, 256, 256, dtype=torch.float64)
    wide = probes.receptive_field(net, x, (128, 128))
    narrow_net = probes.without_dilation(net)
    narrow = probes.receptive_field(narrow_net, x, (128, 128))
    assert probes.extent(wide) - probes.extent(narrow) == 2 * 4 * sum(d - 1 for d in (1, 1, 2, 4, 8, 8, 1, 1))
    assert {layer.features.dilation for layer in net.encoder} != {(1, 1)}  # the net itself is left alone
    assert narrow_net(x).shape == net(x).shape
    assert net.training


def test_twins_are_further_away_on_a_finer_atlas():
    near, far = (probes.twin_steps(atlas) for atlas in (32, 128))
    assert float(far.median()) == pytest.approx(4 * float(near.median()), rel=0.1)


def test_looked_up_is_the_nearest_pixel():
    values = torch.arange(12.0).reshape(1, 1, 3, 4)
    x = torch.tensor([[-2.0, 0.2, 2.9], [3.4, 9.0, 1.0]])
    y = torch.tensor([[0.4, 1.6, -1.0], [1.0, 5.0, 2.0]])
    D = torch.stack((index_to_norm(x, 4), index_to_norm(y, 3)))[None]
    wanted = torch.tensor([[0.0, 8.0, 3.0], [7.0, 11.0, 9.0]])
    assert torch.equal(probes.looked_up(D, values)[0, 0], wanted)
    assert torch.equal(probes.looked_up(D, values.expand(1, 3, 3, 4))[0, 2], wanted)


def test_hidden_parts_leave_the_map(person):
    shown = [int(part) for part in person.part.unique() if int(part) in (*probes.LEFT_ARM, *probes.RIGHT_ARM)]
    less = probes.hide(person, shown)
    gone = torch.isin(person.part, torch.tensor(shown))
    assert gone.any()
    assert (less.mask[gone] == 0).all()
    assert (less.uv * (1 - less.mask) == 0).all()
    assert torch.equal(less.part[~gone], person.part[~gone])
    assert less.part.dtype == person.part.dtype


def test_left_and_right_arm_are_twins():
    assert sorted(probes.twins(probes.LEFT_ARM)) == sorted(probes.RIGHT_ARM)
    assert set(np.unique(part_labels(64))) >= {*probes.LEFT_ARM, *probes.RIGHT_ARM}


def test_jumps_count_pixels_and_stop_at_the_mask():
    E, mask = identity_grid(6, 8)[None].clone(), torch.ones(1, 1, 6, 8)
    torch.testing.assert_close(probes.jumps(E, mask)[0, 0, :-1, :-1], torch.ones(5, 7))
    E[..., 4:] += 2 * 5 / 8  # the right half looks five pixels further
    found = probes.jumps(E, mask)[0, 0]
    right = (1 + 5) ** 2 + (5 * 6 / 8) ** 2  # both coordinates moved by 5/4 of [-1, 1]: 5 of 8 columns, 3.75 of 6 rows
    torch.testing.assert_close(found[:, 3], torch.full((6,), right**0.5))
    mask[..., 4] = 0
    assert probes.jumps(E, mask)[..., 3:5].max() <= 1 + 1e-6


def test_seams_and_contours(person):
    seam, contour = probes.seams(person.uv, person.mask)
    assert seam.shape == contour.shape == person.mask.shape
    assert float((seam * contour).sum()) == 0
    assert float(seam.sum()) > 0
    assert float(contour.sum()) > 0
    assert float(((seam + contour) * (1 - person.mask)).sum()) == 0
    assert float(seam.sum() + contour.sum()) < 0.5 * float(person.mask.sum())


def test_snap_moves_only_what_is_off_the_body():
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 2:6, 2:6] = 1
    D = identity_grid(8, 8)[None]
    snapped = probes.snap_to_body(D, mask)
    assert torch.equal(snapped * mask, D * mask)
    assert (probes.looked_up(snapped, mask) == 1).all()
    torch.testing.assert_close(snapped[0, :, 0, 0], D[0, :, 2, 2])


def test_carry_over_keeps_the_known_and_fades():
    known = torch.zeros(1, 1, 1, 12)
    known[..., :3] = 1
    C = torch.full((1, 2, 1, 12), 0.5) * known
    D = torch.zeros(1, 2, 1, 12)
    carried = probes.carry_over(D, C, known, 4.0)
    assert torch.equal(carried[..., :3], C[..., :3])
    away = torch.arange(1, 10)
    torch.testing.assert_close(carried[0, 0, 0, 3:], 0.5 * torch.exp(-away / 4.0))
    pasted = probes.carry_over(D, C, known, 0)
    assert torch.equal(pasted, C)


def test_redraw_reads_through_both_maps(person):
    identity = identity_grid(64, 64)[None]
    T, W, E = probes.redraw(identity, person.image, identity, person.mask)
    torch.testing.assert_close(T, person.image, atol=1e-5, rtol=0)
    torch.testing.assert_close(W, person.image * person.mask, atol=1e-5, rtol=0)
    torch.testing.assert_close(E, identity * person.mask, atol=1e-5, rtol=0)


def test_measures_of_one_person_are_drawn_without_intervals():
    places = [f"{place}.{region}.l1" for place in ("atlas", "view") for region in ("seen", "unseen")]
    table = Evaluation(
        [MetricRow("net", place, 0.5, None, None) for place in places], {"net": {}}, ["a"], ["x"], Protocol()
    )
    figure = figures_inpainting.draw_measures(table, {"l1": "l1"}, {"net": "coordinates"})
    assert len(figure.axes) == 2
