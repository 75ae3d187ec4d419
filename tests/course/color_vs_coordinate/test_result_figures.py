"""Pictures of results on inpainting: the numbers that they were given are in them."""

from types import SimpleNamespace

import numpy as np
import torch
from posekit_course.color_vs_coordinate import figures, result_figures, studies
from posekit_lab.results import read_results

from posekit.ops.grids import identity_grid
from posekit.studio.generate import make_person


def test_pulls_show_every_path_and_every_loss():
    paths = torch.zeros(5, 2, 3)
    paths[-1, 0] = torch.tensor([0.1, 0.2, 0.3])
    found = {"colour": torch.tensor([1.0, 0.5]), "coordinates": torch.tensor([1.0, 0.25])}
    left, right, bar = result_figures.draw_pulls(torch.rand(32, 32), paths, torch.zeros(2), [1, 8], found).axes
    assert bar.get_ylabel() == "mean difference of colour"
    assert len(left.lines) == 2 * 3 + 1
    assert left.get_xlim() == (15.5 - 12, 15.5 + 12)
    assert [list(line.get_ydata()) for line in right.lines] == [[100, 50], [100, 25]]


def test_spectra_beside_the_truth():
    power = {"truth": torch.tensor([4.0, 2.0]), "colours": torch.tensor([2.0, 0.5])}
    left, right = result_figures.draw_spectra(torch.tensor([0.1, 0.3]), power, 7).axes
    assert "7" in left.get_title()
    assert [list(line.get_ydata()) for line in right.lines] == [[1, 1], [0.5, 0.25]]


def test_faults_are_marked_on_the_body_alone():
    person = make_person(0, 15, 1, 48).batched()
    known = torch.ones(1, 1, 36, 36)
    body = person.mask[0, 0].numpy() > 0

    def marked(D, E):
        texture = torch.full((1, 3, 36, 36), 0.5)
        result = SimpleNamespace(D=D, E=E, W=person.image, T=texture, observed=texture, known=known)
        straight, again, image = result_figures.faults(result, person, person, apart=8)
        assert straight.shape == again.shape == (36, 36, 3)
        assert image.shape == (48, 48, 3)
        assert (image[~body] > 0.7).all()  # the photograph, grey and pale
        assert (np.ptp(image[~body], axis=-1) < 1e-6).all()
        return [(np.abs(image - hue).max(-1) < 1e-6)[body] for hue in (result_figures.TEAR, result_figures.OFF_BODY)]

    row, column = (person.mask[0, 0] > 0).nonzero().float().mean(0).round().int().tolist()
    middle = identity_grid(48, 48)[:, row, column, None, None]
    corner = torch.full((1, 2, 36, 36), -1.0)
    smooth = identity_grid(48, 48)[None]
    torn = smooth * torch.tensor([20.0, 1.0])[:, None, None]  # columns look 20 pixels apart
    on_body = middle.expand(1, 2, 36, 36)
    assert [where.any() for where in marked(on_body, smooth)] == [False, False]
    tear, lost = marked(on_body, torn)
    assert tear.mean() > 0.7  # all but the last column of a row
    assert not lost.any()
    assert marked(corner, smooth)[1].all()


def test_sweep_has_the_long_run_every_seed_and_the_fillers():
    swept, long = studies.by_arm(read_results("texture_duel")), studies.long_run()
    figure = result_figures.draw_sweep(swept, long, {"l1": "l1", "gradient_energy_ratio": "sharpness"})
    assert [axis.get_title() for axis in figure.axes] == ["l1", "sharpness"]
    lines = figure.axes[0].lines
    assert len(lines) == 2 + 2 + 2
    assert len(lines[1].get_xdata()) == sum(arm == "coordinates" for arm, _, _ in swept)
    assert isinstance(figure, figures.Textures)
