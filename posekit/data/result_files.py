"""Which generated picture belongs to which photograph: two folders matched by names, and by a list of pairs.

Nothing is left out without a word: what has no partner is refused, or counted where the caller allows it.
"""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from posekit.data.annotations import read_pairs
from posekit.data.result_names import PICTURE_SUFFIXES, RULES, check_rule, name_key, read_by_rule, shown_person
from posekit.util.errors import InputError

_Key = tuple[str | None, str]  # of source and target


@dataclass(frozen=True)
class ResultFile:
    """One generated picture and its photograph.

    source, target: keys of their names (`posekit.data.result_names.name_key`); source is None where names do not say.
    person: whom the photograph shows, for intervals over people.  source_file: the source's photograph, if it is there.
    """

    source: str | None
    target: str
    person: str
    prediction: Path
    truth: Path
    source_file: Path | None = None

    @property
    def name(self) -> str:
        """SOURCE -> TARGET, or the target alone."""
        return _said((self.source, self.target))


@dataclass(frozen=True)
class ResultFiles:
    """All that belong together, the rule by which they were matched, and what a reader must know (notes)."""

    files: tuple[ResultFile, ...]
    rule: str
    notes: tuple[str, ...]


def match_results(
    truth: str | os.PathLike,
    predictions: str | os.PathLike,
    *,
    pairs: str | os.PathLike | None = None,
    name: str | None = None,
    truth_name: str = "{target}",
    person: str | None = None,
    allow_missing: bool = False,
) -> ResultFiles:
    """Match the pictures of two folders (and the folders in them).

    Args:
        pairs: csv with the columns ``from`` and ``to``: which pictures there should be.  Without it, a rule with a
            source cannot know that one is missing; a rule with the target alone expects one for every photograph.
        name: rule of the generated pictures (`posekit.data.result_names`); files that it does not fit are counted and
            left out.  None: the first of the known rules that fits most.
        truth_name: rule of the photographs, with ``{target}``.
        person: a regular expression whose first group, in a photograph's name, is the person.
        allow_missing: leave out, and say, what has no partner.

    InputError, one sentence, for folders without pictures, names that no rule fits, two files of one name, and
    whatever has no partner.
    """
    notes: list[str] = []
    known = _photographs(Path(truth), truth_name, notes)
    made = picture_files(Path(predictions))
    wanted = None if pairs is None else _listed(pairs, known, allow_missing, notes)
    rules = RULES if name is None else (name,)
    for rule in rules:
        check_rule(rule)
    by_rule = {rule: _sorted(rule, made, known, wanted) for rule in rules}
    rule = min(rules, key=lambda r: len(by_rule[r].unknown) + len(by_rule[r].misfits))  # the first of the best
    ours = by_rule[rule]
    if not ours.files:
        raise InputError(
            f"None of {len(made)} pictures in {predictions} is called after a photograph in {truth} "
            f"(names such as {made[0].name}; photographs such as {next(iter(known))}; tried {' or '.join(rules)}); say "
            "how they are called (--name)."
        )
    unknown = ours.unknown
    if name is None:
        unknown = unknown + ours.misfits
    elif ours.misfits:
        notes.append(f"{len(ours.misfits)} files are not called {name}, for example {ours.misfits[0].name}: left out")
    if unknown and wanted is not None:
        notes.append(f"{len(unknown)} predictions are of no pair of the list, for example {unknown[0].name}: left out")
    elif unknown:
        _allow([p.name for p in unknown], len(made), "predictions", "photograph", allow_missing, notes)
    chosen = _one_each(ours.files, "pairs have more than one prediction")
    order: list[_Key] = list(chosen) if wanted is None else list(wanted)
    if wanted is None and "{source}" in rule:
        if idle := known.keys() - {target for _, target in chosen}:
            notes.append(
                f"{len(idle)} of {len(known)} photographs are nobody's target, for example {min(idle)}; without a list "
                "of pairs (--pairs) nobody can say whether predictions are missing"
            )
    elif wanted is None:
        order = [(None, target) for target in known]
    if missing := [_said(key) for key in order if key not in chosen]:
        _allow(missing, len(order), "photographs" if wanted is None else "pairs", "prediction", allow_missing, notes)
    files = []
    for source, target in (key for key in order if key in chosen):
        photograph = known[target]
        who = shown_person(target, photograph.name, person)
        files.append(ResultFile(source, target, who, chosen[source, target], photograph, known.get(source)))
    if same := [file for file in files if file.prediction.resolve() == file.truth.resolve()]:
        raise InputError(
            f"{len(same)} of {len(files)} predictions are the photographs themselves, for example {same[0].truth}; "
            "name two folders, or say how predictions are called (--name) and how photographs are (--truth-name)."
        )
    if {file.person for file in files} == {file.target for file in files}:
        notes.append("names do not say who is who: in the intervals every photograph counts as somebody else")
    return ResultFiles(tuple(files), rule, tuple(notes))


