"""Kept results of sweeps: tables taken, summed up, drawn; notebooks of the experiments equal to their sources."""

import shutil

import matplotlib.image
import numpy as np
import pytest
import yaml
from posekit_lab import experiments, results
from posekit_lab.pictures import CYCLE

from posekit.sweeps.experiment import load_experiment
from posekit.sweeps.parameters import check_parameters
from posekit.util.errors import InputError

HEAD = "run,steps,seed,status,seconds,arm,sharp,l1,error\n"
LINES = [
    f"run-{i:03d}.ipynb,{steps},{seed},ok,9.5,{arm},{sharp + 0.01 * seed},{l1},\n"
    for i, (arm, steps, seed, sharp, l1) in enumerate(
        [
            *(('"net, variant=a"', steps, seed, steps / 1000, 0.2) for steps in (100, 400) for seed in (0, 1, 2)),
            *(("net", steps, seed, steps / 2000, "nan") for steps in (400, 100) for seed in (2, 1, 0)),
        ]
    )
]
BASELINE = "run,seed,status,seconds,arm,sharp,l1,error\nrun-000.ipynb,0,ok,1.0,none,0.5,0.3,\n"
ENTRY = {
    "title": "A duel",
    "tables": ["duel", "base"],
    "along": "steps",
    "arms": {"net, variant=a": "first", "net": "second", "none": "nothing learnt"},
    "metrics": {"sharp": "sharpness", "l1": "l1"},
}


@pytest.fixture
def folder(tmp_path):
    """A folder of experiments with two sweeps done and one entry of a figure."""
    for name, text in (("duel", HEAD + "".join(LINES)), ("base", BASELINE)):
        (tmp_path / "out" / name).mkdir(parents=True)
        (tmp_path / "out" / name / "table.csv").write_text(text)
    (tmp_path / "figures.yaml").write_text(yaml.safe_dump({"duel": ENTRY}, sort_keys=False))
    return tmp_path


@pytest.fixture
def kept(folder):
    for name in ("duel", "base"):
        assert experiments.main(["keep", name], folder, folder / "out") == 0
    return folder


def test_kept_tables_hold_parameters_and_numbers(kept):
    head = (kept / "results" / "duel.csv").read_text().splitlines()[0]
    assert head == "steps,seed,seconds,arm,sharp,l1"
    rows = results.read_results("duel", "base", folder=kept / "results")
    assert len(rows) == 13
    assert rows[0] == {"steps": 100, "seed": 0, "seconds": 9.5, "arm": "net, variant=a", "sharp": 0.1, "l1": 0.2}
    assert "steps" not in rows[-1]
    assert results.values_of(rows, "sharp", arm="net", steps=400) == pytest.approx(
        [0.2, 0.21, 0.22]
    )  # in order of the seeds
    with pytest.raises(InputError, match="No run with {'arm': 'x'} recorded 'sharp'; the arms are: net; net, variant"):
        results.values_of(rows, "sharp", arm="x")


def test_failed_or_missing_runs_are_not_kept(folder, capsys):
    table = folder / "out" / "duel" / "table.csv"
    table.write_text(table.read_text().replace("2,ok", "2,timeout", 1))
    assert experiments.main(["keep", "duel"], folder, folder / "out") == 1
    assert "1 of 12 runs failed (run-002.ipynb first)" in capsys.readouterr().err
    table.write_text(HEAD)
    assert experiments.main(["keep", "duel"], folder, folder / "out") == 1
    assert "it holds no run" in capsys.readouterr().err
    assert experiments.main(["keep", "other"], folder, folder / "out") == 1
    assert "cannot be read" in capsys.readouterr().err
    assert not (folder / "results").exists()


def test_runs_of_two_versions_of_the_library_are_not_kept_in_one_table(folder, capsys):
    table = folder / "out" / "base" / "table.csv"
    table.write_text("seed,status,arm,l1,library\n0,ok,a,0.1,aaaa\n1,ok,a,0.2,bbbb\n")
    assert experiments.main(["keep", "base"], folder, folder / "out") == 1
    assert "2 versions of posekit's code (aaaa, bbbb)" in capsys.readouterr().err


def test_summary_of_seeds(kept):
    rows = results.read_results("duel", "base", folder=kept / "results")
    found = results.summarise(rows, ["sharp", "l1"], ENTRY["arms"], "steps")
    assert [(s.arm, s.at, s.metric, s.runs) for s in found] == [
        ("first", 100, "sharp", 3), ("first", 100, "l1", 3), ("first", 400, "sharp", 3), ("first", 400, "l1", 3),
        ("second", 100, "sharp", 3), ("second", 400, "sharp", 3),  # l1 was not a number
        ("nothing learnt", None, "sharp", 1), ("nothing learnt", None, "l1", 1),
    ]  # fmt: skip
    assert (found[0].mean, found[0].low, found[0].high) == pytest.approx((0.11, 0.1, 0.12))
    with pytest.raises(InputError, match="have no arm 'x'"):
        results.summarise(rows, ["sharp"], {"x": "x"})


