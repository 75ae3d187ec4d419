"""Building a notebook: executed, measured, clean, and the same again when nothing changed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from posekit_lab import runtimes
from posekit_lab.execute import PEAK_MEMORY, CellFailed, execute, run_warm_up
from posekit_lab.notebooks import build_notebook, dumps, load_notebook, main, notebook_problems
from posekit_lab.source import read
from posekit_lab.tidy import WIDGET

from posekit.util.errors import InputError

NAME = "90_example"
HERE = Path(__file__).parent
SANITIZE = HERE / "nbval_sanitize.cfg"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The example, built once with a kernel."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(HERE / "example" / "src", folder / "src")
    build_notebook(NAME, folder)
    return folder


def test_built_notebook_keeps_every_rule(built):
    assert notebook_problems(NAME, built) == []


def test_time_and_memory_are_measured(built):
    entry = runtimes.load_runtimes(built / "runtimes.json")[NAME]
    assert 0 < entry["seconds"] < 60
    assert 50 < entry["peak_mib"] < 2000
    text = load_notebook(built / f"{NAME}.ipynb").cells[0].source
    assert runtimes.time_in_words(entry) in text
    assert "{{" not in text


def test_what_the_starting_process_used_is_not_the_kernels(tmp_path):
    """A process that holds 400 MB starts a small one, whose peak is small: ru_maxrss would say 400 MB."""
    (tmp_path / "small.py").write_text(PEAK_MEMORY)
    (tmp_path / "large.py").write_text(
        "import subprocess, sys\nheld = b'x' * 400_000_000\n"
        f"print(subprocess.check_output([sys.executable, {str(tmp_path / 'small.py')!r}]).decode())\n"
    )
    done = subprocess.run([sys.executable, str(tmp_path / "large.py")], capture_output=True, text=True, check=True)
    assert 1e6 < int(done.stdout) < 2e8


def test_live_figure_stays_as_a_picture(built):
    notebook = load_notebook(built / f"{NAME}.ipynb")
    (output,) = next(c for c in notebook.cells if "explore" in c.metadata.get("tags", [])).outputs
    assert "image/png" in output.data
    assert WIDGET not in output.data
    assert "widgets" not in notebook.metadata


def test_a_web_page_has_words_for_every_picture(built):
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(template_name="classic").from_filename(str(built / f"{NAME}.ipynb"))
    images = re.findall(r"<img[^>]*>", page)
    assert len(images) == 2
    assert [re.search(r'alt="([^"]*)"', image)[1][:8] for image in images] == ["Two bars", "Two stra"]


def test_words_are_brought_up_to_date_without_a_run(built, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    source = folder / "src" / f"{NAME}.py"
    source.write_text(source.read_text().replace("Two bars: the shares", "Two bars, one for each share"))
    assert any("other metadata than its source" in sentence for sentence in notebook_problems(NAME, folder))
    build_notebook(NAME, folder, run=False)
    assert notebook_problems(NAME, folder) == []


def test_nothing_of_this_machine_is_stored(built):
    text = (built / f"{NAME}.ipynb").read_text()
    notebook = load_notebook(built / f"{NAME}.ipynb")
    assert str(built) not in text
    assert sys.prefix not in text
    assert set(notebook.metadata) == {"kernelspec", "language_info", "posekit"}
    assert notebook.metadata.language_info == {"name": "python"}
    assert all(set(cell.metadata) <= {"tags", "nbgrader", "alt"} for cell in notebook.cells)


def test_converting_again_changes_no_byte(built, tmp_path):
    shutil.copytree(built, tmp_path / "copy")
    before = (built / f"{NAME}.ipynb").read_text()
    build_notebook(NAME, tmp_path / "copy", run=False)
    assert (tmp_path / "copy" / f"{NAME}.ipynb").read_text() == before


def test_one_changed_cell_changes_one_id_and_keeps_other_outputs(built, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    source = folder / "src" / f"{NAME}.py"
    source.write_text(source.read_text().replace('print("equal")', 'print("same")'))
    before, build_, after = load_notebook(folder / f"{NAME}.ipynb"), build_notebook(NAME, folder, run=False), None
    after = load_notebook(build_)
    changed = [n for n, (a, b) in enumerate(zip(before.cells, after.cells, strict=True)) if a.id != b.id]
    assert len(changed) == 1
    assert after.cells[changed[0]].outputs == []
    pictures = [sum("image/png" in str(c.get("outputs", "")) for c in n.cells) for n in (before, after)]
    assert pictures[0] == pictures[1] == 2
    assert any("outputs come from older code" in sentence for sentence in notebook_problems(NAME, folder))


def test_exercises_carry_nbgrader_metadata(built):
    cells = [c.metadata.nbgrader for c in load_notebook(built / f"{NAME}.ipynb").cells if "nbgrader" in c.metadata]
    assert [(c.solution, c.grade, c.locked, c.schema_version) for c in cells] == [
        (True, False, False, 3),
        (False, True, True, 3),
    ]
    assert cells[1].points == 1
    assert len({c.grade_id for c in cells}) == 2
    assert all(re.fullmatch(r"[\w-]+", c.grade_id) for c in cells)


def test_gate_fails_exactly_at_the_broken_cells(built, tmp_path):
    """nbval, called as `make test` calls it, runs every cell, and fails at the two that are broken here alone.

    A figure fails at one end of its slider, which the moving cell must show; a checked text output differs.
    """
    notebook = load_notebook(built / f"{NAME}.ipynb")
    number = {}
    for n, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        number |= dict.fromkeys(cell.metadata.get("tags", []), n)
        cell.source = cell.source.replace("figure, axes =", "assert t < 1, 'broken at the end'\n    figure, axes =")
        cell.source = cell.source.replace('print("equal")', 'print("equal?")')
    (tmp_path / "broken.ipynb").write_text(dumps(notebook))
    gate = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=60", f"--nbval-sanitize-with={SANITIZE}"]
    options = ["-p", "no:cacheprovider", "-p", "no:xdist", "-rA", "--rootdir", str(tmp_path), str(tmp_path)]
    command = [sys.executable, "-m", "pytest", *gate, *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    failed = re.findall(r"^FAILED \S+::Cell (\d+)", done.stdout, re.MULTILINE)
    assert sorted(map(int, failed)) == sorted([number["equal"], number["move"]]), done.stdout
    assert "broken at the end" in done.stdout
    assert f"2 failed, {n - 1} passed" in done.stdout


def test_failing_cell_is_named_and_the_old_notebook_stays(built, tmp_path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    before = (folder / f"{NAME}.ipynb").read_text()
    source = folder / "src" / f"{NAME}.py"
    source.write_text(source.read_text().replace('print("equal")', 'raise OSError("no such thing")'))
    assert main(["build", "90"], folder) == 1
    assert "code cell 5 raised OSError: no such thing" in capsys.readouterr().err
    assert (folder / f"{NAME}.ipynb").read_text() == before


def test_cell_that_takes_too_long_is_stopped(folder):
    source = folder / "src" / "91_slow.py"
    source.write_text("# %%\nimport time\ntime.sleep(60)\n")
    with pytest.raises(CellFailed, match="longer than 2 s"):
        execute(read(source), folder, timeout=2)


def test_warm_up_runs_before_and_is_bounded(tmp_path, monkeypatch):
    (tmp_path / "warm.py").write_text(
        "import pathlib, time\n"
        f"def fill(): pathlib.Path({str(tmp_path / 'filled')!r}).touch()\n"
        "def hang(): time.sleep(60)\n"
        "def fail(): raise ValueError('no data')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert run_warm_up("warm:fill") > 0
    assert (tmp_path / "filled").exists()
    with pytest.raises(InputError, match="took longer than 1 s"):
        run_warm_up("warm:hang", limit=1)
    with pytest.raises(InputError, match="ValueError: no data"):
        run_warm_up("warm:fail")


def test_check_command(built, tmp_path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    assert main(["build", "--check"], folder) == 0
    (folder / "runtimes.json").unlink()
    assert main(["build", "--check", NAME], folder) == 1
    assert "90_example: Cell 1 differs from the source" in capsys.readouterr().out
    assert main(["build", "77"], folder) == 1
    assert "There is no notebook '77'; there are: 90_example" in capsys.readouterr().err


def test_table_of_notebooks(built, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{runtimes.BEGIN}\nold\n{runtimes.END}\nafter\n")
    assert main(["table", str(readme)], built) == 0
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| [90_example](notebooks/90_example.ipynb) | How does a point between two pixels" in text
    assert main(["table", str(readme)], built) == 0
    assert readme.read_text() == text
    readme.write_text("no markers")
    assert main(["table", str(readme)], built) == 1


@pytest.mark.parametrize(
    ("seconds", "mib", "warm", "words"),
    [
        (3.2, 200, 0, "3 s on 2 cores, 210 MB of memory"),
        (100, 1500, 1, "1.7 min on 2 cores, 1.6 GB of memory"),
        (30, 500, 40, "30 s on 2 cores, 520 MB of memory (and once, before the first run, 40 s to prepare its data)"),
    ],
)
def test_measurements_in_words(seconds, mib, warm, words):
    assert runtimes.time_in_words({"seconds": seconds, "peak_mib": mib, "warm_up_seconds": warm, "threads": 2}) == words
