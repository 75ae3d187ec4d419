"""MVC (Multi-View Clothing): photographs of clothing items from several sides, described by JSON lists beside them.

| file                  | holds, one entry a photograph, in one order |
|-----------------------|---------------------------------------------|
| attribute_labels.json | ``filename`` (without suffix) and ``itemN``, the clothing item |
| mvc_info.json         | ``viewId``, among much else; may be missing |
| image_data/           | the photographs, ``FILENAME.jpg``, 1920 x 2240 pixels (width x height) |

Source: K.-H. Liu et al., MVC: A Dataset for View-Invariant Clothing Retrieval and Attribute Prediction, ICMR 2016.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from posekit.util.errors import InputError
from posekit.util.reading import read_json

LABELS, INFO, PHOTOGRAPHS = "attribute_labels.json", "mvc_info.json", "image_data"
_MOST_BYTES = 2_000_000_000
_VIEW = re.compile(r"[0-9]{1,6}")


class MvcPhotograph(NamedTuple):
    """One photograph: its file (which may be missing), the clothing item, the view or None where it is not said."""

    path: Path
    item: str
    view: int | None


def read_mvc(root: str | os.PathLike) -> list[MvcPhotograph]:
    """All photographs that the lists of a folder name, in their order.

    Raises `InputError`, one sentence, where a list is missing, damaged, or names files outside the folder.
    """
    root = Path(root)
    labels = _entries(root / LABELS)
    views = _entries(root / INFO) if (root / INFO).is_file() else [{}] * len(labels)
    if len(views) != len(labels):
        raise InputError(f"{root / INFO} has {len(views)} entries and {LABELS} {len(labels)}; fetch both again.")
    photographs = []
    for number, (label, info) in enumerate(zip(labels, views, strict=True)):
        name, item, view = (_word(entry.get(key)) for entry, key in
                            ((label, "filename"), (label, "itemN"), (info, "viewId")))  # fmt: skip
        if name is None or item is None or Path(name).name != name:
            raise InputError(f"{root / LABELS}: entry {number} should have a filename and an itemN; fetch it again.")
        path = root / PHOTOGRAPHS / f"{name}.jpg"
        photographs.append(MvcPhotograph(path, item, int(view) if view is not None and _VIEW.fullmatch(view) else None))
    return photographs


def _word(value: object) -> str | None:
    """A name or number of a list, whichever of the two it is written as; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value).strip().strip('"').removesuffix(".0")
    return text if text not in ("", ".", "..") and not set(text) & {"/", "\\", "\0"} else None


def _entries(path: Path) -> list[dict]:
    try:
        whole = read_json(path, _MOST_BYTES)
    except OSError as error:
        raise InputError(
            f"{path} could not be read ({error.strerror}); it comes with MVC, see data_scripts."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON, or damaged; fetch it again.") from error
    if not isinstance(whole, list) or not all(isinstance(entry, dict) for entry in whole):
        raise InputError(f"{path} should be a list with an entry for each photograph; fetch it again.")
    return whole
