"""The files of one rendered person, and the card of a folder of them.

root/card.json                what the folder holds: seed, size, set, skirts, views; all people agree with it
root/people/00012/0.png ...   the photographs, 8-bit RGB
root/people/00012/maps.npz    one array per map, first axis = view:
    uv          (views, h, w, 2) uint16   atlas position in steps of 1 / 65535, v down; 0 off the map.
                                          The rounding error is at most 1 / 131070 of the atlas.
    part        (views, h, w) uint8       DensePose part 1..24, 0 where there is no map
    masks       (views, 3, ceil(h w / 8)) uint8   head, hair, hands, packed by ``numpy.packbits``
    keypoints   (views, 18, 2) float32    (x, y) in pixels, the centre of pixel i at i + 0.5
    visibility  (views, 18) uint8         0 outside, 1 occluded, 2 visible
root/people/00012/person.json what was drawn for the person, and the CRC-32 of the files beside it
"""

import io
import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from posekit.studio.generate import SETS, Shot, checked_size
from posekit.studio.render.surface_maps import SKIRTS
from posekit.util.archives import DAMAGED
from posekit.util.errors import InputError
from posekit.util.reading import read_bytes, read_json

FORMAT = 1  # of the files
ROOMS = ("own", "camera")
MOST_VIEWS = 10_000  # photographs of one person; a card that says more is no card of ours
RECIPE = 1  # of the pictures: raise it when the same seed gives other people


@dataclass(frozen=True)
class Card:
    """What all people of a folder agree on.

    rooms: "own", everyone before a backdrop and under lamps of their own, or "camera", photograph v of everyone in
    one room: then a backdrop says which camera took the photograph, as in a surveillance set, and not who is on it.
    """

    seed: int
    size: tuple[int, int]
    set: str  # the kind of people: its key in card.json, which older folders have, stays
    skirts: str
    views: int
    format: int = FORMAT
    recipe: int = RECIPE
    rooms: str = "own"

    def room(self, view: int) -> int | None:
        """The room of a photograph, see `posekit.studio.generate.make_person`; nobody's own number is as high."""
        return None if self.rooms == "own" else 10**6 + view


def folder_card(views: int, size: int | tuple[int, int], seed: int, kind: str, skirts: str, rooms: str = "own") -> Card:
    """The checked settings of a folder."""
    return _checked(Card(seed, checked_size(size), kind, skirts, views, rooms=rooms))


def _checked(card: Card) -> Card:
    if card.set not in SETS:
        raise InputError(f"kind must be one of {', '.join(SETS)}; got {card.set!r}")
    if card.skirts not in SKIRTS:
        raise InputError(f"skirts must be one of {', '.join(SKIRTS)}; got {card.skirts!r}")
    if card.rooms not in ROOMS:
        raise InputError(f"rooms must be one of {', '.join(ROOMS)}; got {card.rooms!r}")
    numbers = (card.seed, card.views, card.format, card.recipe, *card.size)
    if not all(type(number) is int for number in numbers) or not 1 <= card.views <= MOST_VIEWS or card.seed < 0:
        raise InputError(
            f"views is a whole number from 1 to {MOST_VIEWS} and seed one from 0 up; got {card.views!r} views and seed "
            f"{card.seed!r}"
        )
    checked_size(card.size)
    return card


def read_folder_card(root: str | os.PathLike) -> Card | None:
    """The card of a folder, None if there is none."""
    path = Path(root) / "card.json"
    try:
        fields = read_json(path)
        return _checked(Card(**(fields | {"size": tuple(fields["size"])})))
    except FileNotFoundError:
        return None
    except InputError as error:
        raise InputError(f"{path} is not the card of a posekit data folder: {error}") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{path} is not the card of a posekit data folder ({error}); choose another folder."
        ) from error


def directory(root: str | os.PathLike, person: int) -> Path:
    """Where a person is kept."""
    return Path(root) / "people" / f"{person:05d}"


def people_in(root: str | os.PathLike) -> list[int]:
    """The numbers of the people that a folder has directories of, whole or not; other names are nobody's."""
    names = (path.name for path in (Path(root) / "people").glob("[0-9]*") if path.is_dir())
    return sorted(int(name) for name in names if name.isdecimal() and name == f"{int(name):05d}")


