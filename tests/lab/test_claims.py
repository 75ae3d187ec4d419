"""Verdicts on published claims: from made-up sweeps, whose answer is known, and from the kept ones."""

import math

import pytest
import yaml
from posekit_lab import account, claims, experiments, results, source
from posekit_lab.claims import Claim, claims_table, count, judge_all, judge_claim, read_claims

from posekit.evaluation.table import Evaluation
from posekit.metrics.protocol import Protocol
from posekit.util.errors import InputError

ENTRY = {
    "claim": "The net beats nothing",
    "source": "A paper, Table 1",
    "printed": [0.5, 0.4],
    "expect": "higher",
    "results": ["duel"],
    "metric": "ssim",
    "arm": "net",
    "beside": "none",
}
MARGINS = {"ssim": 0.01}


def written(folder, entries, margins=MARGINS):
    (folder / "claims.yaml").write_text(yaml.safe_dump({"margins": margins, "claims": entries}))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "results").mkdir()
    return tmp_path


def keep(folder, net, none=(0.40, 0.41, 0.42), steps=100, name="duel"):
    """The kept table of a sweep of two arms; None leaves a cell empty."""
    lines = ["seed,arm,steps,ssim"]
    for arm, numbers in (("net", net), ("none", none)):
        lines += [f"{seed},{arm},{steps},{value}" for seed, value in enumerate(numbers)]
    (folder / "results" / f"{name}.csv").write_text("\n".join(lines) + "\n")


def claim(**changes):
    return Claim(**ENTRY | changes)


@pytest.mark.parametrize(
    ("net", "expect", "verdict", "agreeing"),
    [
        ((0.50, 0.51, 0.52), "higher", "reproduced", 3),  # the same difference at every seed
        ((0.50, 0.51, 0.52), "lower", "not reproduced", 0),
        ((0.30, 0.31, 0.32), "lower", "reproduced", 3),
        ((0.30, 0.31, 0.32), "higher", "not reproduced", 0),
        ((0.41, 0.44, 0.55), "higher", "undecided", 3),  # all seeds agree, and the interval holds 0
        ((0.41, 0.30, 0.55), "higher", "undecided", 2),
        ((0.41, 0.30, 0.55), "lower", "undecided", 1),
        ((0.50, math.nan, 0.52), "higher", "not measured", 0),
        ((1.20, 1.21, 1.22), "nearer", "reproduced", 3),  # 1.2 is nearer to 1 than 0.4
        ((4.00, 4.10, 4.20), "nearer", "not reproduced", 0),  # too much is as bad as too little
        ((0.0, 1.0, 1.0), "nearer", "not measured", 0),
        ((0.50, 0.51, 0.52), "same", "not reproduced", 0),
    ],
)
def test_verdict_is_read_off_the_interval(folder, net, expect, verdict, agreeing):
    keep(folder, net)
    found = judge_claim(claim(expect=expect), folder)
    assert found.verdict == verdict
    if found.difference is not None and verdict != "not measured":
        d = found.difference
        assert (d.low > 0 or d.high < 0) == (verdict != "undecided")
        if expect != "nearer":
            assert d.mean == pytest.approx(sum(net) / 3 - 0.41)
        assert found.agreeing == agreeing


@pytest.mark.parametrize(
    ("net", "margin", "verdict"),
    [
        ((0.401, 0.412, 0.420), 0.01, "no difference"),
        ((0.401, 0.412, 0.420), 0.001, "undecided"),
        ((0.405, 0.415, 0.425), 0.01, "no difference"),  # surely more than 0, and surely too little to matter
        ((0.405, 0.415, 0.425), None, "reproduced"),
    ],
)
def test_no_difference_is_an_interval_within_the_margin(folder, net, margin, verdict):
    keep(folder, net)
    found = judge_claim(claim(margin=margin), folder)
    assert found.verdict == verdict
    assert (verdict == "no difference") == (margin is not None and abs(found.difference.low) < margin)


@pytest.mark.parametrize(
    ("net", "verdict"),
    [
        ((0.401, 0.412, 0.420), "reproduced"),
        ((0.401, 0.43, 0.40), "undecided"),
        ((0.407, 0.419, 0.431), "undecided"),  # surely not 0, and perhaps no more than the margin
        ((0.43, 0.44, 0.45), "not reproduced"),
    ],
)
def test_the_same_is_claimed_within_the_margin(folder, net, verdict):
    keep(folder, net)
    assert judge_claim(claim(expect="same", margin=0.01), folder).verdict == verdict