def test_runs_that_were_measured_differently_are_not_summed_up():
    rows = [{"arm": "a", "seed": seed, "l1": 0.1, "protocol": "no padding"} for seed in (0, 1)]
    assert results.summarise(rows, ["l1"], {"a": "A"})[0].runs == 2
    rows += [{"arm": "b", "seed": 0, "l1": 0.1, "protocol": "padded"}]
    assert len(results.summarise(rows, ["l1"], {"a": "A"})) == 1  # the other arm is not shown
    with pytest.raises(InputError, match="measured differently .no padding . padded. and cannot be compared"):
        results.summarise(rows, ["l1"], {"a": "A", "b": "B"})


def test_several_runs_of_one_seed_are_not_a_mean_over_seeds():
    rows = [{"arm": "a", "seed": seed, "steps": steps, "l1": 0.1} for seed in (0, 1) for steps in (300, 600)]
    assert [s.runs for s in results.summarise(rows, ["l1"], {"a": "A"}, "steps")] == [2, 2]
    with pytest.raises(InputError, match="'a' has several runs of one seed"):
        results.summarise(rows, ["l1"], {"a": "A"})


def test_table_and_figure(kept):
    assert experiments.main(["draw", "duel"], kept) == 0
    text = (kept / "results" / "duel.md").read_text()
    assert "|  | steps | sharpness | l1 |" in text
    assert "| first | 100 | 0.110 (0.100 to 0.120) | 0.200 (0.200 to 0.200) |" in text
    assert "| second | 400 | 0.210 (0.200 to 0.220) |  |" in text
    assert "| nothing learnt |  | 0.500 | 0.300 |" in text
    picture = matplotlib.image.imread(kept / "results" / "duel.png")
    assert min(picture.shape[:2]) > 200
    for color in CYCLE[:2]:
        wanted = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        assert (np.abs(picture[..., :3] - wanted).max(-1) < 0.02).sum() > 50


def test_figure_without_an_axis(kept):
    rows = results.read_results("base", folder=kept / "results")
    summaries = results.summarise(rows, ["sharp"], {"none": "nothing learnt"})
    figure = results.draw_summaries(summaries, {"sharp": "sharpness"}, columns=1)
    (line,) = figure.axes[0].containers
    assert line[0].get_ydata().tolist() == [0.5]
    assert "steps" not in results.summary_table(summaries, {"sharp": "sharpness"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"arms": None}, "needs tables, arms and metrics .*'arms'"),
        ({"metric": {}}, "see 'metric'"),
        ({"tables": ["nothing"]}, "nothing.csv cannot be read"),
    ],
)
def test_broken_entries(change, words, kept):
    (kept / "figures.yaml").write_text(yaml.safe_dump({"duel": ENTRY | change}))
    with pytest.raises(InputError, match=words):
        experiments.draw_experiment("duel", kept)
    with pytest.raises(InputError, match="has no entry 'x'; it has: duel"):
        experiments.draw_experiment("x", kept)
    assert not (kept / "results" / "duel.png").exists()


# ------------------------------------------------------------------------------------------ the experiments themselves


def test_notebooks_of_the_experiments_are_what_their_sources_give():
    assert experiments.experiment_problems() == []


def test_drift_is_said_and_mended(tmp_path):
    shutil.copytree(results.EXPERIMENTS / "src", tmp_path / "src")
    named = "train_and_measure.ipynb is not what src/train_and_measure.py gives; build it."
    assert named in experiments.experiment_problems(tmp_path)
    assert experiments.main(["build"], tmp_path) == 0
    assert experiments.experiment_problems(tmp_path) == []
    notebook = tmp_path / "train_and_measure.ipynb"
    notebook.write_text(notebook.read_text().replace("steps: int = 400", "steps: int = 401"))
    (tmp_path / "other.ipynb").write_text("{}")
    assert len(experiments.experiment_problems(tmp_path)) == 2


def test_every_figure_is_described_in_full():
    for name in yaml.safe_load((results.EXPERIMENTS / "figures.yaml").read_text()):
        experiments.figure_of(name)


SWEEPS = [
    path for path in sorted(results.EXPERIMENTS.glob("*.yaml")) if path.stem not in ("figures", "claims", "printed")
]


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_sweeps_ask_for_parameters_that_there_are(path):
    experiment = load_experiment(path)
    assert experiment.name == path.stem
    for notebook in experiment.notebooks:
        check_parameters(
            notebook, experiment.parameters | ({"seed": list(experiment.seeds)} if experiment.seeds else {})
        )


@pytest.mark.parametrize("path", sorted(results.RESULTS.glob("*.csv")), ids=lambda path: path.stem)
def test_kept_results_belong_to_an_experiment(path):
    """A kept table has a row for every combination that its experiment file asks for."""
    experiment = load_experiment(results.EXPERIMENTS / f"{path.stem}.yaml")
    rows = results.read_results(path.stem)
    for wanted in experiment.combinations():
        assert sum(all(row.get(key) == value for key, value in wanted.items()) for row in rows) == 1, wanted


def test_curve_of_the_reference_weights_is_drawn(tmp_path, capsys):
    (tmp_path / "results").mkdir()
    assert experiments.main(["curve"], tmp_path) == 0
    picture = tmp_path / "results" / "training_curve.png"
    assert capsys.readouterr().out.strip() == str(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
