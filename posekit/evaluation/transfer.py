"""Put a photographed person into another pose: one call of a system, whatever state it is in."""

import torch

from posekit.person import Pair, Person
from posekit.systems.base import Result, System, evaluating


def transfer(source: Person, target: Person, system: System, **how: bool) -> Result:
    """The person of ``source`` in the pose of ``target``, and every intermediate, as a batch.

    Of ``target`` the map is looked at, the joints by systems that need them; its image by garment transfer alone, so it
    may be black elsewhere.  Single photographs become a batch of one.
    how: what the system's ``forward`` takes beside the pair.
    The system is used in evaluation mode and left as it was; nothing is differentiated.
    """
    with evaluating(system), torch.no_grad():
        return system(Pair(source, target).batched(), **how)
