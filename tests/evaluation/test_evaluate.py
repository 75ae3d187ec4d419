"""Evaluation: the table, its intervals, what is missing, saving."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from posekit.evaluation.evaluate import evaluate
from posekit.evaluation.measure import _row, measure_pairs
from posekit.evaluation.table import Evaluation, MetricRow
from posekit.metrics import image as metrics
from posekit.metrics import pretrained
from posekit.metrics.interval import interval_over_people
from posekit.metrics.perceptual import perceptual
from posekit.metrics.protocol import STANDARD, Protocol
from posekit.systems import build
from posekit.systems.base import Result, System
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs


class Truth(System):
    """Hands back the target: every metric is perfect."""

    name = "truth"

    def __init__(self):
        super().__init__(None)

    def forward(self, pair):
        return Result(image=pair.target.image)


@pytest.fixture(scope="module")
def table():
    pairs = SyntheticPairs(5, 48)
    tiny = build("coordinate_inpainting", **TINY)
    return evaluate({"truth": Truth(), "copy": build("copy_source"), "tiny": tiny}, pairs, batch_size=2)


def test_the_truth_is_perfect_and_the_copy_is_not(table):
    assert table.row("truth", "ssim").mean == pytest.approx(1)
    assert table.row("truth", "l1").mean == 0
    assert table.row("truth", "gradient_energy_ratio").mean == pytest.approx(1)
    copy = table.row("copy", "ssim")
    assert copy.low < copy.mean < copy.high < 1
    assert copy.mean == pytest.approx(np.mean(table.values["copy"]["ssim"]))


def test_one_value_per_pair_with_its_name_and_the_protocol(table):
    assert table.names[0] == "0_0 -> 0_1"
    assert len(table.names) == len(table.values["copy"]["ms_ssim"]) == 5
    assert table.protocol.pairs == 5
    assert table.protocol.size == (48, 48)
    assert table.protocol.scales() == 3
    assert "data range 1" in table.protocol.words()["ssim"]
    assert "48 x 48 RGB in [0, 1], no crop, no padding; SSIM window 11" in " ".join(str(table).split())
    assert "MS-SSIM 3 scales; 5 pairs" in str(table)


def test_the_perceptual_distance_stands_beside_ssim(table):
    assert [row.metric for row in table.rows[:2]] == ["ssim", "perceptual"]
    assert table.values["truth"]["perceptual"] == [0] * 5
    data, copy = SyntheticPairs(5, 48), {"copy": build("copy_source")}
    pairs = [data[i].batched() for i in range(5)]
    alone = [perceptual(pair.source.image, pair.target.image).item() for pair in pairs]
    assert table.values["copy"]["perceptual"] == pytest.approx(alone, abs=1e-6)
    assert "not LPIPS" in table.protocol.words()["perceptual"]
    some = evaluate(copy, data, batch_size=2, perceptual_every=3)
    measured = np.array(some.values["copy"]["perceptual"])
    assert np.isfinite(measured).tolist() == [True, False, False, True, False]
    assert some.row("copy", "perceptual").mean == pytest.approx(np.mean([alone[0], alone[3]]), abs=1e-6)
    assert "perceptual: one of 3 pairs" in str(some)
    with pytest.raises(InputError, match="of every 1, 2, ... pairs; got 0"):
        evaluate(copy, data, perceptual_every=0)


def test_a_result_without_the_perceptual_distance_still_loads(table, tmp_path):
    """Those that were written before there was one."""
    stored = json.loads(table.save(tmp_path / "new.json").read_text())
    stored["rows"] = [row for row in stored["rows"] if not row["metric"].endswith("perceptual")]
    for values in stored["values"].values():
        for name in [name for name in values if name.endswith("perceptual")]:
            del values[name]
    del stored["protocol"]["more"]["perceptual"], stored["protocol"]["words"]["perceptual"]
    (tmp_path / "old.json").write_text(json.dumps(stored))
    old = Evaluation.load(tmp_path / "old.json")
    both = table.beside(old, "old.json")
    assert both.row("copy (old.json)", "ssim") == dataclasses.replace(
        both.row("copy", "ssim"), system="copy (old.json)"
    )
    assert "perceptual" in str(both)
    assert "perceptual" not in str(old)


def test_missing_lpips_is_null_with_a_note(monkeypatch, tmp_path):
    monkeypatch.setattr(pretrained, "_load", lambda name: (None, f"{name} is missing (reason): download it."))
    found = evaluate({"copy": build("copy_source")}, SyntheticPairs(2, 40))
    assert found.row("copy", "lpips").mean is None
    assert "missing" in str(found)
    assert "download it" in str(found)
    again = Evaluation.load(found.save(tmp_path / "table.json"))
    assert json.dumps(dataclasses.asdict(again)) == json.dumps(dataclasses.asdict(found)), "NaN is no equal of NaN"
    assert str(again) == str(found)


def test_a_protocol_frames_the_photographs_before_they_are_measured():
    """Cut to the middle, white around it: the numbers are those of pictures that were cut and padded by hand."""
    data, copy = SyntheticPairs(3, 48), {"copy": build("copy_source")}
    framed = evaluate(copy, data, protocol=Protocol(crop=(48, 32), padding=(48, 64)))
    expected = []
    for pair in (data[i].batched() for i in range(3)):
        made, truth = (torch.ones(1, 3, 48, 64) for _ in range(2))
        made[..., 16:48], truth[..., 16:48] = pair.source.image[..., 8:40], pair.target.image[..., 8:40]
        expected.append(metrics.ssim(made, truth).item())
    assert framed.values["copy"]["ssim"] == pytest.approx(expected, abs=1e-6)
    assert framed.protocol.measured == (48, 64)
    assert "cut to 48 x 32, padded to 48 x 64 with white" in " ".join(str(framed).split())
    with pytest.raises(InputError, match="The crop of 60 x 32 pixels does not go with photographs of 48 x 48"):
        evaluate(copy, data, protocol=Protocol(crop=(60, 32)))


def test_two_results_in_one_table(tmp_path):
    data, copy = SyntheticPairs(3, 48), {"copy": build("copy_source")}
    first = evaluate(copy, data)
    other = Evaluation.load(evaluate({"truth": Truth(), **copy}, data).save(tmp_path / "earlier.json"))
    both = first.beside(other, "earlier.json")
    assert list(both.values) == ["copy", "truth", "copy (earlier.json)"]
    assert both.row("copy (earlier.json)", "l1").mean == both.row("copy", "l1").mean
    assert both.row("truth", "ssim").mean == pytest.approx(1)
    metrics_then_systems = str(both).splitlines()
    assert metrics_then_systems[0].split("  ")[-1].strip() == "copy (earlier.json)"
    assert len(metrics_then_systems) == len(str(other).splitlines()), "a column more, not a line"
    padded = evaluate(copy, data, protocol=Protocol(padding=(48, 64)))
    with pytest.raises(InputError, match="measured differently .padding none and 48 x 64. and cannot be compared"):
        first.beside(padded)
    with pytest.raises(InputError, match="pairs 3 and 2"):
        first.beside(evaluate(copy, SyntheticPairs(2, 48)))
    others = dataclasses.replace(other, names=["a -> b", *other.names[1:]])
    with pytest.raises(InputError, match="of other pairs .0_0 -> 0_1 and a -> b first."):
        first.beside(others)


def test_results_of_one_file_name_all_stay_in_the_table(table):
    """run1/table.json and run2/table.json, as --beside names them."""
    both = table.beside(table, "table.json").beside(table, "table.json")
    assert [name for name in both.values if name.startswith("copy")] == [
        "copy", "copy (table.json)", "copy (table.json, 2)",
    ]  # fmt: skip
    assert len({(row.system, row.metric) for row in both.rows}) == len(both.rows) == 3 * len(table.rows)


def test_a_photograph_with_nan_is_refused_not_left_out():
    class Sometimes(Truth):
        def forward(self, pair):
            image = pair.target.image.clone()
            image[-1, 0, 3, 3] = float("nan")
            return Result(image=image)

    with pytest.raises(InputError, match="truth made a photograph with NaN.*0_0 -> 0_1"):
        evaluate({"s": Sometimes()}, SyntheticPairs(3, 40))


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_masks_of_all_pairs_or_of_none(batch_size):
    """A batch without one of its masks would be measured over whole photographs, another one on the body."""

    class Mixed(SyntheticPairs):
        def __getitem__(self, i):
            pair = super().__getitem__(i)
            return pair if i != 3 else dataclasses.replace(pair, target=dataclasses.replace(pair.target, mask=None))

    with pytest.raises(InputError, match="Some target photographs have a body mask"):
        evaluate({"copy": build("copy_source")}, Mixed(4, 40), batch_size=batch_size)


def test_batch_size_does_not_matter():
    a, b = (evaluate({"c": build("copy_source")}, SyntheticPairs(3, 40), batch_size=n) for n in (1, 3))
    for metric, values in a.values["c"].items():
        if values is not None:
            np.testing.assert_allclose(values, b.values["c"][metric], rtol=1e-5)


def test_what_is_not_a_number_is_null_in_the_file(tmp_path):
    pairs, nan = SyntheticPairs(2, 40), float("nan")
    table = measure_pairs(
        {"s": Truth()}, pairs, lambda system, batch: {"m": torch.tensor([0.5, nan])}, protocol=STANDARD
    )
    text = table.save(tmp_path / "e.json").read_text()
    assert "NaN" not in text
    found = Evaluation.load(tmp_path / "e.json").values["s"]["m"]
    assert found[0] == 0.5
    assert np.isnan(found[1])


def test_intervals_are_over_people_and_missing_values_are_left_out():
    people = ["a", "a", "b", "c"]
    row = _row("s", "m", [0.1, 0.3, float("nan"), 0.5], people, STANDARD)
    assert row.mean == pytest.approx(0.3)
    assert (row.low, row.high) == interval_over_people([0.1, 0.3, 0.5], ["a", "a", "c"])
    assert _row("s", "m", [0.5, 0.6], ["a", "a"], STANDARD) == MetricRow(
        "s", "m", 0.55, None, None
    )  # one person says little
    assert _row("s", "m", [float("nan")], ["a"], STANDARD).mean is None
    assert _row("s", "m", None, ["a"], STANDARD).mean is None


def test_bad_input(tmp_path, table):
    with pytest.raises(InputError, match="got 0 and 5"):
        evaluate({}, SyntheticPairs(5, 40))
    with pytest.raises(InputError, match="got 1 and 0"):
        evaluate({"c": build("copy_source")}, SyntheticPairs(0, 40))
    with pytest.raises(InputError, match="no row for 'x'"):
        table.row("x", "ssim")
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(InputError, match="not an evaluation saved by posekit"):
        Evaluation.load(tmp_path / "x.json")


def test_no_gradients_are_kept():
    """Neither while the systems run, nor is the caller's mode changed."""
    seen = []

    class Asks(Truth):
        def forward(self, pair):
            seen.append(torch.is_grad_enabled())
            return super().forward(pair)

    evaluate({"asks": Asks()}, SyntheticPairs(2, 40))
    assert seen == [False]
    assert torch.is_grad_enabled()


