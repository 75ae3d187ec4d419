"""What `posekit.evaluation.score` measured, as files: a row per picture, and a page with the worst and best cases."""

import csv
import io
import math
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from posekit.data.photo import read_photo
from posekit.data.result_files import ResultFile, ResultFiles
from posekit.data.result_pictures import Size, read_result_pictures
from posekit.evaluation.page_pictures import png_address
from posekit.evaluation.table import Evaluation, MetricRow
from posekit.metrics.published import prepare_published
from posekit.util.errors import InputError
from posekit.util.files import write_text

_HIGHER_IS_BETTER = ("ssim", "ssim_256", "ms_ssim", "psnr")
_CASES = 6  # worst ones, and as many best ones

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
body {{ font: 15px/1.5 sans-serif; color: #222; background: #fff }}
body {{ max-width: 62rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse }}
td, th {{ padding: .2rem .8rem; border-bottom: 1px solid #ccc; text-align: left; vertical-align: top }}
td.number {{ font-variant-numeric: tabular-nums; white-space: nowrap }}
figure {{ margin: 1rem 0 }}
figure img {{ height: 16rem; margin-right: .3rem; border: 1px solid #ccc }}
figcaption, .words {{ font-size: 13px; color: #555; overflow-wrap: anywhere }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


def write_score_csv(path: str | os.PathLike, table: Evaluation, results: ResultFiles) -> Path:
    """A row per picture: source, target, person, the two files, and every number; empty where there is none."""
    values = _values(table)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source", "target", "person", "prediction", "truth", *values])
    for n, file in enumerate(results.files):
        cells = [column[n] for column in values.values()]
        names = [file.source or "", file.target, file.person, file.prediction.name, file.truth.name]
        writer.writerow([*names, *("" if math.isnan(x) else f"{x:.6g}" for x in cells)])
    return write_text(path, text.getvalue())


def write_score_page(
    path: str | os.PathLike,
    table: Evaluation,
    results: ResultFiles,
    *,
    by: str | None = None,
    size: Size | None = None,
    strip: int = 1,
) -> Path:
    """One page that needs no other file and no network: the table, what the numbers are, the worst and the best cases.

    by: the number that sorts the cases; the first of the protocol if not given.  size, strip: as in `score_results`.
    """
    values = _values(table)
    by = by or next(iter(values))
    if by not in values:
        raise InputError(f"Cases are sorted by one of {', '.join(values)}; got {by!r}.")
    column = np.asarray(values[by])
    good = -np.abs(np.log(column)) if by == "gradient_energy_ratio" else -column  # a ratio is best at 1
    if by.rsplit(".", 1)[-1] in _HIGHER_IS_BETTER:
        good = column
    ranked = [int(i) for i in np.argsort(good, kind="stable") if np.isfinite(column[i])]  # the worst first
    count = min(_CASES, -(-len(ranked) // 2))
    worst, best = ranked[:count], ranked[::-1][: min(count, len(ranked) - count)]
    words = table.protocol.more
    rows = "".join(_line(row, words.get(row.metric, table.protocol.words().get(row.metric, ""))) for row in table.rows)
    people = len(set(table.people))
    name = table.protocol.published or ""
    head = f"mean [{table.protocol.confidence:.0%} interval, bootstrap over {people} people]; {table.protocol}"
    parts = [
        f"<p>{escape(words.get(name, ''))}</p>",
        f'<table><tr><th>number</th><th>value</th><th class="words">how it is made</th></tr>{rows}</table>',
        f'<p class="words">{escape(head)}</p>',
        *(f'<p class="words">{escape(note)}</p>' for note in table.notes),
    ]
    for title, numbers in ((f"Worst by {by}", worst), (f"Best by {by}", best)):
        if numbers:
            parts.append(f"<h2>{escape(title)}</h2>")
            parts += _cases([results.files[i] for i in numbers], [column[i] for i in numbers], name, by, size, strip)
    title = f"{next(iter(table.values))}: protocol {name}"
    return write_text(path, _PAGE.format(title=escape(title), body="\n".join(parts)))


def _values(table: Evaluation) -> dict[str, list[float]]:
    """The columns of the first predictions in a table, without those that are missing."""
    return {metric: sample for metric, sample in next(iter(table.values.values())).items() if sample is not None}


def _line(row: MetricRow, words: str) -> str:
    number = "missing" if row.mean is None else f"{row.mean:.4f}"
    if row.low is not None:
        number += f" [{row.low:.4f}, {row.high:.4f}]"
    return (
        f'<tr><td>{escape(row.metric)}</td><td class="number">{number}</td><td class="words">{escape(words)}</td></tr>'
    )


def _cases(
    files: Sequence[ResultFile], values: Sequence[float], protocol: str, by: str, size: Size | None, strip: int
) -> list[str]:
    """A figure for each: source where it is there, truth and prediction as they were compared."""
    figures = []
    for (file, image, truth), value in zip(read_result_pictures(files, strip=strip, size=size), values, strict=True):
        made, true, _ = prepare_published(image[None], truth[None], protocol)
        shown = [("truth", true[0]), ("prediction", made[0])]
        if file.source_file is not None:
            shown.insert(0, ("source", read_photo(file.source_file)))
        pictures = "".join(f'<img src="{png_address(x)}" alt="{kind}" title="{kind}">' for kind, x in shown)
        kinds = ", ".join(kind for kind, _ in shown)
        text = f"{by} {value:.4f}; {file.name} ({file.prediction.name}); {kinds}"
        figures.append(f"<figure>{pictures}<figcaption>{escape(text)}</figcaption></figure>")
    return figures
