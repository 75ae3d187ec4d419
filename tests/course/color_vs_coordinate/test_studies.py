"""Parts of the measurements on inpainting: each against a case whose answer is known."""

import numpy as np
import pytest
import torch
from posekit_course.color_vs_coordinate import probes, studies
from posekit_lab.results import read_results

from posekit.evaluation.table import Evaluation, MetricRow
from posekit.metrics.protocol import Protocol
from posekit.person import Pair
from posekit.studio.generate import make_person


@pytest.fixture(scope="module")
def person():
    return make_person(0, 15, 1, 64).batched()


def test_busiest_square_is_where_the_stripes_are():
    image, mask = torch.full((1, 3, 40, 40), 0.5), torch.ones(1, 1, 40, 40)
    image[..., 20:28, 12:20:2] = 1
    found = studies.busiest(image, mask, 8)
    assert found.shape == (1, 3, 8, 8)
    assert float((found == 1).float().mean()) >= 0.4
    mask[..., 16:, :] = 0
    assert (studies.busiest(image, mask, 8) == 0.5).all()  # the stripes are off the mask


def test_whole_square():
    mask = torch.zeros(1, 1, 20, 20)
    mask[..., 3:9, 5:11] = 1
    rows, columns = studies.whole_square(mask, 6)
    assert (rows.start, rows.stop, columns.start, columns.stop) == (3, 9, 5, 11)
    assert studies.whole_square(mask, 7) is None


def test_every_looked_up_part_is_counted_once():
    part = torch.tensor([16, 18, 15, 15, 15, 2, 0, 0, 0, 0])
    np.testing.assert_allclose(studies.shares_of_places(part), [0.2, 0.3, 0.1, 0.4])
    assert len(studies.PLACES) == 4


def test_correlation_of_positions():
    a = torch.randn(2, 500, generator=torch.Generator().manual_seed(0))
    assert studies.correlation(a, 3 * a + 1) == pytest.approx(1)
    assert studies.correlation(a, -a) == pytest.approx(-1)
    assert abs(studies.correlation(a, a.roll(1, 1))) < 0.15
    assert studies.correlation(a, torch.zeros_like(a)) == 0


def test_hidden_arms_are_means_over_photographs():
    answers = iter([(np.array([1.0, 0, 0, 0]), 1.0, 0.2, "first"), (np.array([0, 0, 0, 1.0]), 0.0, 0.4, "second")])
    share, together, error, positions = studies.hidden_arms(lambda person, fill: next(answers), [None, None], None)
    assert share == dict(zip(studies.PLACES, (0.5, 0, 0, 0.5), strict=True))
    assert (together, error, positions) == (0.5, pytest.approx(0.3), ["first", "second"])


def test_photographs_with_both_arms(person):
    pair = Pair(person[0], person[0])
    least = min(int(probes.are_parts(person.part, arm).sum()) for arm in (probes.LEFT_ARM, probes.RIGHT_ARM))
    assert len(studies.with_both_arms([pair, pair], pixels=least)) == 0
    found = studies.with_both_arms([pair, pair, pair], most=2, pixels=least - 1)
    assert len(found) == 2
    assert torch.equal(found[0].part, person.part)


def test_kept_runs_and_milestones():
    swept, long = studies.by_arm(read_results("texture_duel")), studies.long_run()
    assert {arm for arm, _, _ in swept} == {"coordinates", "colours", "background kept"}
    assert {name for name, _, _ in long} >= {"coordinates", "colours", "nearest", "mirror"}
    shares = studies.background_shares(swept)
    assert set(shares) == {"coordinates", "background kept"}
    rows = [row for (arm, _, _), row in swept.items() if arm == "coordinates"]
    assert shares["coordinates"][0] == pytest.approx(np.mean([row["background_share"] for row in rows]))


def test_tables_name_what_they_show(capsys):
    metrics = ("l1", "sliced_wasserstein_fine")
    rows = [MetricRow("net", f"{p}.unseen.{m}", 0.5, None, None) for p in ("atlas", "view") for m in metrics]
    studies.print_measures(Evaluation(rows, {"net": {}}, ["a"], ["x"], Protocol()), ["net"], metrics)
    printed = capsys.readouterr().out
    assert printed.count("0.500") == 4
    assert printed.count("SWD") == 2
    studies.print_mends({"snap": (0.1, 0.2, 0.25, 0.5)})
    assert capsys.readouterr().out.split("\n")[1].split() == ["snap", "0.100", "0.200", "25.0%", "50.0%"]
    studies.print_robust({"exact": {"coordinates": (0.1, 1.0), "colours": (0.2, 0.3)}}, {"exact": 0.04})
    assert capsys.readouterr().out.split("\n")[2].split() == ["exact", "0.100", "0.200", "1.000", "0.300", "4%"]


def test_losses_are_said():
    log = [{"losses": {"identity": 1.0}}, {"losses": {"identity": 0.5}}, {"losses": {"identity": 0.25}}]
    assert studies.losses_said(log) == "identity 1.00 -> 0.25"


def test_kinds_share_out_the_body(person):
    known = (torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    found = probes.kinds(person, known)
    assert torch.equal(sum(found.values()), person.mask)
    assert all(float(where.sum()) > 0 for where in found.values())
    assert float(probes.kinds(person, torch.ones_like(known))["edge of what is seen"].sum()) == 0


def test_lost_texels_look_off_the_body(person):
    D = torch.stack((person.uv[:, 0] * 0, person.uv[:, 1] * 0), 1)  # all look at the middle
    middle = float(person.mask[0, 0, 32, 32])
    assert (probes.lost(D, person.mask) == 1 - middle).all()
