"""The account of every printed table: nothing is left without a claim or a reason."""

import dataclasses
from collections import Counter

import pytest
import yaml
from posekit_lab import account, claims, results
from posekit_lab.account import comparisons, read_printed, unused

from posekit.evaluation.study_presets import PRESETS
from posekit.util.errors import InputError

PRINTED = read_printed()
JUDGED = claims.judge_all()
MADE = comparisons(PRINTED, JUDGED)


def test_every_row_of_every_table_has_a_claim_or_a_reason():
    """`comparisons` refuses a row that has neither; here they are counted from the tables themselves."""
    expected = Counter()
    for table in PRINTED["tables"]:
        reference = table["rows"].get(table.get("reference"))
        for row, numbers in table["rows"].items():
            if row != table.get("reference"):
                expected[table["paper"], table["table"]] += sum(c in (reference or numbers) for c in numbers)
    assert Counter((one.paper, one.table) for one in MADE) == +expected
    assert len(MADE) > 180
    assert all(bool(one.judged) != bool(one.reason) for one in MADE)
    assert {one.paper for one in MADE} == {
        "Coordinate-based", "Dense Pose Transfer", "Deformable GANs", "Single transformation",
    }  # fmt: skip


def test_every_claim_with_numbers_quotes_a_table():
    assert not unused(PRINTED, JUDGED)
    numbers = {n for table in PRINTED["tables"] for row in table["rows"].values() for n in row.values()}
    for claim in (one.claim for one in JUDGED if one.claim.printed is not None):
        assert set(claim.printed) <= numbers, claim.claim


def test_a_claim_expects_what_the_table_prints():
    better = {(t["paper"], t["table"]): t["columns"] for t in PRINTED["tables"]}
    for one in MADE:
        for judged in one.judged:
            arm, beside = judged.claim.printed
            assert (judged.claim.expect == "higher") == (arm > beside), judged.claim.claim
            assert one.column in better[one.paper, one.table]


def test_a_row_without_either_is_refused():
    without = [one for one in JUDGED if one.claim.source != "Dense Pose Transfer, Table 4"]
    with pytest.raises(
        InputError, match="Dense Pose Transfer, Table 4: ssim of .* has neither a claim .* nor a reason"
    ):
        comparisons(PRINTED, without)


def test_a_claim_that_fits_two_rows_is_refused():
    vague = [dataclasses.replace(one, claim=dataclasses.replace(one.claim, row="")) for one in JUDGED]
    with pytest.raises(InputError, match="fits 2 rows of Coordinate-based, Table 2 .*; name one as its row"):
        comparisons(PRINTED, vague)


def test_a_slip_of_the_pen_is_found():
    number = next(n for n, one in enumerate(JUDGED) if one.claim.printed == [0.796, 0.777])
    slip = dataclasses.replace(JUDGED[number].claim, printed=[0.796, 0.776], source="Nowhere, Table 9")
    assert unused(PRINTED, [*JUDGED, claims.Judged(slip, "not run")])[0].claim is slip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "poem"}, "is one of ablation"),
        ({"unclaimed": [{"because": "mood"}]}, "names what it does not have"),
        ({"unclaimed": [{"rows": ["Nobody"], "because": "rival"}]}, "names what it does not have"),
        ({"rows": {"Ours": {"beauty": 1.0}}}, "names what it does not have"),
        ({"presets": ["beauty"]}, "names studies that are not there: beauty"),
    ],
)
def test_a_file_that_is_not_as_it_says_is_refused(tmp_path, change, words):
    changed = {**PRINTED, "tables": [PRINTED["tables"][0] | change]}
    (tmp_path / "printed.yaml").write_text(yaml.safe_dump(changed))
    with pytest.raises(InputError, match=words):
        read_printed(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_printed(tmp_path / "nowhere")


def test_studies_print_what_the_presets_ask():
    """The same percentages in both; of the garment study, of its rivals, of its questions."""
    printed = {n for t in PRINTED["tables"] if t["kind"] == "study" for row in t["rows"].values() for n in row.values()}
    for name in {name for t in PRINTED["tables"] for name in t.get("presets", ())}:
        assert {n for row in PRESETS[name].published.values() for n in row} <= printed, name
    assert all(t.get("presets") for t in PRINTED["tables"] if t["kind"] == "study")


def test_the_page_counts_every_comparison_once():
    page = account.account_page(PRINTED, JUDGED)
    total = next(line for line in page.splitlines() if line.startswith("| **all**"))
    *numbers, whole = map(int, total.strip("| ").split(" | ")[1:])
    assert sum(numbers) == whole == len(MADE)
    assert page.count("### ") >= len(PRINTED["tables"])
    assert "by the perceptual distance" in page


def test_the_figure_has_a_point_for_every_decidable_number():
    figure = account.draw_account(JUDGED)
    with_numbers = [
        one for one in JUDGED
        if one.claim.printed_difference and one.difference is not None and one.claim.expect != "nearer"
    ]  # fmt: skip
    points = [line for axis in figure.axes for line in axis.lines if line.get_marker() == "o"]
    assert len(points) == len(with_numbers)
    assert (results.RESULTS / "claims.png").stat().st_size > 10_000
