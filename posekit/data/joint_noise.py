"""Joints as a real estimator gives them: every joint a little off, some not detected."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from posekit.person import Person
from posekit.util.errors import InputError


@dataclass(frozen=True)
class JointNoise:
    """How bad the estimate is.

    jitter: standard deviation of each coordinate of a joint, in pixels.
    dropout: probability that a joint that was there is missing.
    """

    jitter: float = 1.0
    dropout: float = 0.03

    def __post_init__(self) -> None:
        if not 0 <= self.jitter < float("inf") or not 0 <= self.dropout <= 1:
            raise InputError(
                "jitter is a number of pixels from 0 up and dropout a probability from 0 to 1; "
                f"got {self.jitter} and {self.dropout}."
            )

    def __call__(self, person: Person, rng: np.random.Generator) -> Person:
        """The person with the joints that an estimator might have given; a single photograph."""
        if person.is_batch or person.keypoints is None or person.visibility is None:
            raise InputError("Joint noise needs a single photograph with its joints and their visibility, not a batch.")
        count, (h, w) = len(person.keypoints), person.size
        shift = rng.normal(size=(count, 2)) * self.jitter * [2 / w, 2 / h]  # a picture is 2 wide and 2 high
        missing = torch.from_numpy(rng.random(count) < self.dropout)
        return replace(
            person,
            keypoints=person.keypoints + torch.from_numpy(shift).to(person.keypoints),
            visibility=person.visibility.masked_fill(missing, 0),
        )
