"""Sweeps: every combination is run and tabled, finished runs are kept, failures are listed, mistakes refused."""

import csv
import importlib.metadata
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from posekit_lab.notebooks import dumps, load_notebook
from posekit_lab.source import ROOT

from posekit.cli.sweep import sweep_command
from posekit.sweeps import experiment
from posekit.sweeps.code_version import code_version
from posekit.sweeps.experiment import Experiment
from posekit.sweeps.one_run import run_one
from posekit.sweeps.parameters import Parameter, check_parameters, known_parameters
from posekit.sweeps.summary import over_seeds, summary_lines
from posekit.sweeps.sweep import _version, checked_sweep, checked_sweeps, sweep
from posekit.sweeps.table import SweepRun, finished
from posekit.util.errors import InputError

_entry_points = importlib.metadata.entry_points

PARAMETERS = """
mode: str = "fine"  # what to do
power: float = 1  # -3..3: of the result
sizes: list[int] = [1, 2]  # 1..8: of nothing
seed: int = 0  # of nothing
"""
WORK = """
import time
if mode == "sleep":
    time.sleep(600)
if mode == "raise":
    raise ValueError("no\\ngood")
if mode == "die":
    import os
    os._exit(1)
"""
RECORD = "from posekit.sweeps.recorded import record\nrecord(result=(seed + 2) ** power, odd=seed % 2 == 1)"


