"""The site: built without a warning, every link and picture of every page is there, and nothing is fetched."""

import posixpath
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from posekit_lab import site
from posekit_lab.source import FOLDER, ROOT

pytest.importorskip("sphinx", reason="the package sphinx is not installed")
pytest.importorskip("myst_nb", reason="the package myst-nb is not installed")

from posekit_lab.site_extension import mathml


class Page(HTMLParser):
    """The links and the ids of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.loaded = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        for name in ("src", "srcset") if tag in ("img", "script", "source") else ("href",) if tag == "link" else ():
            if values.get(name):
                self.loaded.append(values[name])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The whole site but for the docstrings, and its pages by their path."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "posekit_lab.site", "-o", str(out), "--no-api"]  # Sphinx warns of its own parts
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out, {
        path.relative_to(out).as_posix(): Page(path.read_text(encoding="utf-8")) for path in out.rglob("*.html")
    }


def test_pages(built):
    _, pages = built
    for notebook in (FOLDER).glob("[0-9]*.ipynb"):
        assert f"notebooks/{notebook.stem}.html" in pages
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT).with_suffix(".html").as_posix()
        if page.name == "pypi.md" or "slides" in page.parts or "site" in page.parts:
            assert name not in pages
        else:
            assert name in pages
    assert {"index.html", "search.html"} <= set(pages)


def test_every_link_leads_somewhere(built):
    out, pages = built
    broken = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
            )
            if not (out / target).exists():
                broken.append(f"{name}: {link}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                broken.append(f"{name}: {link} (no such place)")
    assert broken == []


def test_nothing_is_fetched(built):
    """No script, style or picture from the network: the site works on a laptop in a train."""
    out, pages = built
    for name, page in pages.items():
        for loaded in page.loaded:
            parts = urlsplit(loaded)
            if parts.scheme == "data":
                continue
            assert (parts.scheme, parts.netloc) == ("", ""), f"{name} loads {loaded}"
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
            assert (out / target).exists(), f"{name} loads {loaded}"
    styles = "".join(path.read_text(encoding="utf-8") for path in (out / "_static").rglob("*.css"))
    assert not re.findall(r"url\(['\"]?(?:https?:)?//", styles)


def test_formulas_are_drawn_by_the_browser(built):
    out, _ = built
    page = (out / "notebooks" / "03_color_vs_coordinate_inpainting.html").read_text(encoding="utf-8")
    assert page.count("<math") > 20
    assert "\\frac" not in re.sub(r"<annotation.*?</annotation>", "", page)


@pytest.mark.parametrize("source", sorted((FOLDER / "src").glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_every_formula_is_understood(source):
    """A command that the converter does not know stays in the page as its name."""
    text = re.sub(r"(?m)^# ?", "", source.read_text(encoding="utf-8"))
    markdown = "\n".join(re.findall(r"# %% \[markdown\].*?(?=\n%%|\Z)", text, re.DOTALL)) or text
    for display, inline in re.findall(
        r"\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+(?:\n[^$\n]+)?)\$(?!\$)", markdown, re.DOTALL
    ):
        made = mathml(" ".join((display or inline).split()), "block" if display else "inline")
        assert not re.search(r"<m\w+>\\\w+</m\w+>", made), made


def test_solutions_are_folded(tmp_path):
    site.stage(tmp_path)
    notebook = nbformat.read(tmp_path / "notebooks" / "02_scatter_rasterization.ipynb", as_version=4)
    exercises = [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", ())]
    assert len(exercises) == 3
    assert all("hide-input" in cell.metadata.tags for cell in exercises)
    assert not (tmp_path / "docs" / "pypi.md").exists()


def test_docstrings_say_the_same(tmp_path):
    from posekit_lab.site_extension import _as_written

    table = "image     grid\nb c h w   b 2 h w"
    lines = ["Read ``image`` at `grid`_s places,", "a*b.", "", *table.split("\n"), "", "Then another", "sentence."]
    _as_written(None, "function", "x", None, None, lines)
    assert lines[0] == r"Read \ :code:`image`\  at \ :code:`grid`\ \_s places, a\*b."
    assert lines[2:8] == ["::", "", "    image     grid", "    b c h w   b 2 h w", "", "Then another sentence."]


def test_the_folder_is_made(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(site, "build_site", lambda out, api: made.append((out, api)))
    assert site.main(["-o", str(tmp_path / "s"), "--no-api"]) == tmp_path / "s"
    assert made == [(tmp_path / "s", False)]
    assert capsys.readouterr().out.strip() == str(Path(tmp_path / "s" / "index.html"))
