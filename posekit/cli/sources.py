"""What a file on the command line is, and the person in it: a rendered view, joints, or a photograph of anybody."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from posekit.util.errors import InputError

if TYPE_CHECKING:
    from posekit.person import Person
    from posekit.systems.base import System

log = logging.getLogger(__name__)

_FACE = 128  # pixels, where no network asks for another size
Kind = Literal["a rendered view", "joints", "a photograph"]


def kind_of(path: str | os.PathLike) -> Kind:
    """Decided by what is in the file: JSON holds joints, a picture in a rendered folder is a view, any other a
    photograph.

    Raises InputError for surface maps, which come in threes, and for whatever is none of these.
    """
    from posekit.data.inspection.recognise import recognise
    from posekit.data.studio import is_rendered_view

    content = recognise(path)
    if content == "JSON":
        return "joints"
    if content == "array" or (content == "picture" and not is_rendered_view(path) and _is_map(path)):
        raise InputError(f"{path} is a surface map; with maps give three files: posekit transfer PHOTO MAP TARGET_MAP.")
    if content != "picture":
        raise InputError(
            f"{path} holds {content}; give a photograph, a rendered view, or joints of OpenPose; posekit inspect says "
            "what a file is."
        )
    return "a rendered view" if is_rendered_view(path) else "a photograph"


def _is_map(path: str | os.PathLike) -> bool:
    """Whether a picture is an IUV picture, or the picture of person numbers that lies beside one."""
    import numpy as np

    from posekit.data.inspection.maps import looks_like_charts
    from posekit.data.photo import open_picture

    if Path(path).stem.upper().endswith(("_IUV", "_INDS")):
        return True
    picture = open_picture(path)
    return picture.mode in ("RGB", "RGBA", "P") and looks_like_charts(np.asarray(picture.convert("RGB")))


def shows_face(path: str | os.PathLike, kind: Kind) -> bool:
    """Whether a file is a rendered close-up, whose map is of the head alone."""
    from posekit.data.studio import read_rendered_view

    return kind == "a rendered view" and read_rendered_view(path).atlas == "head"


def person_of(
    path: str | os.PathLike,
    kind: Kind,
    system: System | None,
    size: tuple[int, int],
    *,
    face: bool = False,
    pose: bool = False,
) -> Person:
    """The person of a file, a single photograph; of joints, a black one of ``size``.

    system: keypoint-guided; it reads the map of a photograph.  Other kinds need none.  face: of a photograph, the face
    alone, for which no network of ours is needed.  pose: the file gives the pose, not colours.
    """
    from posekit.data.openpose import read_openpose
    from posekit.data.photo import read_photo
    from posekit.data.studio import read_rendered_view
    from posekit.person import Person

    if kind == "a rendered view":
        return read_rendered_view(path)
    if kind == "joints":
        import torch

        keypoints, visibility = read_openpose(path, size, frame=True)
        return Person(torch.zeros(3, *size), keypoints=keypoints, visibility=visibility, name=Path(path).stem)
    from posekit.photo.photographed import TRIM, photographed
    from posekit.photo.photographed_face import photographed_face

    if face:
        side = _FACE if system is None or system.size is None else system.size[0]
        return photographed_face(read_photo(path), side, name=Path(path).stem).person
    if system is None or system.config.variant != "keypoints":
        raise InputError(
            f"{path} is a photograph without a map: it needs keypoint-guided weights, which read one; leave --weights "
            "out for those of the package."
        )
    person = photographed(read_photo(path), system, Path(path).stem, trim=0 if pose else TRIM)[0]
    if hidden := _hidden_limbs(person):
        log.warning("%s does not show the %s; what is not seen is guessed.", path, " and the ".join(hidden))
    return person


def _hidden_limbs(person: Person) -> list[str]:
    """Arms and legs of which the photograph shows neither of the two far joints."""
    from posekit.ops.keypoints import JOINTS

    limbs = {"arm": ("elbow", "wrist"), "leg": ("knee", "ankle")}
    hidden = []
    for limb, ends in limbs.items():
        gone = [side for side in ("right", "left")
                if not any(int(person.visibility[JOINTS.index(f"{side}_{end}")]) for end in ends)]  # fmt: skip
        hidden += [f"{limb}s"] if len(gone) == 2 else [f"{side} {limb}" for side in gone]
    return hidden