@pytest.fixture
def notebook(tmp_path):
    """A notebook that does what its parameters say."""
    cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell(WORK), new_code_cell(RECORD)]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    path = tmp_path / "modes.ipynb"
    path.write_text(dumps(new_notebook(cells=cells, metadata={"kernelspec": kernel})))
    return path


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_runs_are_tabled_resumed_and_failures_listed(notebook, tmp_path):
    out = tmp_path / "out"
    first = Experiment((notebook,), {"mode": ["fine", "raise"]}, seeds=(3,), timeout=120, jobs=2)
    with pytest.raises(InputError) as failed:
        checked_sweep(first, out, say=lambda _: None)
    assert "1 of 2 runs failed" in str(failed.value)
    assert f"{out}/modes/run-001.ipynb (failed; mode=raise, seed=3): ValueError: no good" in str(failed.value)

    rows = table(out / "modes" / "table.csv")
    assert list(rows[0]) == ["run", "mode", "seed", "status", "seconds", "result", "odd", "library", "error"]
    assert [(row["status"], row["result"], row["odd"]) for row in rows] == [("ok", "5", "True"), ("failed", "", "")]
    assert "ValueError" in (out / "modes" / "run-001.ipynb").read_text()
    files = [".lock", "run-000.ipynb", "run-001.ipynb", "summary.csv", "table.csv"]
    assert sorted(p.name for p in (out / "modes").iterdir()) == files

    # The finished run is kept, byte for byte; only the one that hangs is run, and stopped.
    kept = (out / "modes" / "run-000.ipynb").read_bytes()
    said = []
    second = Experiment((notebook,), {"mode": ["fine", "sleep"]}, seeds=(3,), timeout=5)
    rows = sweep(second, out, say=said.append)[out / "modes" / "table.csv"]
    assert said[0].startswith("modes: 1 runs, 1 already done")
    assert [(row.run, row.status) for row in rows] == [("run-000.ipynb", "ok"), ("run-002.ipynb", "timeout")]
    assert 5 <= rows[1].seconds < 300
    # A table holds what is asked for now: a failed run, or one of other values, would stay in it for ever.
    (row,) = sweep(Experiment((notebook,), {"mode": ["fine"]}, seeds=(3,)), out)[out / "modes" / "table.csv"]
    assert (row.run, row.status) == ("run-000.ipynb", "ok")
    assert len(table(out / "modes" / "table.csv")) == 1
    assert (out / "modes" / "run-000.ipynb").read_bytes() == kept

    # Of a library that has changed since, runs are kept and named.
    assert {row.library for row in rows} == {code_version()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("posekit.sweeps.sweep.code_version", lambda: "changed")
        sweep(Experiment((notebook,), {"mode": ["fine"]}, seeds=(3,)), out, say=said.append)
    assert "of other code: run-000.ipynb" in "\n".join(said)

    # Runs of other code are not runs of this notebook.
    assert len(finished(out / "modes", _version(notebook))) == 3
    notebook.write_text(notebook.read_text().replace("time.sleep(600)", "time.sleep(60)"))
    assert finished(out / "modes", _version(notebook)) == []


def test_dead_kernel_is_a_failed_run(notebook, tmp_path):
    row = run_one(str(notebook), str(tmp_path / "run-000.ipynb"), {"mode": "die"}, "v", 120)
    assert (row.status, row.error) == ("failed", "the kernel died (memory?)")
    assert load_notebook(tmp_path / "run-000.ipynb").metadata.posekit_sweep.status == "failed"


def test_unknown_parameters_are_refused_before_running(notebook, tmp_path):
    for parameters, words in (
        ({"pwoer": [1]}, "modes.ipynb has no parameter 'pwoer'; it has mode, power, sizes, seed"),
        ({"mode": [1]}, "mode of modes.ipynb is of kind str, got 1"),
        ({"seed": [True]}, "seed of modes.ipynb is of kind int, got True"),
        ({"power": ["1"]}, "power of modes.ipynb is of kind float, got '1'"),
        ({"power": [1, 3.5]}, "power of modes.ipynb is a number from -3 to 3, got 3.5"),
        ({"sizes": [4]}, r"sizes of modes.ipynb is a list: sizes=\[4\] on the command line, sizes: \[\[4\]\] in an"),
        ({"sizes": [[4, 9]]}, "sizes of modes.ipynb is a number from 1 to 8, got 9"),
        ({"sizes": [[4, "a"]]}, "sizes of modes.ipynb is of kind int, got 'a'"),
        ({"power": [[1, 2]]}, r"power of modes.ipynb is one value of kind float, got the list \[1, 2\]"),
    ):
        with pytest.raises(InputError, match=words):
            sweep(Experiment((notebook,), parameters), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    check_parameters(notebook, {"power": [1, 2.5], "mode": ["fine"], "sizes": [[1, 8], [3]]})


def test_ranges_in_comments(notebook):
    for comment, ends in (("1..8: x", (1, 8)), ("0.5..", (0.5, math.inf)), ("of 1..8", None), ("1...8", None)):
        notebook.write_text(notebook.read_text().replace("1..8: of nothing", comment))
        low, high = ends or (-math.inf, math.inf)
        assert known_parameters(notebook)["sizes"] == Parameter("int", True, low, high), comment
        notebook.write_text(notebook.read_text().replace(comment, "1..8: of nothing"))


def test_list_parameters_equal_runs_and_the_mean_over_seeds(notebook, tmp_path):
    said = []
    file = tmp_path / "lists.yaml"
    file.write_text("notebook: modes.ipynb\nparameters: {sizes: [[1, 8]], power: [0.5, 0.50]}\nseeds: [0, 7, 0]\n")
    rows = sweep(experiment.load_experiment(file), tmp_path / "out", say=said.append)[
        tmp_path / "out" / "modes" / "table.csv"
    ]
    assert [row.parameters for row in rows] == [{"sizes": [1, 8], "power": 0.5, "seed": seed} for seed in (0, 7)]
    assert load_notebook(tmp_path / "out" / "modes" / "run-000.ipynb").cells[1].source.count("sizes = [1, 8]") == 1
    assert "4 of the runs asked for equal another and are left out" in said[1]
    # sqrt(2) and 3: mean 2.207; Student's t for one degree of freedom, 12.706, times the standard error .7929
    assert said[-3:] == [
        "mean and 95% interval over seeds:",
        "  sizes=[1, 8], power=0.5",
        "    result  2.207  [-7.868, 12.28]  2 seeds",
    ]
    (line,) = table(tmp_path / "out" / "modes" / "summary.csv")
    assert line == {"sizes": "[1, 8]", "power": "0.5", "name": "result", "n": "2"} | {
        "mean": "2.20711",
        "low": "-7.86756",
        "high": "12.2818",
    }
    assert [row["result"] for row in table(tmp_path / "out" / "modes" / "table.csv")] == ["1.41421", "3.0"]


def test_cases_are_values_that_belong_together(notebook, tmp_path):
    file = tmp_path / "cases.yaml"
    file.write_text(
        "notebook: modes.ipynb\nparameters: {power: [1, 3]}\nseeds: [0]\n"
        "cases: [{sizes: [2], mode: fine}, {mode: other}, {mode: fine, sizes: [2]}]\n"
    )
    read = experiment.load_experiment(file)
    assert read.combinations() == [
        {**case, "power": power, "seed": 0}
        for case in ({"sizes": [2], "mode": "fine"}, {"mode": "other"})
        for power in (1, 3)
    ]
    assert read.repeats() == 2
    assert read.values() == {"sizes": [[2], [2]], "mode": ["fine", "other", "fine"], "power": [1, 3]}
    (rows,) = sweep(read, tmp_path / "out", say=lambda _: None).values()
    assert {(row.parameters["mode"], row.parameters.get("sizes") is None, row.status) for row in rows} == {
        ("fine", False, "ok"), ("other", True, "ok")
    }  # fmt: skip


def test_every_notebook_says_the_range_of_every_number():
    for path in sorted(Path("notebooks").glob("*.ipynb")) + sorted(Path("experiments").glob("*.ipynb")):
        for name, parameter in known_parameters(path).items():
            assert parameter.kind, f"{path.name}: the kind of {name} is not known."
            if parameter.kind in ("int", "float"):
                assert parameter.low > -math.inf, f"{path.name}: the comment of {name} does not begin with its range."


def test_a_long_summary_is_cut():
    rows = [SweepRun(f"run-{n}", {"n": n}, "ok", 1.0, {"a": 1.0, "b": 2, "c": "text"}) for n in range(20)]
    lines = summary_lines(over_seeds(rows))
    assert lines[:4] == ["  n=0", "    a  1", "    b  2", "  n=1"]
    assert (len(lines), lines[-1]) == (41, "  ... and 20 lines more in summary.csv")


def test_notebook_that_cannot_be_read_is_refused(tmp_path):
    path = tmp_path / "x.ipynb"
    for text in ("{}", '{"cells": 5, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'):
        path.write_text(text)
        with pytest.raises(InputError, match="cannot be run"):
            sweep(Experiment((path,), {"a": [1]}), tmp_path / "out")


def test_experiment_file(notebook, tmp_path):
    file = tmp_path / "experiment.yaml"
    file.write_text(
        "name: powers\nnotebook: modes.ipynb\nparameters: {power: [1, 2.5], mode: fine}\n"
        "seeds: [0, 1]\ntimeout: 30\nbackend: threading\njobs: 2\n"
    )
    read = experiment.load_experiment(file)
    assert read == Experiment((notebook,), {"power": [1, 2.5], "mode": ["fine"]}, (0, 1), "powers", 30, "threading", 2)
    assert read.combinations() == [
        {"power": power, "mode": "fine", "seed": seed} for power in (1, 2.5) for seed in (0, 1)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("notebook: nowhere.ipynb", "There is no notebook"),
        ("notebook: modes.ipynb\nseed: [1]", "unknown entry 'seed'; known are address, backend"),
        ("parameters: {a: 1}", "there is no `notebook`"),
        ("notebook: modes.ipynb\nseeds: 3", "seeds has the wrong kind of value, 3"),
        ("notebook: modes.ipynb\nseeds: [a]", "seeds are whole numbers"),
        ("notebook: modes.ipynb\ntimeout: -1", "timeout and jobs are positive"),
        ("notebook: modes.ipynb\nparameters: {a: []}", "The values of a are a list"),
        (
            "notebook: modes.ipynb\nparameters: {a: [2020-01-01]}",
            "A value of a is a number, a truth value, text .in quotes. or a list",
        ),
        (
            "notebook: modes.ipynb\nparameters: {a: [{b: 1}]}",
            "A value of a is a number, a truth value, text .in quotes. or a list",
        ),
        ("notebook: modes.ipynb\ncases: 3", "cases has the wrong kind of value, 3"),
        ("notebook: modes.ipynb\ncases: [3]", "A case is a mapping of parameters to values"),
        ("notebook: modes.ipynb\ncases: [{}]", "A case is a mapping of parameters to values"),
        ("notebook: modes.ipynb\ncases: [{power: {b: 1}}]", "A value of power is a number"),
        ("notebook: modes.ipynb\ncases: [{power: 1}]\nparameters: {power: 2}", "Give power either in the cases or as"),
        ("notebook: modes.ipynb\nbackend: lokky", "got 'lokky'"),
        ("notebook: modes.ipynb\nparameters: {seed: 1}\nseeds: [1]", "not both"),
        ("- a\n- b", "got list"),
        ("a: [", "is not valid YAML"),
    ],
)
def test_broken_experiment_files(text, words, notebook, tmp_path):
    file = tmp_path / "experiment.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=words) as failed:
        experiment.load_experiment(file)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("atlas=32,64", ("atlas", [32, 64])),
        ("rate=1e-3", ("rate", [1e-3])),
        ("mode=nearest", ("mode", ["nearest"])),
        ("skip=true,false", ("skip", [True, False])),
        ("overrides='{a: 1, b: 2}','{}'", ("overrides", ["{a: 1, b: 2}", "{}"])),
    ],
)
def test_values_on_the_command_line(text, parsed):
    assert experiment.parse_values(text) == parsed