def test_the_full_protocol_with_stand_in_networks(monkeypatch):
    """Whatever a network says about the photographs comes out under its metric's name; the number means nothing."""

    class Detector(torch.nn.Module):
        def forward(self, images):
            return [{"scores": image.mean().expand(2), "labels": torch.tensor([1, 3])} for image in images]

    class Classifier(torch.nn.Module):
        def forward(self, images):
            assert images.dtype == torch.uint8
            return images.float().mean((2, 3)) / 10

    stand_ins = {"detection_score": Detector(), "inception_score": Classifier()}
    monkeypatch.setattr(
        pretrained, "_load", lambda name: (stand_ins.get(name), None if name in stand_ins else f"{name} is missing.")
    )
    data = SyntheticPairs(4, 40)
    table = evaluate({"copy": build("copy_source")}, data, full=True, batch_size=2)
    means = [float(pair.source.image.mean()) for pair in (data[i] for i in range(4))]
    assert table.values["copy"]["detection_score"] == pytest.approx(means, rel=1e-5)
    score = table.row("copy", "inception_score")
    assert (1 < score.mean <= 3, score.low, score.high) == (True, None, None)
    assert table.row("copy", "lpips_vgg").mean is None
    assert table.notes == ["lpips is missing.", "lpips_vgg is missing."]
    assert f"{score.mean:.4f}" in str(table)
    assert "SSD300" in table.protocol.words()["detection_score"]


