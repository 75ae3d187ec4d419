"""Systems that learn nothing: the laziest one, the factory of all, and both beside the one to be measured."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from posekit.person import Pair
from posekit.systems.base import Result, System, choose
from posekit.systems.texel_fill import TexelFill, TexelFillConfig

BASELINES = ("copy_source", "nearest", "mirror")


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


def baseline(
    name: str, atlas_size: int = 128, *, trim: int = 0, mirror: Float[Tensor, "2 a a"] | None = None, atlas: str = ""
) -> System:
    """A system without learning.

    baseline("copy_source")                       the source photograph, whatever the pose
    baseline("nearest", 256)                      unknown texels take the colour of the nearest known one
    baseline("mirror", 256, mirror=table)         first from the body's other half: the table belongs to the atlas

    atlas_size: texels along an edge.  trim: pixels by which the source's outline is cut.  atlas: of the maps and of the
    mirror table; "" takes any.  See `TexelFillConfig`.
    Raises InputError for an unknown name; "mirror" without its table raises it when it is used.
    """
    if choose("baseline", name, BASELINES) == "copy_source":
        return CopySource()
    return TexelFill(TexelFillConfig(variant=name, atlas_size=atlas_size, trim=trim, atlas=atlas), mirror=mirror)


def beside_baselines(system: System) -> dict[str, System]:
    """The system to measure, below the two that learn nothing; keys are the names in a table's header."""
    nearest = baseline("nearest", getattr(system.config, "atlas_size", 128))
    return {"source copied": baseline("copy_source"), "nearest texel": nearest, system.name: system}
