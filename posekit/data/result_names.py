"""Names of generated pictures: which photograph a file of a result folder belongs to, by a rule.

| rule                        | who writes it                                                                  |
|-----------------------------|--------------------------------------------------------------------------------|
| "{source}_2_{target}_vis"   | Global-Flow-Local-Attention, pose-with-style, PIDM                             |
| "{source}___{target}_vis"   | Pose-Transfer (PATN), strips of five pictures                                  |
| "{source}_to_{target}"      | PCDMs, with one more character in front                                        |
| "{source}.jpg_{target}.jpg" | Deformable GANs                                                                |
| "{target}"                  | a picture called as the photograph that it is to meet                          |

A rule is the name of a file, with or without its suffix; ``{source}`` and ``{target}`` stand for the two names, in any
spelling (`posekit.data.names`), with or without suffixes of their own.
"""

import re
from collections.abc import Callable, Iterator

from posekit.data.names import parse_deepfashion, parse_market, photograph_key
from posekit.data.photo import PICTURES
from posekit.util.errors import InputError

RULES = (
    "{source}_2_{target}_vis",
    "{source}___{target}_vis",
    "{source}_to_{target}",
    "{source}.jpg_{target}.jpg",
    "{target}",
)
PICTURE_SUFFIXES = (*PICTURES, ".bmp")
_FIELD = re.compile(r"\{(\w*)\}")


def check_rule(rule: str) -> None:
    """InputError unless names can be read by the rule."""
    if sorted(_FIELD.findall(rule)) not in (["target"], ["source", "target"]) or "}{" in rule:
        raise InputError(
            "A rule of names holds {target} once, and {source} at most once with something between the two, such as "
            f"{RULES[0]!r}; got {rule!r}."
        )


def read_by_rule(rule: str, name: str) -> Iterator[tuple[str | None, str]]:
    """Every way to read a name: (key of the source or None, key of the target); nothing where the rule does not fit.

    >>> list(read_by_rule("{source}_2_{target}_vis", "a_2_b_vis.jpg"))
    [('a', 'b')]
    >>> list(read_by_rule("{source}_2_{target}.png", "01_2_side_2_01_7_back.png"))  # which is which, the caller knows
    [('01', 'side_2_01_7_back'), ('01_2_side', '01_7_back')]
    """
    rule, name = _without_suffix(rule), _without_suffix(name)
    first, *others = _FIELD.findall(rule)
    begin, *between, end = _FIELD.split(rule)[::2]
    if not name.startswith(begin) or not name.endswith(end) or len(name) <= len(begin) + len(end):
        return
    inner = name[len(begin) : len(name) - len(end)]
    if not others:
        yield None, name_key(inner)
        return
    at = inner.find(between[0], 1)
    while 0 < at < len(inner) - len(between[0]):
        a, b = name_key(inner[:at]), name_key(inner[at + len(between[0]) :])
        yield (a, b) if first == "source" else (b, a)
        at = inner.find(between[0], at + 1)


def name_key(name: str) -> str:
    """Equal for all spellings of one photograph's name: the data set's, or else the name without folders and suffix.

    >>> name_key("fasionWOMENBlousesShirtsid0000044201_2side.jpg"), name_key("mine/holiday.jpg")
    ('WOMEN/Blouses_Shirts/id_00000442/01_2_side', 'holiday')
    """
    bare = _without_suffix(name.strip().replace("\\", "/"))
    key = photograph_key(bare)
    return key if _identity(key) is not None else key.rsplit("/", 1)[-1]


def _without_suffix(name: str) -> str:
    """The name without the suffix of a picture; any other dot is part of the name."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in PICTURE_SUFFIXES else name


def shown_person(key: str, file_name: str, pattern: str | None = None) -> str:
    """Whom a photograph shows: by ``pattern``, whose first group is the person; else as DeepFashion's and
    Market-1501's names say (one item in one colour; a number); else nobody but itself, the key.

    InputError where the pattern is no regular expression with a group, or does not fit.
    """
    if pattern is None:
        return _identity(key) or key
    try:
        match = re.search(pattern, file_name)
        who = match and match[1]
    except (re.error, IndexError, RecursionError) as error:
        raise InputError(
            f"{pattern!r} is not a regular expression with a group for the person, such as '^([0-9]+)_' ({error})."
        ) from error
    if not who:
        raise InputError(f"The person's pattern {pattern!r} does not fit the name {file_name}.")
    return who


def _identity(key: str) -> str | None:
    readers: tuple[Callable[[str], str], ...] = (
        lambda name: parse_deepfashion(name).identity,
        lambda name: str(parse_market(name).identity),
    )
    for read in readers:
        try:
            return read(key)
        except InputError:
            continue
    return None
