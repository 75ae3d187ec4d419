"""What is said of a text file: lists of joints, pairs and photographs, face points."""

import os
from collections import Counter
from pathlib import Path

from posekit.data.annotations import COLUMNS, read_pairs
from posekit.data.inspection.joints import report_keypoints
from posekit.data.inspection.report import Fault, FileReport
from posekit.data.names import identity_of, is_person_name, spelling_of
from posekit.util.errors import InputError
from posekit.util.reading import read_text

MOST_BYTES = 500_000_000  # of a list that is read whole


def report_text(path: str | os.PathLike) -> FileReport:
    """The report of a text file; `InputError` with file and line where a list is damaged."""
    path = Path(path)
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{path} has {path.stat().st_size / 1e6:.0f} MB, too much for a list; split it.")
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        first = file.readline(10_000).strip()
    if sorted(cell.strip() for cell in first.split(":")) == sorted(COLUMNS):
        return report_keypoints(path, first)
    if {"from", "to"} <= {cell.strip() for cell in first.split(",")}:
        return _pairs(path)
    if first.startswith("version:") and "n_points" in read_text(path, MOST_BYTES, "utf-8-sig", "replace")[:200]:
        return FileReport(path, "face points (.pts), such as of 300-VW", {"header": first})
    names = [line.strip() for line in read_text(path, MOST_BYTES, "utf-8-sig", "replace").splitlines()]
    names = [name for name in names if name]
    known = [name for name in names[:1000] if spelling_of(name.split()[0])]
    if known and len(known) > len(names[:1000]) // 2:
        facts = {"names": f"{len(names)}, spelled as {spelling_of(known[0].split()[0])}"}
        return FileReport(path, "list of photographs (a split, such as train.lst)", facts)
    return FileReport(path, "text, none of the field's lists", {"begins": repr(first[:60])})


def _pairs(path: Path) -> FileReport:
    pairs = read_pairs(path)
    photographs = {name for pair in pairs for name in pair}
    facts = {"pairs": str(len(pairs)), "photographs": str(len(photographs))}
    faults = []
    if not pairs:
        faults.append(Fault("It has a header and no row.", "Write the pairs again."))
        return FileReport(path, "list of pairs", facts, tuple(faults))
    spelled = Counter(spelling_of(name) or "other" for name in photographs)
    facts["names"] = ", ".join(f"{kind} ({n})" for kind, n in spelled.most_common(3))
    if set(spelled) != {"other"}:
        facts["people"] = str(len({identity_of(name) for name in photographs}))
    itself = sum(source == target for source, target in pairs)
    other = sum(identity_of(source) != identity_of(target) for source, target in pairs)
    twice = len(pairs) - len(set(pairs))
    if itself:
        facts["itself"] = f"{itself} photographs are paired with themselves"
    if other and "other" not in spelled:
        faults.append(Fault(f"{other} pairs are of two different people.", "A pair is one person; drop them."))
    if twice:
        faults.append(Fault(f"{twice} pairs stand in it twice.", "Drop the second ones."))
    if junk := sum(not is_person_name(name) for name in photographs):
        faults.append(Fault(f"{junk} of the photographs are junk or distractors.", "Drop their pairs."))
    return FileReport(path, "list of pairs", facts, tuple(faults))
