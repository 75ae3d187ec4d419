"""What is said of joints: a keypoint csv of either kind, or a JSON file of OpenPose."""

import os
from collections import Counter
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.data.annotations import COLUMNS, JOINT_COUNT, read_joint_rows
from posekit.data.inspection.report import Fault, FileReport
from posekit.data.inspection.sides import mirrored_joints
from posekit.data.names import is_person_name, photograph_key, spelling_of
from posekit.data.openpose import read_everybody
from posekit.data.photo_folder import TORSO
from posekit.ops.keypoints import BONES, JOINTS
from posekit.util.errors import InputError
from posekit.util.reading import read_json

OLD_JOINTS = 16  # of the older kind of keypoint csv
_MOST_BYTES = 10_000_000  # of JSON that may hold joints
_EXCHANGED = 0.5  # share of the frontal people above which something is exchanged
_DRAWN = 4  # people
_SMALL = 160  # pixels along the longer side of a drawn skeleton


def report_json(path: str | os.PathLike) -> FileReport:
    """The report of a JSON file: joints of OpenPose, or another."""
    path = Path(path)
    if path.stat().st_size > _MOST_BYTES:
        return FileReport(path, "JSON, too large for joints", {"size": f"{path.stat().st_size / 1e6:.1f} MB"})
    try:
        people = read_everybody(path)
    except InputError as error:
        try:
            whole = read_json(path, _MOST_BYTES, "utf-8-sig")
        except ValueError:
            if path.suffix == ".jsonl":
                return FileReport(path, "lines of JSON, such as the log of a training")
            raise error from None
        if isinstance(whole, dict) and isinstance(whole.get("people"), list):
            raise
        keys = ", ".join(map(str, list(whole)[:8])) if isinstance(whole, dict) else f"a list of {len(whole)}"
        if isinstance(whole, dict) and "nbformat" in whole:
            return FileReport(path, "notebook", {"holds": keys})
        fault = Fault("It holds no joints of OpenPose.", 'Joints stand in {"people": [{"pose_keypoints_2d": [...]}]}.')
        faults = () if "card" in path.name or isinstance(error, OSError) else (fault,)
        return FileReport(path, "JSON, no joints of OpenPose", {"holds": keys[:200]}, faults)
    seen = [person for person in people if int((person[:, 2] > 0).sum()) >= 2]
    facts = {"people": str(len(seen)), "joints": f"{JOINT_COUNT} of each, pixels (x, y) with y down, and confidence"}
    faults = []
    if not seen:
        faults.append(Fault("It shows nobody.", "Take a photograph in which a person was found."))
        return FileReport(path, "joints of OpenPose", facts, tuple(faults))
    if len(seen) > 1:
        facts["people"] += "; the tallest is taken"
    every = torch.stack(seen)
    there = every[..., 2] > 0
    low, high = every[there][:, :2].amin(0).tolist(), every[there][:, :2].amax(0).tolist()
    facts["range"] = f"x {low[0]:g}..{high[0]:g}, y {low[1]:g}..{high[1]:g}; the photograph's size is not in the file"
    facts["missing"] = f"{1 - float(there.float().mean()):.0%} of the joints"
    if high[0] <= 1.5 and high[1] <= 1.5:
        faults.append(Fault("The joints lie within 0..1.", "Write pixels: multiply by width and height."))
    words, more = _sides(every[..., :2], there.float())
    facts["mirrored"] = words
    return FileReport(path, "joints of OpenPose", facts, (*faults, *more), {"tallest": _skeleton(_tallest(seen))})


