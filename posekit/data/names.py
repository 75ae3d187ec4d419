"""File names of DeepFashion and Market-1501: one photograph, many spellings.

One DeepFashion photograph is called, depending on who repacked the data set,

| spelling      | example                                            |
|---------------|----------------------------------------------------|
| "slash"       | WOMEN/Blouses_Shirts/id_00000442/01_2_side.jpg     |
| "hash"        | WOMEN#Blouses_Shirts#id_00000442#01_2_side         |
| "dash"        | WOMEN-Blouses_Shirts-id_00000442-01_2_side.jpg     |
| "fasion"      | fasionWOMENBlousesShirtsid0000044201_2side.jpg     |
| "fashion"     | fashionWOMENBlouses_Shirtsid0000044201_2side.jpg   |
| "deepfashion" | deepfashionWOMENBlouses_Shirtsid0000044201_2side.jpg |

All of them carry the same six facts, so each converts into every other.  "fasion" drops the underscore inside the
category; the list of categories puts it back.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from posekit.util.errors import InputError

CATEGORIES = (
    "Blouses_Shirts",
    "Cardigans",
    "Denim",
    "Dresses",
    "Graphic_Tees",
    "Jackets_Coats",
    "Jackets_Vests",
    "Leggings",
    "Pants",
    "Rompers_Jumpsuits",
    "Shirts_Polos",
    "Shorts",
    "Skirts",
    "Suiting",
    "Sweaters",
    "Sweatshirts_Hoodies",
    "Tees_Tanks",
)
SPELLINGS = ("slash", "hash", "dash", "fasion", "fashion", "deepfashion")

_BY_LETTERS = {c.replace("_", "").lower(): c for c in CATEGORIES}
_END = r"(?:_(?:IUV|iuv|INDS|inds))?(?:\.g\d{2,})?(?:\.[A-Za-z0-9]+)?$"
_SEPARATED = re.compile(r"(?:^|[/#])(WOMEN|MEN)[/#-]([A-Za-z_]+)[/#-]id_(\d{8})[/#-](\d{2})_(\d+)_([a-z]+)" + _END)
_JOINED = re.compile(
    r"(?:^|[/#])(?:deepfashion|fashion|fasion)(WOMEN|MEN)([A-Za-z_]+?)id_?(\d{8})(\d{2})_(\d+)_?([a-z]+)" + _END
)
_MARKET = re.compile(r"(?:^|/)(-1|\d{4})_c(\d)s(\d)_(\d{6})_(\d{2})(?:\.[A-Za-z0-9.]+)?$")


@dataclass(frozen=True)
class DeepFashionName:
    """What a DeepFashion file name says: item 442 of women's blouses, colour variant 1, view 2 ("side")."""

    gender: str
    category: str
    item: int
    variant: int
    view: int
    view_name: str

    @property
    def identity(self) -> str:
        """Equal for photographs of one person in one outfit: gender, category, item and variant."""
        return f"{self.gender}/{self.category}/id_{self.item:08d}/{self.variant:02d}"

    def spell(self, spelling: str = "slash", suffix: str = ".jpg") -> str:
        """The name in one of `SPELLINGS`, with a file suffix ("" for none)."""
        g, c, i, n, v, w = self.gender, self.category, self.item, self.variant, self.view, self.view_name
        if spelling in ("slash", "hash", "dash"):
            separator = {"slash": "/", "hash": "#", "dash": "-"}[spelling]
            return separator.join([g, c, f"id_{i:08d}", f"{n:02d}_{v}_{w}"]) + suffix
        if spelling in ("fasion", "fashion", "deepfashion"):
            c = c.replace("_", "") if spelling == "fasion" else c
            return f"{spelling}{g}{c}id{i:08d}{n:02d}_{v}{w}{suffix}"
        raise InputError(f"A DeepFashion name is spelled one of {', '.join(SPELLINGS)}, got {spelling!r}.")


def parse_deepfashion(name: str | os.PathLike) -> DeepFashionName:
    """Read any of the spellings, with or without leading folders, suffix, or an ending such as ``_IUV``.

    >>> parse_deepfashion("fasionWOMENBlousesShirtsid0000044201_2side.jpg").spell()
    'WOMEN/Blouses_Shirts/id_00000442/01_2_side.jpg'
    """
    text = os.fspath(name).replace("\\", "/")
    match = _SEPARATED.search(text) or _JOINED.search(text)
    if match is None:
        raise InputError(
            f"{text!r} is not a DeepFashion name; expected for example "
            "WOMEN/Blouses_Shirts/id_00000442/01_2_side.jpg or fasionWOMENBlousesShirtsid0000044201_2side.jpg."
        )
    gender, category, item, variant, view, view_name = match.groups()
    known = _BY_LETTERS.get(category.replace("_", "").lower())
    if known is None:
        raise InputError(f"{text!r} names the category {category!r}; DeepFashion has {', '.join(CATEGORIES)}.")
    return DeepFashionName(gender, known, int(item), int(variant), int(view), view_name)


@dataclass(frozen=True)
class MarketName:
    """What a Market-1501 file name says; identity -1 is a bad detection, 0 a distractor."""

    identity: int
    camera: int
    sequence: int
    frame: int
    detection: int

    @property
    def is_person(self) -> bool:
        """False for bad detections (-1) and distractors (0000), which are left out everywhere."""
        return self.identity > 0

    def spell(self, suffix: str = ".jpg") -> str:
        """The file name, for example ``0002_c1s1_000451_03.jpg``."""
        identity = "-1" if self.identity < 0 else f"{self.identity:04d}"
        return f"{identity}_c{self.camera}s{self.sequence}_{self.frame:06d}_{self.detection:02d}{suffix}"