def test_words_of_the_command_line(notebook, tmp_path):
    asked = experiment.from_command_line([notebook], ["power=1,2", "mode=fine"], "0,1", jobs=2, name=None)
    assert asked == Experiment((notebook,), {"power": [1, 2], "mode": ["fine"]}, (0, 1), jobs=2)
    file = tmp_path / "experiment.yaml"
    file.write_text("notebook: modes.ipynb\nparameters: {power: [1]}\njobs: 4\n")
    assert experiment.from_command_line([file], [], "", timeout=9, jobs=None) == Experiment(
        (notebook,), {"power": [1]}, timeout=9, jobs=4
    )
    with pytest.raises(InputError, match="An experiment file holds its parameters"):
        experiment.from_command_line([file], ["power=2"], "")
    assert experiment.from_command_line([file], [], "3,4").seeds == (3, 4)  # a file's experiment with other seeds
    with pytest.raises(InputError, match="seeds are whole numbers"):
        experiment.from_command_line([file], [], "3,x")
    with pytest.raises(InputError, match="notebooks or experiment files, not both"):
        experiment.from_command_line([notebook, file], [], "")
    with pytest.raises(InputError, match="seeds are whole numbers"):
        experiment.from_command_line([notebook], [], "0,a")


def test_several_files_one_after_the_other(notebook, tmp_path, capsys):
    """One that fails does not stop the others; one that cannot be run at all stops all before they begin."""
    for name, modes in (("bad", "[raise]"), ("good", "[fine]")):
        text = f"name: {name}\nnotebook: modes.ipynb\nparameters: {{mode: {modes}}}\nseeds: [0]\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    files = [tmp_path / "bad.yaml", tmp_path / "good.yaml"]
    wrong = Experiment((notebook,), {"mode": [7]})
    with pytest.raises(InputError, match="mode"):
        checked_sweeps([wrong, *(experiment.load_experiment(f) for f in files)], tmp_path / "out", say=lambda _: None)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="(?s)1 of 2 experiments failed.*ValueError: no good"):
        sweep_command(files, seeds="", out=tmp_path / "out")
    assert [row["status"] for row in table(tmp_path / "out" / "good" / "table.csv")] == ["ok"]
    capsys.readouterr()
    sweep_command([files[1]], seeds="0,1", out=tmp_path / "out")
    assert "1 runs, 1 already done" in capsys.readouterr().out