def report_keypoints(path: str | os.PathLike, header: str) -> FileReport:
    """The report of a keypoint csv with this first line; `InputError` with file and line where it is damaged."""
    path = Path(path)
    columns = [cell.strip() for cell in header.split(":")]
    facts: dict[str, str] = {"columns": ", ".join(columns)}
    faults = []
    if columns != list(COLUMNS):
        facts["columns"] += " (another order than usual; readers go by the names)"
    try:
        names, pixels = read_joint_rows(path)
    except InputError as error:
        if f"{OLD_JOINTS} joints" not in str(error):
            raise
        names, pixels = read_joint_rows(path, OLD_JOINTS)
        faults.append(Fault(f"It has {OLD_JOINTS} joints, not {JOINT_COUNT}.", "Take the file with 18 (OpenPose)."))
    facts["photographs"] = f"{len(names)}"
    if not names:
        fault = Fault("It has a header and no row.", "Write the joints again.")
        return FileReport(path, "keypoint csv", facts, (*faults, fault))
    spelled = Counter(spelling_of(name) or "other" for name in names)
    facts["photographs"] += f", names as {', '.join(f'{k} ({n})' for k, n in spelled.most_common(3))}"
    twice = len(names) - len({photograph_key(name) for name in names})
    if twice:
        faults.append(Fault(f"{twice} photographs stand in it twice.", "The first row of each counts; drop the rest."))
    there = (pixels != -1).all(-1)
    kind = f"keypoint csv, {pixels.shape[1]} joints"
    nobody = int((~there.any(1)).sum())
    junk = sum(not is_person_name(name) for name in names)
    facts["nobody"] = f"in {nobody} photographs; {junk} are junk or distractors by their names"
    facts["missing"] = f"{1 - float(there.float().mean()):.1%} of the joints"
    if there.any():
        low, high = pixels[there].amin(0).tolist(), pixels[there].amax(0).tolist()
        facts["range"] = f"x {low[0]:g}..{high[0]:g}, y {low[1]:g}..{high[1]:g}: {_photograph_size(*high)}"
        if low[0] >= 0 and high[0] <= 1.5 and high[1] <= 1.5:
            faults.append(Fault("The joints lie within 0..1.", "Write pixels: multiply by width and height."))
    pictures = {}
    if pixels.shape[1] == JOINT_COUNT:
        valid = there[:, list(TORSO)].all(1)
        facts["valid"] = f"{int(valid.sum())} with both shoulders and both hips, as the published pairs ask"
        words, more = _sides(pixels, there.float())
        facts["mirrored"] = words
        faults += more
        rows = torch.cat([pixels, there[..., None].float()], 2)
        most = there.sum(1).argsort(descending=True, stable=True)[:_DRAWN].tolist()
        pictures = {names[i][-24:]: _skeleton(rows[i]) for i in most if there[i].sum() >= 2}
    return FileReport(path, kind, facts, tuple(faults), pictures)


def _sides(pixels: Float[Tensor, "n 18 2"], seen: Float[Tensor, "n 18"]) -> tuple[str, list[Fault]]:
    frontal, swapped, eyes = mirrored_joints(pixels, seen)
    if not frontal:
        return "nobody is seen clearly from the front", []
    words = f"{swapped} of {frontal} people seen from the front have right and left exchanged"
    faults = []
    if swapped > _EXCHANGED * frontal:
        faults.append(
            Fault(
                "Right and left are exchanged: the picture was mirrored, and the joints kept their names.",
                "Renumber them (posekit.ops.keypoints.MIRROR_JOINTS).",
            )
        )
    if eyes > _EXCHANGED * frontal:
        words += f"; the eyes of {eyes} are exchanged"
        faults.append(
            Fault(
                "The eyes are exchanged: joints 14 and 15 are left and right, as some public lists label them.",
                "Exchange them: the order is right eye, left eye, right ear, left ear.",
            )
        )
    return words, faults


def _photograph_size(x: float, y: float) -> str:
    if x < 64 and y < 128:
        return "of photographs of 128 x 64 (Market-1501)"
    if x < 176 and y < 256:
        return "of photographs of 256 x 176, or narrow people in 256 x 256"
    if x < 256 and y < 256:
        return "of photographs of 256 x 256"
    return "of larger photographs"


def _tallest(people: list[Tensor]) -> Tensor:
    return max(people, key=lambda person: float(person[person[:, 2] > 0, 1].max() - person[person[:, 2] > 0, 1].min()))


def _skeleton(person: Float[Tensor, "18 3"]) -> Float[Tensor, "1 3 h w"]:
    """The bones on white, the person's right red and the left blue; at most about `_SMALL` pixels."""
    there = person[:, 2] > 0
    places = person[:, :2] - person[there, :2].amin(0)
    extent = places[there].amax(0)
    places = places * min(1.0, _SMALL / max(float(extent.max()), 1.0)) + 8
    w, h = (int(v) + 9 for v in places[there].amax(0))
    canvas = torch.ones(3, h, w)
    for a, b in BONES:
        if not (there[a] and there[b]):
            continue
        steps = torch.linspace(0, 1, 2 * _SMALL)[:, None]
        x, y = (places[a] + steps * (places[b] - places[a])).round().long().T
        colour = _bone_colour(a, b)
        for dx, dy in ((0, 0), (1, 0), (0, 1)):
            canvas[:, (y + dy).clamp(0, h - 1), (x + dx).clamp(0, w - 1)] = colour[:, None]
    return canvas[None]


def _bone_colour(a: int, b: int) -> Float[Tensor, " 3"]:
    names = JOINTS[a] + JOINTS[b]
    if "right" in names:
        return torch.tensor([0.8, 0.1, 0.1])
    return torch.tensor([0.1, 0.2, 0.8]) if "left" in names else torch.tensor([0.2, 0.2, 0.2])
