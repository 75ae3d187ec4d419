"""Pictures of results on inpainting: the numbers that they were given are in them."""

import numpy as np
import torch
from posekit_course.color_vs_coordinate import figures, result_figures, studies
from posekit_lab.results import read_results

from posekit.person import Pair
from posekit.studio.generate import make_person
from posekit.systems import build


def test_pulls_show_every_path_and_every_loss():
    paths = torch.zeros(5, 2, 3)
    paths[-1, 0] = torch.tensor([0.1, 0.2, 0.3])
    found = {"colour": torch.tensor([1.0, 0.5]), "coordinates": torch.tensor([1.0, 0.25])}
    left, right = result_figures.draw_pulls(torch.rand(32, 32), paths, torch.zeros(2), [1, 8], found).axes
    assert len(left.lines) == 2 * 3 + 1
    assert left.get_xlim() == (15.5 - 12, 15.5 + 12)
    assert [list(line.get_ydata()) for line in right.lines] == [[100, 50], [100, 25]]


def test_spectra_beside_the_truth():
    power = {"truth": torch.tensor([4.0, 2.0]), "colours": torch.tensor([2.0, 0.5])}
    left, right = result_figures.draw_spectra(torch.tensor([0.1, 0.3]), power, 7).axes
    assert "7" in left.get_title()
    assert [list(line.get_ydata()) for line in right.lines] == [[1, 1], [0.5, 0.25]]


def test_faults_are_marked_on_the_body_alone():
    pair = Pair(make_person(0, 15, 0, 48), make_person(0, 15, 1, 48)).batched()
    system = build("coordinate_inpainting", atlas_size=36, image_size=48, f_width=4, g_width=4).eval()
    with torch.no_grad():
        result = system(pair, image=False)
    straight, again, marked = result_figures.faults(result, pair.source, pair.target, apart=8)
    assert straight.shape == again.shape == (36, 36, 3)
    assert marked.shape == (48, 48, 3)
    body = pair.target.mask[0, 0].numpy() > 0
    assert (marked[~body] == 1).all()
    coloured = (np.abs(marked - result_figures.TEAR).max(-1) < 1e-6) | (
        np.abs(marked - result_figures.OFF_BODY).max(-1) < 1e-6
    )
    assert coloured[body].any()  # a network without training


def test_sweep_has_the_long_run_every_seed_and_the_fillers():
    swept, long = studies.by_arm(read_results("texture_duel")), studies.long_run()
    figure = result_figures.draw_sweep(swept, long, {"l1": "l1", "gradient_energy_ratio": "sharpness"})
    assert [axis.get_title() for axis in figure.axes] == ["l1", "sharpness"]
    lines = figure.axes[0].lines
    assert len(lines) == 2 + 2 + 2
    assert len(lines[1].get_xdata()) == sum(arm == "coordinates" for arm, _, _ in swept)
    assert isinstance(figure, figures.Textures)
