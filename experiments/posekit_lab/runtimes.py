"""Measured run time and memory of every notebook: one JSON file, from which the README's table is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from posekit.util.errors import InputError
from posekit.util.files import write_text
from posekit_lab.execute import Measured
from posekit_lab.source import FOLDER

FILE = FOLDER / "runtimes.json"
BEGIN, END = "<!-- notebooks: begin -->", "<!-- notebooks: end -->"


def load_runtimes(path: Path = FILE) -> dict[str, dict[str, float]]:
    """Name -> measurement; empty where nothing was measured yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def store(name: str, run: Measured, path: Path = FILE) -> None:
    """Put one measurement into the file; the others stay."""
    table = load_runtimes(path)
    table[name] = {
        "seconds": round(run.seconds, 1),
        "peak_mib": round(run.peak_mib),
        "warm_up_seconds": round(run.warm_up_seconds, 1),
        "threads": run.threads,
    }
    write_text(path, json.dumps(dict(sorted(table.items())), indent=2) + "\n")


def time_in_words(entry: dict[str, float] | None) -> str:
    """A measurement as a reader wants it: "48 s on 2 cores, 900 MB of memory"."""
    if entry is None:
        return "not measured yet"
    threads = int(entry["threads"])
    cores = "1 core" if threads == 1 else f"{threads} cores"
    text = f"{_duration(entry['seconds'])} on {cores}, {_memory(entry['peak_mib'])} of memory"
    if entry["warm_up_seconds"] >= 5:
        text += f" (and once, before the first run, {_duration(entry['warm_up_seconds'])} to prepare its data)"
    return text


def table(notebooks: dict[str, str], measured: dict[str, dict[str, float]]) -> str:
    """The README's table in markdown.  notebooks: name -> title."""
    rows = ["| notebook | what it answers | time | memory |", "|---|---|---|---|"]
    for name, title in notebooks.items():
        entry = measured.get(name)
        time, memory = (_duration(entry["seconds"]), _memory(entry["peak_mib"])) if entry else ("", "")
        rows.append(f"| [{name}](notebooks/{name}.ipynb) | {title} | {time} | {memory} |")
    threads = {int(measured[name]["threads"]) for name in notebooks if name in measured}
    if threads:
        rows += ["", f"Measured on {max(threads)} CPU cores, data already prepared."]
    return "\n".join(rows)


def between_markers(text: str, inside: str, begin: str = BEGIN, end: str = END) -> str:
    """``text`` with what stands between the two marker lines replaced."""
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise InputError(f"Expected the two lines {begin} and {end} once each, in this order; add them to the file.")
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    return f"{head}{begin}\n{inside}\n{end}{tail}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def _memory(mib: float) -> str:
    megabytes = round(mib * 2**20 / 1e6, -1)
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def title_and_question(notebook: Any) -> str:
    """For the table: the question in the first cell, or its title."""
    lines = notebook.cells[0].source.splitlines()
    text = "\n".join("" if line.startswith("#") else line for line in lines)
    paragraphs = [" ".join(paragraph.split()).strip("*_") for paragraph in text.split("\n\n")]
    questions = [paragraph for paragraph in paragraphs if paragraph.endswith("?")]
    return questions[0] if questions else lines[0].strip("# ")