@pytest.mark.parametrize(
    ("metric", "printed", "difference"),
    [
        ("warped.l1", [15.52, 33.31], (15.52 - 33.31) / 255),
        ("l1", [0.10, 0.15], -0.05),
        ("xqda_rank_1", [77.8, 73.2], 0.046),
        ("view.unseen.ssim", [0.5, 0.4], 0.1),
        ("ssim", None, None),
    ],
)
def test_printed_differences_are_in_our_units(metric, printed, difference):
    assert claim(metric=metric, printed=printed).printed_difference == pytest.approx(difference)


def test_systems_beside_each_other_are_judged_over_people(folder):
    """Two people, two pairs each; a person counts once."""
    people = ["a", "a", "b", "b", "c"]
    values = {"net": {"ssim": [0.5, 0.7, 0.6, 0.8, 0.6]}, "none": {"ssim": [0.4, 0.4, 0.5, 0.5, 0.4]}}
    table = Evaluation([], values, list("12345"), people, Protocol(), [])
    (folder / "results" / "compare").mkdir()
    table.save(folder / "results" / "compare" / "evaluation.json")
    found = judge_claim(claim(results=["compare"]), folder)
    assert found.difference.mean == pytest.approx(0.2)  # of each person: 0.2, 0.2, 0.2
    assert (found.verdict, found.difference.seeds, found.difference.over) == ("reproduced", 3, "people")
    assert "3 people" in claims_table([found])
    with pytest.raises(InputError, match="'other'.*the comparison has net, none"):
        judge_claim(claim(results=["compare"], arm="other"), folder)
    with pytest.raises(InputError, match="without nearer"):
        judge_claim(claim(results=["compare"], expect="nearer"), folder)
    (folder / "results" / "compare" / "evaluation.json").unlink()
    assert judge_claim(claim(results=["compare"]), folder).verdict == "not run"


def test_nearer_counts_doublings(folder):
    keep(folder, (2.0, 2.0, 2.0), (0.25, 0.25, 0.25))
    d = judge_claim(claim(expect="nearer"), folder).difference
    assert (d.mean, d.low, d.high) == (-1, -1, -1)  # one doubling too much, two too few


def test_without_results_it_was_not_run(folder):
    assert judge_claim(claim(), folder).verdict == "not run"
    keep(folder, (0.5, 0.51, 0.52))
    assert judge_claim(claim(results=["duel", "other"]), folder).verdict == "not run"


def test_results_without_the_arm_or_the_metric_are_an_error_not_a_verdict(folder):
    keep(folder, (0.5, 0.51, 0.52))
    for changes in ({"arm": "nte"}, {"metric": "lpips"}, {"where": {"steps": 200}}):
        with pytest.raises(InputError, match="No run with"):
            judge_claim(claim(**changes), folder)


def test_where_chooses_one_setting(folder):
    keep(folder, (0.5, 0.51, 0.52))
    keep(folder, (0.3, 0.31, 0.32), steps=200, name="longer")
    both = {"results": ["duel", "longer"]}
    assert judge_claim(claim(where={"steps": 100}, **both), folder).verdict == "reproduced"
    assert judge_claim(claim(where={"steps": 200}, **both), folder).verdict == "not reproduced"
    with pytest.raises(InputError, match="several runs of seed"):
        judge_claim(claim(**both), folder)


def test_arms_that_differ_in_more_than_the_arm_get_no_verdict(folder):
    """600 steps against 30, or other pictures, say nothing about the arm."""
    for column, ours, theirs in (("steps", 600, 30), ("protocol", "padded", "plain"), ("people", 400, 40)):
        lines = [f"seed,arm,{column},ssim"]
        lines += [f"{seed},net,{ours},{0.5 + seed / 10}" for seed in range(3)]
        lines += [f"{seed},none,{theirs},{0.4 + seed / 10}" for seed in range(3)]
        (folder / "results" / "duel.csv").write_text("\n".join(lines) + "\n")
        with pytest.raises(InputError, match=f"differ in more than their arm .{column} {ours} and {theirs}"):
            judge_claim(claim(), folder)


def test_a_seed_without_a_number_or_a_run_without_an_arm(folder):
    keep(folder, (0.5, 0.51, ""))
    assert judge_claim(claim(), folder).verdict == "not measured"
    keep(folder, (0.5, 0.51, 0.52))
    table = folder / "results" / "duel.csv"
    table.write_text(table.read_text() + "3,,100,0.1\n")
    assert judge_claim(claim(), folder).verdict == "reproduced"