def test_a_warped_picture_is_measured_too():
    """Its numbers stand beside those of the photograph; a system without one leaves them blank."""

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Warped(Result):
        warped: torch.Tensor

    class Stub(torch.nn.Module):
        def forward(self, pair):
            return Warped(image=pair.source.image, warped=pair.target.image + 0.1 * pair.target.mask)

    data = SyntheticPairs(3, 40)
    table = evaluate({"copy": build("copy_source"), "stub": Stub()}, data)
    assert table.row("stub", "warped.body_l1").mean == pytest.approx(0.1, rel=1e-4)
    share = sum(float(data[i].target.mask.mean()) for i in range(3)) / 3
    assert table.row("stub", "warped.l1").mean == pytest.approx(0.1 * share, rel=1e-4)
    assert table.row("stub", "warped.l1_32").mean == pytest.approx(0.1 * share, rel=0.02)  # areas overlap, 40 to 32
    assert 0.5 < table.row("stub", "warped.ssim").mean < 1
    assert table.row("stub", "l1").mean == table.row("copy", "l1").mean
    alone = next(line for line in str(table).splitlines() if line.startswith("warped.l1_32"))
    assert f"{table.row('stub', 'warped.l1_32').mean:.4f}" in alone
    assert len(alone.split()) == 4, "name, mean and interval of the one system; nothing for the other"
    with pytest.raises(InputError, match="no row"):
        table.row("copy", "warped.l1")
