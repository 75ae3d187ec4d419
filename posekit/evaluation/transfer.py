"""Put a photographed person into another pose: one call of a system, whatever state it is in."""

import torch

from posekit.person import Pair, Person
from posekit.systems.base import Result, System


def transfer(source: Person, target: Person, system: System, **how: bool) -> Result:
    """The person of ``source`` in the pose of ``target``, and every intermediate, as a batch.

    Only the map of ``target`` is looked at, its image may be black.  Single photographs become a batch of one.
    how: what the system's ``forward`` takes beside the pair.
    The system is used in evaluation mode and left as it was; nothing is differentiated.
    """
    pair = Pair(source, target).batched()
    was_training = system.training
    system.eval()
    try:
        with torch.no_grad():
            return system(pair, **how)
    finally:
        system.train(was_training)