def parse_market(name: str | os.PathLike) -> MarketName:
    """Read a Market-1501 file name, with or without leading folders and suffix.

    >>> parse_market("-1_c1s1_000401_03.jpg").is_person
    False
    """
    text = os.fspath(name).replace("\\", "/")
    match = _MARKET.search(text)
    if match is None:
        raise InputError(f"{text!r} is not a Market-1501 name; expected for example 0002_c1s1_000451_03.jpg.")
    return MarketName(*(int(g) for g in match.groups()))


def photograph_key(name: str | os.PathLike) -> str:
    """Equal for every spelling of one photograph's name, with or without suffix and folders; else the name itself.

    >>> photograph_key("fasionWOMENBlousesShirtsid0000044201_2side.jpg")
    'WOMEN/Blouses_Shirts/id_00000442/01_2_side'
    >>> photograph_key("query/0002_c1s1_000451_03.jpg"), photograph_key("holiday.jpg")
    ('0002_c1s1_000451_03', 'holiday.jpg')
    """
    for parse in (parse_market, parse_deepfashion):
        try:
            return parse(name).spell(suffix="")
        except InputError:
            continue
    return os.fspath(name)


def spelling_of(name: str | os.PathLike) -> str | None:
    """How a photograph's name is spelled: one of `SPELLINGS`, "Market-1501", or None for another name.

    >>> spelling_of("fasionWOMENDressesid0000271801_1front.jpg"), spelling_of("holiday.jpg")
    ('fasion', None)
    """
    try:
        parse_market(name)
    except InputError:
        pass
    else:
        return "Market-1501"
    try:
        parsed = parse_deepfashion(name)
    except InputError:
        return None
    text = os.fspath(name).replace("\\", "/")
    return next((spelling for spelling in SPELLINGS if parsed.spell(spelling, "") in text), "fasion")


def identity_of(name: str | os.PathLike) -> str:
    """Who is on a photograph, by its name: "0002" (Market-1501), or gender, category, item and variant; else the name.

    >>> identity_of("0002_c1s1_000451_03.jpg"), identity_of("fasionWOMENDressesid0000271801_1front.jpg")
    ('0002', 'WOMEN/Dresses/id_00002718/01')
    """
    try:
        return f"{parse_market(name).identity:04d}"
    except InputError:
        pass
    try:
        return parse_deepfashion(name).identity
    except InputError:
        return os.fspath(name)


def is_person_name(name: str | os.PathLike) -> bool:
    """False for the bad detections (-1) and distractors (0000) of Market-1501; True for every other name."""
    try:
        return parse_market(name).is_person
    except InputError:
        return True


def short_key(name: str | os.PathLike) -> str:
    """As `photograph_key`, and of a name that is none of the field's what stands between its folders and its suffix.

    >>> short_key("photos/holiday.jpg"), short_key("maps/holiday_IUV.png")
    ('holiday', 'holiday')
    """
    return _keys(os.fspath(name))[1]


@lru_cache(maxsize=2**17)  # a list of pairs names each photograph many times
def _keys(name: str) -> tuple[str, str]:
    """With folders, of a name that is none of the field's; and without."""
    if spelling_of(name) is not None:
        return (photograph_key(name),) * 2
    folders, slash, last = name.replace("\\", "/").rpartition("/")
    stem = re.sub(r"_(?:IUV|iuv|INDS|inds)$", "", last.rsplit(".", 1)[0] or last)
    return folders + slash + stem, stem


def name_finder(names: Sequence[str]) -> Callable[[str], int | None]:
    """Finds a photograph's number in ``names``: as it is written, in another spelling, or by what is in front of its
    suffix, with its folders, or without them where only one of the names has that.

    >>> find = name_finder(["anna/1.png", "ben/1.png", "ben/2.png"])
    >>> find("anna/1.jpg"), find("2_IUV.png"), find("1.png")
    (0, 2, None)
    """
    once = Counter(short_key(name) for name in names)
    at = {short_key(name): i for i, name in enumerate(names) if once[short_key(name)] == 1}
    at |= {_keys(name)[0]: i for i, name in reversed(list(enumerate(names)))}
    exact = {name: i for i, name in reversed(list(enumerate(names)))}

    def find(name: str) -> int | None:
        long, short = _keys(name)
        return exact.get(name, at.get(long, at.get(short)))

    return find


_GENERATED = re.compile(r"\.g\d{2,}(?:\.[A-Za-z0-9]+)?$")


def generated_name(name: str, number: int) -> str:
    """The file name of the ``number``-th picture generated from a photograph: ``.gNN`` before the suffix.

    All that the name of the photograph says stays in place, so identity and camera are read from it as before, by
    `parse_market`, `parse_deepfashion` and by the field's own readers, which look at the beginning of a name.

    >>> generated_name("0002_c1s1_000451_03.jpg", 7)
    '0002_c1s1_000451_03.g07.jpg'
    """
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.g{number:02d}.{suffix}" if dot else f"{name}.g{number:02d}"


def is_generated(name: str | os.PathLike) -> bool:
    """Whether a name was made by `generated_name`."""
    return _GENERATED.search(os.fspath(name)) is not None
