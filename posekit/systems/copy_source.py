"""The laziest baseline: hand back the source photograph."""

from dataclasses import dataclass

from posekit.person import Pair
from posekit.systems.base import Result, System


@dataclass(frozen=True)
class CopySourceConfig:
    """Nothing to set."""

    variant: str = "full"


class CopySource(System):
    """The new photograph is the source photograph, whatever pose was asked for; nothing is learnt.

    What a system gains over this row is what it knows about the pose.
    """

    name = "copy_source"
    PRESETS = {"laptop": CopySourceConfig(), "paper": CopySourceConfig()}

    def __init__(self, config: CopySourceConfig | None = None, preset: str = "laptop"):
        super().__init__(config or CopySourceConfig(), preset)

    def forward(self, pair: Pair) -> Result:
        return Result(image=pair.source.image)
