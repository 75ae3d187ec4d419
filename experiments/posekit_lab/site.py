"""The site: pages, executed notebooks and the library's docstrings, as HTML that needs no network.

    python -m posekit_lab.site [-o out/site]        # or: make site

The pages lie in the checkout where their links expect each other, so the site is built from a copy that holds only
them: Markdown, notebooks, pictures, and the files that they link to.  In the copy of a notebook the solutions of
exercises are folded.  A warning of Sphinx stops the build.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat

from posekit.sweeps.recorded import RECORD_TYPE
from posekit.util.errors import InputError

ROOT = Path(__file__).parents[2]
OUT = Path("out/site")
PAGES = (
    "README.md", "CONTRIBUTING.md", "TESTING.md", "docs/*.md", "docs/teaching/*.md", "notebooks/README.md",
    "experiments/README.md", "experiments/results/*.md", "data_scripts/README.md",
)  # fmt: skip
_LEFT_OUT = ("docs/pypi.md",)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"")


def main(arguments: Sequence[str] | None = None) -> Path:
    """Build; returns the folder of the site."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=OUT)
    parser.add_argument("--no-api", action="store_true", help="without the pages of the library's docstrings")
    args = parser.parse_args(arguments)
    build_site(args.out, api=not args.no_api)
    print(args.out / "index.html")
    return args.out


def build_site(out: Path, *, api: bool = True) -> None:
    """Write the site into the folder ``out``.  Raises InputError where Sphinx is missing or warns."""
    try:
        from sphinx.cmd.build import build_main
    except ImportError as error:
        raise InputError("The site needs Sphinx; install it with pip install './notebooks[teaching]'.") from error
    with tempfile.TemporaryDirectory() as place:
        source = Path(place)
        stage(source)
        more = [] if api else ["-t", "no_api"]
        if not api:
            index = source / "index.md"
            index.write_text(index.read_text(encoding="utf-8").replace("api/modules\n", ""), encoding="utf-8")
        if build_main(["-b", "html", "-j", "auto", "-W", "--keep-going", "-q", *more, str(source), str(out)]):
            raise InputError("Sphinx warned; its lines above say where.")


def stage(folder: Path) -> None:
    """Copy into a folder what the site is made of."""
    pages = [path for pattern in PAGES for path in sorted(ROOT.glob(pattern))]
    for page in pages:
        name = page.relative_to(ROOT)
        if name.as_posix() in _LEFT_OUT:
            continue
        _copy(page, folder / name)
        for link in _links(page.read_text(encoding="utf-8")):
            target = (page.parent / link).resolve()
            if target.is_file() and target.suffix not in (".md", ".ipynb") and target.is_relative_to(ROOT):
                _copy(target, folder / target.relative_to(ROOT))
    for notebook in sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "experiments").glob("*.ipynb")]):
        _for_readers(notebook, folder / notebook.relative_to(ROOT))
    for file in (ROOT / "docs" / "site").rglob("*"):
        if file.is_file():
            _copy(file, folder / file.relative_to(ROOT / "docs" / "site"))
    (folder / "posekit").symlink_to(ROOT / "posekit", target_is_directory=True)


def _links(text: str) -> list[str]:
    return [a or b for a, b in _LINK.findall(text) if not (a or b).startswith(("http", "data:"))]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _for_readers(notebook: Path, target: Path) -> None:
    """Solutions folded, and numbers for sweeps as plain text."""
    content = nbformat.read(notebook, as_version=4)
    for cell in content.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(RECORD_TYPE, None)
        if "exercise" in cell.metadata.get("tags", ()):
            cell.metadata["tags"] = [*cell.metadata["tags"], "hide-input"]
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, target)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