def test_a_folder_is_all_of_its_experiments(notebook, tmp_path, capsys):
    """Other YAML files may lie there; those that look like an experiment and are none are still refused."""
    (tmp_path / "one.yaml").write_text("name: one\nnotebook: modes.ipynb\nparameters: {mode: [fine]}\nseeds: [0]\n")
    (tmp_path / "claims.yaml").write_text("claims: []\n")
    sweep_command([tmp_path], seeds="", out=tmp_path / "out")
    assert [row["status"] for row in table(tmp_path / "out" / "one" / "table.csv")] == ["ok"]
    assert "1 runs, 0 already done" in capsys.readouterr().out
    (tmp_path / "two.yaml").write_text("notebook: nowhere.ipynb\n")
    with pytest.raises(InputError, match="nowhere.ipynb"):
        sweep_command([tmp_path], seeds="", out=tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no experiment file"):
        sweep_command([tmp_path / "empty"], seeds="", out=tmp_path / "out")


def test_the_folder_of_the_project_holds_every_experiment_of_its_page():
    named = {path.name for path in experiment.experiments_in(ROOT / "experiments")}
    page = (
        (ROOT / "experiments" / "README.md").read_text(encoding="utf-8").partition("| file |")[2].partition("\n\n")[0]
    )
    assert set(re.findall(r"`(\w+\.yaml)`", page)) == named


@pytest.mark.parametrize("text", ["atlas", "=3", "a b=3", "atlas="])
def test_broken_values_on_the_command_line(text):
    with pytest.raises(InputError, match="name=value"):
        experiment.parse_values(text)


@pytest.mark.parametrize("text", ["mode=[1", "mode={a: 1", "mode=a]"])
def test_values_that_yaml_cannot_read(text):
    with pytest.raises(InputError, match="values of mode cannot be read") as failed:
        experiment.parse_values(text)
    assert "\n" not in str(failed.value)


def test_a_backend_that_is_not_installed(notebook, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match="pip install ray"):
        sweep(Experiment((notebook,), backend="ray"), tmp_path, say=lambda _: None)


def test_the_driver_of_a_sweep_does_not_load_torch():
    """It would take seconds and hundreds of megabytes in every process that drives runs."""
    code = "import sys, posekit.sweeps.sweep; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_run_says_which_code_it_used(notebook, tmp_path, monkeypatch):
    """The library may be changed while a sweep is going on."""
    for name in ("before", "after"):
        monkeypatch.setattr("posekit.sweeps.one_run.code_version", lambda name=name: name)
        assert run_one(str(notebook), str(tmp_path / f"run-{name}.ipynb"), {}, "v", 120).library == name


def test_the_version_changes_with_every_package_that_announces_itself(tmp_path, monkeypatch):
    """The course's probes make a run's numbers as the library does."""
    package = tmp_path / "announced_for_a_test"
    package.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    versions = {code_version()}
    entry = importlib.metadata.EntryPoint("mine", package.name, "posekit.code")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry])
    for text in ("", "a = 1", "a = 2"):
        (package / "__init__.py").write_text(text)
        versions.add(code_version())
    assert len(versions) == 4
    assert {entry.value for entry in _entry_points(group="posekit.code")} >= {"posekit_course", "posekit_lab"}


