"""Weights between two trainings: the mean of a network before and after it was trained on.

A network that is trained on gains on what it is shown and loses some of what it knew; along the straight line between
the two, both can be better than at either end (M. Wortsman et al., Robust Fine-Tuning of Zero-Shot Models, CVPR 2022).
"""

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from posekit.util.errors import InputError

_ROUNDS = 50  # of the power iteration of spectral normalisation, one each time that a weight is asked for


@torch.no_grad()
def mix_weights(network: nn.Module, before: nn.Module, share: float) -> None:
    """Set every weight of ``network`` to share x its own + (1 - share) x that of ``before``, a network of its kind.

    share: from 0 (as before) to 1 (as it is).  The vectors of spectral normalisation are estimated anew, since those
    of two matrices say nothing of a third one's.  Raises InputError for other shares.
    """
    if not 0 <= share <= 1:
        raise InputError(f"share is a number from 0 to 1, got {share}.")
    theirs = dict(before.named_parameters())
    for name, own in network.named_parameters():
        own.lerp_(theirs[name].to(own), 1 - share)
    training = network.training
    network.train()
    for module in network.modules():
        if is_parametrized(module, "weight"):
            for _ in range(_ROUNDS):
                _ = module.weight
    network.train(training)