@dataclass(frozen=True)
class _Sorted:
    """Generated pictures under one rule: of a pair, of no known photograph, not called so."""

    files: Mapping[_Key, list[Path]]
    unknown: list[Path]
    misfits: list[Path]


def _sorted(rule: str, made: Sequence[Path], known: Mapping[str, Path], wanted: Mapping[_Key, None] | None) -> _Sorted:
    files: dict[_Key, list[Path]] = defaultdict(list)
    unknown, misfits = [], []
    whose: Mapping[_Key, _Key] = {}  # what a name may say -> the pair
    if wanted is None:
        whose = {(None, target): (None, target) for target in known}
    elif "{source}" in rule:
        whose = {key: key for key in wanted}
    else:
        whose = {(None, target): (source, target) for source, target in wanted}
        if len(whose) < len(wanted):  # several pairs of one target: a name would not say which is meant
            return _Sorted({}, [], list(made))
    for path in made:
        keys = list(read_by_rule(rule, path.name))
        if wanted is None:
            fitting = [key for key in keys if key[1] in known]
        else:
            fitting = [whose[key] for key in keys if key in whose]
        if fitting:
            files[fitting[0]].append(path)
        else:
            (unknown if keys else misfits).append(path)
    return _Sorted(files, unknown, misfits)


def _one_each(files: Mapping[_Key, list[Path]], several: str) -> dict[_Key, Path]:
    more = {key: paths for key, paths in files.items() if len(paths) > 1}
    if more:
        key, (one, other, *_) = next(iter(more.items()))
        raise InputError(f"{len(more)} {several}, for example {_said(key)}: {one} and {other}; keep one of them.")
    return {key: paths[0] for key, paths in files.items()}


def _photographs(folder: Path, rule: str, notes: list[str]) -> dict[str, Path]:
    check_rule(rule)
    files: dict[_Key, list[Path]] = defaultdict(list)
    misfits = []
    for path in picture_files(folder):
        keys = list(read_by_rule(rule, path.relative_to(folder).as_posix()))
        if keys:
            files[None, keys[0][1]].append(path)
        else:
            misfits.append(path)
    if not files:
        raise InputError(f"None of {len(misfits)} pictures in {folder} is called {rule}, as {misfits[0].name} shows.")
    if misfits:
        notes.append(f"{len(misfits)} photographs are not called {rule}, for example {misfits[0].name}: left out")
    return {key[1]: path for key, path in _one_each(files, "photographs are there more than once").items()}


def picture_files(folder: Path) -> list[Path]:
    """Picture files in a folder and the folders in it, by name; InputError where there are none.

    Not: hidden ones, and the maps that lie beside photographs of this field (``_IUV``, ``_INDS``).
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name a folder of pictures.")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and not p.name.startswith("."))
    paths = [path for path in paths if not path.stem.lower().endswith(("_iuv", "_inds"))]
    if not paths:
        raise InputError(
            f"There are no pictures in {folder}; expected files that end in {', '.join(PICTURE_SUFFIXES)}."
        )
    return paths


def _listed(
    pairs: str | os.PathLike, known: Mapping[str, Path], allow_missing: bool, notes: list[str]
) -> dict[_Key, None]:
    """The pairs of a csv whose target's photograph is there, in order."""
    rows = [(name_key(source), name_key(target)) for source, target in read_pairs(pairs)]
    if not rows:
        raise InputError(f"{pairs} lists no pairs.")
    once = dict.fromkeys(rows)
    if len(once) < len(rows):
        raise InputError(
            f"{pairs} lists {len(rows) - len(once)} of {len(rows)} pairs more than once; keep one of each."
        )
    if lost := [_said(row) for row in rows if row[1] not in known]:
        _allow(lost, len(rows), "pairs of the list", "photograph of the target", allow_missing, notes)
    return {row: None for row in rows if row[1] in known}


def _allow(lost: Sequence[str], total: int, what: str, lacking: str, allowed: bool, notes: list[str]) -> None:
    """Say that so many have no partner; InputError where that is not allowed."""
    said = f"{len(lost)} of {total} {what} have no {lacking}, for example {lost[0]}"
    if not allowed:
        raise InputError(f"{said}; add what is missing, or leave these out and say so (--allow-missing).")
    notes.append(f"{said}: left out")


def _said(key: _Key) -> str:
    return key[1] if key[0] is None else f"{key[0]} -> {key[1]}"