def test_table_says_claim_numbers_interval_and_counts(folder):
    keep(folder, (0.41, 0.44, 0.55))
    entries = [ENTRY, {**ENTRY, "claim": "In words only", "printed": None, "results": ["never"]}]
    written(folder, [*entries, {**ENTRY, "claim": "Close", "printed": [0.405, 0.4]}])
    text = claims_table(judge_all(folder))
    assert "| The net beats nothing | A paper, Table 1 | ssim | 0.5 against 0.4 | +0.057 [" in text
    needed = judge_all(folder)[0].difference.seeds_for(0.01)
    assert f"3 of 3 seeds agree | **undecided** ({needed} seeds would do) |  |" in text
    assert "| In words only | A paper, Table 1 | ssim | in words |  | **not run** |  |" in text
    assert "| 0.405 against 0.4 (below the margin) |" in text
    assert "the interval is within the margin (ssim 0.01)" in text
    assert "\n3 claims: 2 undecided, 1 not run.\n" in text


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([{**ENTRY, "expect": "better"}], "expects higher, lower, same or nearer"),
        ([{**ENTRY, "results": "duel"}], "as a list"),
        ([{**ENTRY, "printed": [1]}], "two printed numbers"),
        ([{**ENTRY, "seeds": 3}], "entry 1 lacks, or should not have, seeds"),
        ([ENTRY, {k: v for k, v in ENTRY.items() if k != "arm"}], "entry 2 lacks, or should not have, arm"),
        ([{**ENTRY, "metric": "l1"}], "l1 of entry 1 needs a margin"),
        ("text", "a list of claims"),
    ],
)
def test_broken_files_are_named(folder, entries, words):
    written(folder, entries)
    with pytest.raises(InputError, match=words):
        read_claims(folder)


def test_missing_and_unreadable_files(folder):
    with pytest.raises(InputError, match="cannot be read"):
        read_claims(folder)
    (folder / "claims.yaml").write_text("a: [")
    with pytest.raises(InputError, match="cannot be read"):
        read_claims(folder)


def test_many_claims_tested_together():
    """p = .001, .01, .03, .04: by Holm .03 is above .05 / 2; by Benjamini-Hochberg .04 is below .05 4 / 4."""
    of = lambda p: claims.Judged(claim(), "reproduced", claims.Difference("ssim", 1.0, 0.5, 1.5, 3, p))  # noqa: E731
    judged = [of(p) for p in (0.03, 0.001, 0.04, 0.01)] + [claims.Judged(claim(), "not run")]
    assert claims.holm(judged) == pytest.approx([0.06, 0.004, 0.06, 0.03, 1])
    assert claims.hochberg(judged) == 4
    assert claims.holm([of(0.5)]) == [0.5]
    assert claims.hochberg([of(0.5)]) == 0
    assert claims.hochberg([claims.Judged(claim(), "not run")]) == 0
    text = claims_table(judged)
    assert "of the 4 decided ones 2 stay decided under Holm's correction over all 4" in text
    assert (text.count("| yes |"), text.count("| no |")) == (2, 2)


def test_a_note_stands_behind_the_verdict(folder):
    keep(folder, (0.5, 0.51, 0.52))
    assert "**reproduced**; but see | yes |" in claims_table([judge_claim(claim(note="but see"), folder)])


def test_command_writes_the_table(folder, capsys):
    keep(folder, (0.5, 0.51, 0.52))
    written(folder, [ENTRY])
    assert experiments.main(["claims"], folder) == 0
    assert capsys.readouterr().out.split() == [str(folder / "results" / f"claims.{kind}") for kind in ("md", "png")]
    assert "**reproduced**" in (folder / "results" / "claims.md").read_text()


def test_a_sweep_that_was_run_again_beside_the_kept_one(folder, capsys):
    keep(folder, (0.5, 0.51, 0.52))
    other = {**ENTRY, "claim": "The other way round", "expect": "lower"}
    elsewhere = {**ENTRY, "results": ["duel", "more"]}
    written(folder, [ENTRY, other, elsewhere])
    new = folder / "out" / "duel"
    new.mkdir(parents=True)
    lines = ["run,seed,arm,steps,ssim,status,error"]
    lines += [f"r,{seed},net,100,{0.41 + seed / 50},ok," for seed in range(3, 6)]
    lines += [f"r,{seed},none,100,{0.40 + (seed == 4) / 5},ok," for seed in range(3, 6)]
    (new / "table.csv").write_text("\n".join(lines) + "\n")
    assert experiments.main(["again", "duel"], folder, folder / "out") == 0
    said = capsys.readouterr().out
    assert "CHANGED The net beats nothing: reproduced +0.100" in said
    assert "2 of 3 verdicts changed." in said, "the third needs a table that is not kept, before and after"
    assert "again undecided" in said
    written(folder, [{**ENTRY, "results": ["more"]}])
    assert experiments.main(["again", "duel"], folder, folder / "out") == 1
    assert "No claim is judged by duel;" in capsys.readouterr().err