def is_complete(root: str | os.PathLike, person: int, card: Card) -> bool:
    """True when the person's files are all there and of the right length (reading compares checksums as well)."""
    place = directory(root, person)
    try:
        files = read_json(place / "person.json")["files"]
        return _names(card) == files.keys() and all((place / n).stat().st_size == f["bytes"] for n, f in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _names(card: Card) -> set[str]:
    """The files of a person that person.json lists."""
    return {f"{v}.png" for v in range(card.views)} | {"maps.npz"}


def write_shots(place: Path, shots: list[Shot], meta: dict[str, Any]) -> None:
    """Write all photographs of a person into an empty directory; ``meta``: what was drawn for them."""
    for view, shot in enumerate(shots):
        Image.fromarray(shot.image).save(place / f"{view}.png", compress_level=4)
    masks = np.stack([[np.packbits(m) for m in (s.head, s.hair, s.hands)] for s in shots])
    np.savez_compressed(
        place / "maps.npz",
        uv=np.stack([s.uv for s in shots]),
        part=np.stack([s.part for s in shots]),
        masks=masks,
        keypoints=np.stack([s.keypoints for s in shots]),
        visibility=np.stack([s.visibility for s in shots]),
    )
    files = {p.name: {"bytes": p.stat().st_size, "crc32": zlib.crc32(p.read_bytes())} for p in sorted(place.iterdir())}
    card = {"files": files, "drawn": meta}
    (place / "person.json").write_text(json.dumps(card, indent=1, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _raw_bytes(card: Card) -> int:
    """Of the maps of a person, before they are compressed."""
    h, w = card.size
    return card.views * (h * w * 5 + 3 * -(-h * w // 8) + 18 * 9)


def _most_bytes(name: str, card: Card) -> int:
    """How large a file of a person can be: what it holds does not become larger when it is compressed, or hardly."""
    raw = _raw_bytes(card) if name == "maps.npz" else 3 * card.size[0] * card.size[1]
    return raw + raw // 10 + 100_000


def _picture(content: bytes, size: tuple[int, int]) -> np.ndarray:
    picture = Image.open(io.BytesIO(content), formats=["PNG"])
    if (picture.height, picture.width) != size or picture.mode != "RGB":  # before anything is decoded
        raise InputError("other sizes than on the card")
    return np.asarray(picture)


def _maps(content: bytes, card: Card) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _raw_bytes(card) + 100_000:
            raise InputError("maps.npz holds more than its card says")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {name: stored[name] for name in ("uv", "part", "masks", "keypoints", "visibility")}


def read_shots(root: str | os.PathLike, person: int, card: Card) -> list[Shot]:
    """All photographs of a person.

    Raises:
        InputError: the person is not there, or a file is damaged.
    """
    place = directory(root, person)
    try:
        files = read_json(place / "person.json")["files"]
        if set(files) != _names(card):
            raise InputError("person.json lists other files than a person has")
        h, w = card.size
        contents = {}
        for name, known in files.items():
            contents[name] = read_bytes(place / name, _most_bytes(name, card))
            if zlib.crc32(contents[name]) != known["crc32"]:
                raise InputError(f"{name} has changed")
        images = [_picture(contents[f"{v}.png"], card.size) for v in range(card.views)]
        maps = _maps(contents["maps.npz"], card)
        if maps["uv"].shape != (card.views, h, w, 2):
            raise InputError("other sizes than on the card")
    except DAMAGED as error:
        raise InputError(
            f"Person {person} in {place} is missing or damaged ({' '.join(str(error).split())[:200]}); delete that "
            "directory and render again."
        ) from error
    masks = np.unpackbits(maps["masks"], axis=-1, count=h * w).reshape(card.views, 3, h, w).astype(bool)
    return [
        Shot(image, uv, part, *mask, points, visibility)
        for image, uv, part, mask, points, visibility in zip(
            images, maps["uv"], maps["part"], masks, maps["keypoints"], maps["visibility"], strict=True
        )
    ]
