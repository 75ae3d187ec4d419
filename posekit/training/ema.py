"""Exponential moving average of the trained weights: smoother photographs than the last step's weights make."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from posekit.systems.base import System


class EMA:
    """The average of the parameters of some parts of a system.

        average <- decay * average + (1 - decay) * weights          after every step

    The first step sets the average to the weights.  ``decay=0`` keeps none.  Statistics of BatchNorm are no average
    of weights and stay the last step's, as do the vectors of spectral normalisation.
    """

    def __init__(self, system: System, parts: Sequence[str], decay: float):
        self._update = get_ema_multi_avg_fn(decay)
        named = dict(system.named_parameters()) if decay else {}
        self._weights = {name: p for name, p in named.items() if name.split(".")[0] in parts}
        self._average: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights of one more step."""
        if not self._average:
            self._average = {name: weight.detach().clone() for name, weight in self._weights.items()}
        elif self._weights:
            self._update(list(self._average.values()), list(self._weights.values()), None)

    @torch.no_grad()
    def apply(self) -> None:
        """Put the averages in place of the weights."""
        for name, average in self._average.items():
            self._weights[name].copy_(average)

    def tensors(self) -> dict[str, Tensor]:
        """The averages by the names of the weights, for a checkpoint."""
        return dict(self._average)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put the tensors of a checkpoint back."""
        self._average = {name: tensors[name].to(weight.device) for name, weight in self._weights.items()}