def test_cluster_by_name(notebook, tmp_path):
    pytest.importorskip("distributed", reason="the package distributed (Dask) is not installed")
    rows = sweep(Experiment((notebook,), seeds=(1, 2), jobs=2, backend="dask"), tmp_path, say=lambda _: None)
    assert [row.values["result"] for row in rows[tmp_path / "modes" / "table.csv"]] == [3, 4]


@pytest.mark.parametrize("name", ["../../x", "..", ".", "", "a/b", "a\\b"])
def test_a_name_is_one_folder(notebook, name):
    with pytest.raises(InputError, match="is the name of one folder"):
        Experiment((notebook,), name=name)


def test_experiment_files_that_want_too_much(notebook, tmp_path):
    path = tmp_path / "x.yaml"
    for text, words in (
        (f"notebook: {notebook}\naddress: tcp://elsewhere:8786\n", "on the command line alone"),
        (f"notebook: {notebook}\nparameters: {{a: &a [1, 2], b: *a}}\n", "uses aliases"),
        ("# " + 10**5 * "x", "a page of text"),
        ("a: " + "[" * 10**4, "not valid YAML"),
        (f"notebook: {notebook}\nseeds: [{'9' * 5000}]\n", "not valid YAML"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=words) as error:
            experiment.load_experiment(path)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 600
    with pytest.raises(InputError, match="no experiment file"):
        experiment.load_experiment(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{", '{"cells": []}', "[]", '{"nbformat": 4, "metadata": {"posekit_sweep": 3}}']
)
def test_a_cut_notebook_does_not_block_the_sweep(notebook, tmp_path, content, caplog):
    (tmp_path / "modes").mkdir()
    (tmp_path / "modes" / "run-000.ipynb").write_text(content)
    assert finished(tmp_path / "modes", _version(notebook)) == []
    tables = (
        sweep(Experiment((notebook,), seeds=(1,), timeout=120), tmp_path, say=lambda _: None) if not content else {}
    )
    for rows in tables.values():
        assert [(row.run, row.status) for row in rows] == [("run-001.ipynb", "ok")]
        assert "not a whole notebook" in caplog.text
