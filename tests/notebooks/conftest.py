"""A small notebook that keeps every rule, for the tests to build, run and break."""

import shutil
from pathlib import Path

import pytest
from posekit_lab import runtimes
from posekit_lab.execute import Measured
from posekit_lab.notebooks import dumps
from posekit_lab.source import code_hash, put_run_time, read

EXAMPLE = Path(__file__).parent / "example" / "src" / "90_example.py"


@pytest.fixture
def folder(tmp_path):
    """A folder of notebooks with the source of one, not built."""
    (tmp_path / "src").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "src")
    return tmp_path


@pytest.fixture
def as_if_built():
    """(folder, name) -> the notebook as a build would leave it, made without running a kernel; and written."""

    def make(folder, name="90_example"):
        notebook = read(folder / "src" / f"{name}.py")
        runtimes.store(
            name, Measured(seconds=3.2, peak_mib=200, warm_up_seconds=0, threads=2), folder / "runtimes.json"
        )
        notebook.metadata["posekit"] = {**notebook.metadata["posekit"], "executed": code_hash(notebook)}
        for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
            cell.execution_count = count
        put_run_time(notebook, runtimes.time_in_words(runtimes.load_runtimes(folder / "runtimes.json")[name]))
        (folder / f"{name}.ipynb").write_text(dumps(notebook))
        return notebook

    return make
