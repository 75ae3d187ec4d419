"""What coordinate-based texture inpainting computes on its way, under the symbols of the paper."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from posekit.systems.base import Result
from posekit.systems.rough_pose import Drawn


@dataclass(frozen=True, kw_only=True)
class CoordinateResult(Result):
    """Everything on the way from a source to a new photograph; None where the variant has no such map.

    | field    | shape     | meaning |
    |----------|-----------|---------|
    | C        | b 2 t t   | position (x, y) in S of every known texel, 0 elsewhere |
    | known    | b 1 t t   | C': 1 where the source shows the texel |
    | observed | b 3 t t   | colour of every known texel, 0 elsewhere |
    | D        | b 2 t t   | completed coordinate texture |
    | T        | b 3 t t   | completed colour texture |
    | W        | b 3 h w   | T in the target frame, 0 off the body |
    | E        | b 2 h w   | D in the target frame, 0 off the body |
    | M_N      | b 2 h w   | the target's map where it was read from joints, 0 off the body |
    | image    | b 3 h w   | the new photograph in [0, 1] |
    """

    C: Float[Tensor, "b 2 t t"] | None = None
    known: Float[Tensor, "b 1 t t"] | None = None
    observed: Float[Tensor, "b 3 t t"] | None = None
    D: Float[Tensor, "b 2 t t"] | None = None
    T: Float[Tensor, "b 3 t t"] | None = None
    W: Float[Tensor, "b 3 h w"] | None = None
    E: Float[Tensor, "b 2 h w"] | None = None
    M_N: Float[Tensor, "b 2 h w"] | None = None


@dataclass(frozen=True, kw_only=True)
class SurfaceResult(Result):
    """What the network says of drawn poses, with the truth: scores and positions of `PoseToSurface`, and `Drawn`."""

    scores: Float[Tensor, "b 25 h w"]
    positions: Float[Tensor, "b 24 2 h w"]
    truth: Drawn
