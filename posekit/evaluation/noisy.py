"""A system that is shown the maps and joints of an estimator, and measured against what is true.

    evaluate({f"noise {level}": Noisy(system, level) for level in (0, 1, 2)}, pairs)

The pairs stay exact, so that the photographs are compared with the same targets on the same regions; the noise is on
what the system is given alone.
"""

import zlib

import numpy as np
from jaxtyping import Float
from torch import Tensor

from posekit.data.estimator_noise import EstimatorNoise
from posekit.data.joint_noise import JointNoise
from posekit.person import Pair, Person, collate_pairs
from posekit.systems.base import Result, System
from posekit.util.errors import InputError

_MAPS, _JOINTS = EstimatorNoise(), JointNoise()
WORDS = (
    f"noise of level L: maps displaced by up to {_MAPS.jitter:g} L pixels, a part missing with probability "
    f"{_MAPS.part_dropout:g} L, a hand with {_MAPS.missing_hands:g} L; joints displaced by {_JOINTS.jitter:g} L pixels "
    f"(standard deviation), missing with probability {_JOINTS.dropout:g} L; of source and target"
)


class Noisy(System):
    """``system``, whose pairs get noise of a level: 0 none, 1 the defaults of both kinds of noise, more is worse."""

    def __init__(self, system: System, level: float, seed: int = 0):
        if level < 0:
            raise InputError(f"The level of noise is 0 or more, got {level}.")
        super().__init__(system.config, system.preset)
        self.name = system.name
        self.system, self.level, self._seed = system, level, seed
        dropout, hands = (min(1.0, level * chance) for chance in (_MAPS.part_dropout, _MAPS.missing_hands))
        self._maps = EstimatorNoise(dropout, hands, level * _MAPS.jitter, _MAPS.smoothness)
        self._joints = JointNoise(level * _JOINTS.jitter, min(1.0, level * _JOINTS.dropout))

    def wanted(self, pair: Pair) -> Float[Tensor, "b 3 h w"]:
        """What the system is to make of the exact pair."""
        return self.system.wanted(pair)

    def forward(self, pair: Pair) -> Result:
        """What the system makes of the spoilt pair; a photograph is spoilt in the same way wherever it comes."""
        if self.level == 0:
            return self.system(pair)
        device = pair.source.image.device
        pairs = [pair.to("cpu")[i] for i in range(len(pair.source.image))]
        spoilt = [Pair(self._spoil(p.source), self._spoil(p.target), p.neighbours) for p in pairs]
        return self.system(collate_pairs(spoilt).to(device))

    def _spoil(self, person: Person) -> Person:
        rng = np.random.default_rng([self._seed, zlib.crc32(str(person.name).encode())])
        person = self._maps(person, rng) if person.part is not None else person
        return self._joints(person, rng) if person.keypoints is not None else person
