"""What notebook 07 measures: streams, seams, supervision, and what one part knows of another."""

import dataclasses

import numpy as np
import pytest
import torch
from posekit_course.dense_pose_transfer import probes

from posekit.ops.charts import PARTS, sample_charts, splat_charts
from posekit.person import Pair
from posekit.systems import build
from tests.course.dense_pose_transfer.conftest import TINY
from tests.synthetic import chart_batch


@pytest.fixture(scope="module")
def pair():
    return chart_batch(1, 48, neighbours=2)


def test_every_part_has_a_name_of_its_own():
    assert sorted(probes.NAMES) == list(range(1, PARTS + 1))
    assert len(set(probes.NAMES.values())) == PARTS
    assert (probes.NAMES[probes.BACK], probes.NAMES[probes.FRONT]) == ("torso, back", "torso, front")
    assert probes.NAMES[15] == "left upper arm, back"
    assert probes.NAMES[10] == "left upper leg, front"
    assert probes.NAMES[22] == "right lower arm, front"


def test_names_are_those_of_the_studio():
    """On a person seen from the front, front parts cover more than back parts do."""
    person = probes.held_out(2, 48).person(0, 0)
    counts = {part: int((person.part == part).sum()) for part in range(1, PARTS + 1)}
    assert sum(counts.values()) == int(person.mask.sum())


def test_observed_warp_is_the_photograph_where_source_and_target_agree(system, pair):
    same = Pair(pair.source, pair.source)
    colours, known = probes.observed_warp(probes.run(system, same), same)
    body = pair.source.mask > 0
    assert known[body].mean() > 0.9
    assert (colours - pair.source.image)[(known > 0).expand_as(colours)].abs().mean() < 0.05
    assert (known[~body] == 0).all()
    assert (colours[(known == 0).expand_as(colours)] == 0).all()


def test_body_error_by_hand(pair):
    made = torch.zeros_like(pair.target.image)
    left = torch.zeros_like(pair.target.mask)
    left[..., :24] = 1
    body = pair.target.mask[0, 0] > 0
    wrong = pair.target.image[0].mean(0)
    assert probes.body_error(made, pair) == pytest.approx(float(wrong[body].mean()), abs=1e-6)
    assert probes.body_error(made, pair, left) == pytest.approx(float(wrong[:, :24][body[:, :24]].mean()), abs=1e-6)
    assert probes.body_error(made, pair, 0 * left) == 0


def test_sharpness_is_one_for_the_truth_and_falls_with_blur(pair):
    noise = torch.rand(pair.target.image.shape, generator=torch.Generator().manual_seed(0))
    pair, truth = Pair(pair.source, dataclasses.replace(pair.target, image=noise)), noise
    assert probes.sharpness(truth, pair) == pytest.approx(1)
    blurred = torch.nn.functional.avg_pool2d(truth, 5, 1, 2)
    assert probes.sharpness(blurred, pair) < 0.2


def test_places_among_the_tiles(pair):
    person = pair.source
    texels = probes.chart_texels(person, 5)
    y, x = (person.part[0, 0] > 0).nonzero()[10].tolist()
    part, (U, V) = int(person.part[0, 0, y, x]), person.chart[0, :, y, x].tolist()
    row, column = divmod(part - 1, 6)
    np.testing.assert_allclose(texels[0, :, y, x], [column * 5 + U * 4, row * 5 + V * 4], atol=1e-4)


def test_a_photograph_comes_back_from_both_surfaces(pair):
    person = probes.held_out(2, 64).person(0, 0).batched()
    for back in probes.there_and_back(person, 64, 256).values():
        wrong = ((back - person.image).abs().mean(1, keepdim=True) * person.mask).sum() / person.mask.sum()
        assert wrong < 0.03
        assert (back * (1 - person.mask)).abs().max() == 0


def test_cuts_are_where_neighbours_on_the_body_lie_apart():
    texels = torch.zeros(1, 2, 4, 6)
    texels[:, 0, :, 3:] = 20  # a jump between columns 2 and 3
    mask = torch.ones(1, 1, 4, 6)
    mask[..., 0, :] = 0  # and the first row is not on the body
    cut = probes.cuts(texels, mask)[0, 0]
    assert cut.nonzero().tolist() == [[1, 2], [2, 2], [3, 2]]
    assert probes.cuts(texels, mask, far=30).sum() == 0


def test_supervised_counts_the_views(pair):
    one, two, four = (probes.supervised(pair, n, 32) for n in (1, 2, 4))
    assert torch.equal(one, splat_charts(pair.source.image, pair.source.part, pair.source.chart, 32).known)
    assert (one <= two).all()
    assert (two <= four).all()
    assert four.max() <= 4


def test_hidden_error_looks_at_hidden_texels_alone(system):
    batch = chart_batch(2, 48)
    pairs = [batch[n] for n in range(2)]
    seen, hidden = probes.hidden_error(system, pairs)
    assert seen > 0
    assert hidden > 0
    same = [Pair(p.source, p.source) for p in pairs]
    assert probes.hidden_error(system, same)[1] == 0  # the source hides nothing of itself


def test_parts_reach_one_another_through_the_context_alone(system, pair):
    """With the vector G of the whole photograph, hiding a part changes no other chart."""
    whole = probes.with_context(system, pair.source, pair.source)
    torch.testing.assert_close(whole, probes.complete_without(system, pair.source), atol=1e-5, rtol=0)
    hidden = probes.with_context(system, pair.source, pair.source, [3])
    others = [n for n in range(PARTS) if n != 2]
    torch.testing.assert_close(hidden[:, others], whole[:, others], atol=1e-6, rtol=0)


def test_influence_is_zero_for_parts_that_are_not_seen(system, pair):
    known = splat_charts(pair.source.image, pair.source.part, pair.source.chart, 32).known[0].flatten(1).amax(1) > 0
    table = probes.influence(system, pair.source)
    assert table.shape == (PARTS, PARTS)
    assert (table[:, ~known.numpy()] == 0).all()
    assert (table[:, known.numpy()].sum(0) > 0).all()


@pytest.mark.parametrize("norm", ["instance", "part"])
def test_levels_of_channels_are_what_instance_norm_takes_away(norm):
    torch.manual_seed(0)
    system = build("dense_pose_transfer", **TINY, norm=norm).eval()
    levels = probes.channel_levels(system, 3 * torch.randn(2, 4))
    assert levels.shape == (2, PARTS, 2 * TINY["part_width"])
    assert ((levels[0] - levels[1]).abs().max() < 1e-5) == (norm == "instance")


def test_the_small_training_trains_the_autoencoder(monkeypatch, tmp_path):
    monkeypatch.setenv("POSEKIT_CACHE", str(tmp_path))
    trained = probes.train_charts(10, steps=2, seed=0, batch=2, supervision="single")
    fresh = build("dense_pose_transfer", seed=0, supervision="single", **probes.SMALL)
    assert trained.config == dataclasses.replace(fresh.config)
    changed = {n for n, p in trained.named_parameters() if not torch.equal(p, dict(fresh.named_parameters())[n])}
    assert changed
    assert all(name.startswith("autoencoder") for name in changed)


def test_charts_of_another_person_can_be_read_at_any_pose(system, pair):
    maps = probes.run(system, pair)
    assert sample_charts(maps.completed, pair.target.part, pair.target.chart).shape == pair.target.image.shape
