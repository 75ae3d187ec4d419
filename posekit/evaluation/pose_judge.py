"""Does a pose model find the person in a generated picture, and where?  A judge that looks at nothing but the pose.

The field's "detection score" asks an object detector how sure it is of a person.  Here the question is put to the pose
model of ``posekit[photo]``, so the numbers have their own names:

    pose_found   1 where the model finds somebody, else 0
    pose_error   mean distance of its joints from the target's, percent of the picture's height

The model errs on photographs, too; what it says of the true ones stands in the notes, for comparison.
"""

import logging
from collections import defaultdict

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from posekit.ops.grids import norm_to_points
from posekit.photo.find_person import FoundPerson, find_person
from posekit.photo.models import run_model
from posekit.util.errors import InputError

WORDS = {
    "pose_found": "share of pictures in which BlazePose (MediaPipe's detector and full landmark model) finds somebody",
    "pose_error": "mean distance of its joints from the target's, of those that both show, percent of the height; "
    "pictures in which it finds nobody are left out",
}


class PoseJudge:
    """The pose model's opinion of one pair in so many, and of the true pictures beside.

    Args:
        every: pairs; of the others both numbers are NaN, which mean and interval leave out.  0: of none.

    words: for the protocol of a table.  Raises InputError for a negative number.
    """

    def __init__(self, every: int):
        if every < 0:
            raise InputError(f"The pose is judged of every 1, 2, ... pairs, or of none (0); got {every}.")
        self.every = every
        self.problem = _problem() if every else "not asked for"
        which = f"one of {every} pairs: " if every > 1 else ""
        self.words = {} if self.problem else {name: which + words for name, words in WORDS.items()}
        self._pairs: dict[int, int] = defaultdict(int)
        self._truths: dict[int, tuple[FoundPerson | None, float]] = {}

    def __call__(
        self,
        system: nn.Module | str,
        made: Float[Tensor, "b 3 h w"],
        truth: Float[Tensor, "b 3 h w"],
        keypoints: Float[Tensor, "b 18 2"] | None = None,
        visibility: Integer[Tensor, "b 18"] | None = None,
    ) -> dict[str, Float[Tensor, " b"] | None]:
        """Both numbers of the next pairs of a system, in [0, 1] pictures; nothing where nothing is asked for.

        keypoints, visibility: of the target where they are known; else what the model finds in the true picture.
        """
        if not self.every:
            return {}
        if self.problem:
            return dict.fromkeys(WORDS)
        key = system if isinstance(system, str) else id(system)
        values = torch.full((2, len(made)), torch.nan)
        for i in range(len(made)):
            number = self._pairs[key]
            self._pairs[key] += 1
            if number % self.every:
                continue
            if number not in self._truths:
                person = _find(truth[i])
                known = keypoints is not None and visibility is not None
                error = _apart(person, keypoints[i], visibility[i], truth.shape[-2:]) if known else torch.nan
                self._truths[number] = person, error
            person = _find(made[i])
            values[0, i] = person is not None
            if keypoints is not None and visibility is not None:
                values[1, i] = _apart(person, keypoints[i], visibility[i], made.shape[-2:])
            elif (true := self._truths[number][0]) is not None:
                values[1, i] = _apart(person, true.keypoints, true.visibility, made.shape[-2:])
        return dict(zip(WORDS, values.to(made), strict=True))

    @property
    def notes(self) -> list[str]:
        """What a reader of the table must know: why the numbers are missing, or what the true pictures get."""
        if not self.every:
            return []
        if self.problem:
            return [f"pose_found and pose_error are missing: {self.problem}"]
        there = [person is not None for person, _ in self._truths.values()]
        errors = torch.tensor([error for _, error in self._truths.values()])
        errors = errors[errors.isfinite()]
        line = f"pose_found of the {len(there)} true pictures: {sum(there) / max(1, len(there)):.3f}"
        return [line + (f"; pose_error of them: {errors.mean():.2f}" if len(errors) else "")]


def _problem() -> str | None:
    """Why the model cannot be asked; None where it can."""
    try:
        run_model("pose_detection", np.zeros((224, 224, 3), np.float32))
    except InputError as error:
        return str(error)
    return None


def _find(image: Tensor) -> FoundPerson | None:
    """The largest person; that there seem to be others in a made picture is no news."""
    log = logging.getLogger(find_person.__module__)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        return find_person(image.detach().float().clamp(0, 1).cpu())
    except InputError:
        return None
    finally:
        log.setLevel(before)


def _apart(person: FoundPerson | None, keypoints: Tensor, visibility: Tensor, size: tuple[int, int]) -> float:
    """Mean distance of the joints that both show, percent of the height; NaN where there is none."""
    if person is None:
        return torch.nan
    both = (person.visibility == 2) & (visibility.cpu() == 2)
    here, there = (norm_to_points(points.cpu()[both], size) for points in (person.keypoints, keypoints))
    return float((here - there).norm(dim=-1).mean() / size[0] * 100)
