"""Between two networks: the ends, the middle, and spectral normalisation on the way."""

from copy import deepcopy

import pytest
import torch

from posekit.nets.deformable_hourglass import DeformableHourglass
from posekit.training.mix import mix_weights
from posekit.util.errors import InputError


@pytest.fixture
def networks():
    torch.manual_seed(0)
    return DeformableHourglass(3, None, width=4).eval(), DeformableHourglass(3, None, width=4).eval()


def test_the_ends_and_the_middle(networks):
    before, after = networks
    for share in (0.0, 0.5, 1.0):
        mixed = deepcopy(after)
        mix_weights(mixed, before, share)
        assert not mixed.training
        for own, a, b in zip(mixed.parameters(), after.parameters(), before.parameters(), strict=True):
            torch.testing.assert_close(own, share * a + (1 - share) * b)


def test_the_norm_of_a_mixed_layer_is_its_own(networks):
    """The largest singular value of the layer that is used is 1, as spectral normalisation promises."""
    before, mixed = networks
    mix_weights(mixed, before, 0.5)
    weight = mixed.last.weight.detach().flatten(1)
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_shares(networks, share):
    with pytest.raises(InputError, match="share is a number from 0 to 1"):
        mix_weights(*networks, share)