def test_the_claims_of_the_papers_name_what_the_sweeps_record():
    """Every claim's arms are those of a figure, so that a sweep that is kept later is found."""
    found = read_claims()
    assert len(found) >= 20
    known = {}
    sweeps = ("texture_duel", "skips", "refinement_variants", "losses", "deformable_gan", "reid")
    for name in (*sweeps, "spatial_depth", "spatial_ablations", "spatial_rivals", "spatial_correctness", "faces"):
        entry = experiments.figure_of(name)
        for table in entry["tables"]:
            known.setdefault(table, set()).update(entry["arms"])
    for one in found:
        if set(one.results) <= set(known):
            assert {one.arm, one.beside} <= set().union(*(known[table] for table in one.results)), one.claim
        assert all((results.EXPERIMENTS / f"{name}.yaml").is_file() for name in one.results if name != "compare")
        assert one.source
        assert one.margin > 0
        assert not one.claim.endswith(".")
    assert len({(one.source, one.metric, one.arm, one.beside) for one in found}) == len(found)


def test_the_numbers_in_notes_are_those_of_the_kept_tables():
    notes = " ".join(one.note for one in read_claims())
    rows = results.read_results("spatial_depth")
    means = {}
    for arm in {row["arm"] for row in rows}:
        values = results.values_of(rows, "warped.l1", arm=arm)
        means[arm] = sum(values) / len(values)
    assert len(means) == 6
    assert max(means.values()) - min(means.values()) < 0.003
    assert "all six depths lie within .003" in notes
    of = lambda table, metric, arm: results.values_of(results.read_results(table), metric, arm=arm)  # noqa: E731
    failed = of("spatial_ablations", "warped.l1", next(one.beside for one in read_claims() if "failed" in one.note))
    copied = of("spatial_baseline", "l1", "copy_source")
    assert (
        f"(l1 {sum(failed) / len(failed):.3f}) than the copied source ({sum(copied) / len(copied):.3f})".replace(
            "0.", "."
        )
        in notes
    )


def test_committed_table_is_what_the_committed_results_say():
    text = (results.RESULTS / "claims.md").read_text(encoding="utf-8")
    judged = judge_all()
    assert text.endswith(claims_table(judged)), "run python -m posekit_lab.experiments claims"
    assert sum(count(judged).values()) == len(judged)
    assert set(count(judged)) == set(claims.VERDICTS)
    page = (source.ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    assert account.account_page(account.read_printed(), judged) in page, "run python -m posekit_lab.experiments claims"
    page = " ".join((source.ROOT / "docs" / "measurements.md").read_text(encoding="utf-8").split())
    n = {verdict.replace(" ", "_"): number for verdict, number in count(judged).items()}
    assert (
        "of {all} claims {reproduced} are reproduced, {not_reproduced} not reproduced, of {no_difference} there is no "
        "difference, {undecided} are undecided, {not_measured} not measured, and {not_run} not run".format(
            all=len(judged), **n
        )
    ) in page
    first_page = " ".join((source.ROOT / "README.md").read_text(encoding="utf-8").split())
    assert (
        "Of {all} published claims {reproduced} are reproduced at this size, {not_reproduced} not reproduced, "
        "{no_difference} show no difference, {undecided} are undecided, {not_measured} not measured and {not_run} not "
        "run".format(all=len(judged), **n)
    ) in first_page


def test_again_takes_the_kept_tables_of_other_sweeps(folder, capsys):
    """One arm in a sweep that is run again, the other in one that is not."""
    for name, arm in (("duel", "net"), ("more", "none")):
        keep(folder, (0.5, 0.51, 0.52), name=name)
        path = folder / "results" / f"{name}.csv"
        head, *rows = path.read_text().splitlines()
        path.write_text("\n".join([head, *(row for row in rows if f",{arm}," in row)]) + "\n")
    written(folder, [{**ENTRY, "results": ["duel", "more"]}])
    new = folder / "out" / "duel"
    new.mkdir(parents=True)
    rows = [f"r,{seed},net,100,{0.6 + seed / 100},ok," for seed in range(3)]
    (new / "table.csv").write_text("\n".join(["run,seed,arm,steps,ssim,status,error", *rows]) + "\n")
    assert experiments.main(["again", "duel"], folder, folder / "out") == 0
    assert "0 of 1 verdicts changed." in capsys.readouterr().out
