"""What a reader does: open a notebook in JupyterLab, run it, move a slider by the keyboard, see the picture change."""

import json
from pathlib import Path

import pytest
from posekit_lab import notebooks, source, student

PICTURE = ".jp-OutputArea .jupyter-widgets img"
HANDLE = ".jp-OutputArea .noUi-handle"
# The live figure after a move: "" as long as nothing happened, "changed", or the error that it shows in place.
AFTER_THE_MOVE = """([selector, before]) => {
  const figure = document.querySelector(selector);
  const panel = figure && figure.closest('.widget-vbox');  // forms beside it have words of their own
  const message = panel && panel.querySelector('.widget-html-content');
  if (message && message.textContent.trim()) return message.textContent.trim();
  return figure && figure.complete && figure.src !== before ? 'changed' : '';
}"""


def real_notebooks() -> list[Path]:
    """The notebooks of the course whose header says `browser: true`."""
    found = []
    for name in source.names():
        path = source.FOLDER / f"{name}.ipynb"
        if path.is_file() and json.loads(path.read_text())["metadata"].get("posekit", {}).get("browser"):
            found.append(path)
    return found


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """A small notebook with a live figure, converted from its source, with nothing run."""
    folder = tmp_path_factory.mktemp("example")
    (folder / "src").mkdir()
    origin = Path(__file__).parents[1] / "notebooks" / "example" / "src" / "90_example.py"
    (folder / "src" / origin.name).write_text(origin.read_text())
    return notebooks.build_notebook(origin.stem, folder, run=False)


@pytest.fixture
def run_and_move(opened):
    """(name) -> the console's errors: open, run all cells, move the first slider by three steps of the keyboard."""

    def run(name: str) -> list[str]:
        page, messages = opened(name)
        picture, handle = page.locator(PICTURE).first, page.locator(HANDLE).first
        picture.wait_for()
        handle.scroll_into_view_if_needed()
        shown, value = picture.get_attribute("src"), handle.get_attribute("aria-valuetext")
        at_its_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
        handle.focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft" if at_its_end else "ArrowRight")
        seen = page.wait_for_function(AFTER_THE_MOVE, arg=[PICTURE, shown]).json_value()
        assert seen == "changed"
        assert handle.get_attribute("aria-valuetext") != value
        return messages

    return run


def test_slider_of_a_small_notebook(run_and_move, put, example):
    assert run_and_move(put(example)) == []


def test_broken_notebook_is_noticed(run_and_move, lab, example):
    """The test itself can fail: a figure that breaks when a reader moves it shows its error to the reader."""
    _, folder, _ = lab
    notebook = notebooks.load_notebook(example)
    for cell in notebook.cells:
        if "explore" in cell.metadata.get("tags", []):
            cell.source = cell.source.replace("figure, axes =", "assert t < 0.3, 'broken'\n    figure, axes =")
    notebook.cells = [cell for cell in notebook.cells if "move" not in cell.metadata.get("tags", [])]
    (folder / "broken.ipynb").write_text(notebooks.dumps(notebook))
    with pytest.raises(AssertionError, match="AssertionError: broken"):
        run_and_move("broken.ipynb")


@pytest.mark.timeout(2 * source.MOST_SECONDS)  # all its cells, beside whatever else the machine does
@pytest.mark.parametrize("path", real_notebooks(), ids=lambda path: path.stem)
def test_slider_of_a_real_notebook(path, run_and_move, put, tmp_path):
    """With the header's quick parameters: what a long training brings is nbval's to see."""
    notebook = notebooks.load_notebook(path)
    quick = source.Header.of(source.read(source.FOLDER / "src" / f"{path.stem}.py"), path.stem).quick
    student.set_parameters(notebook, quick, path.stem)
    (tmp_path / path.name).write_text(notebooks.dumps(notebook))
    assert run_and_move(put(tmp_path / path.name)) == []
