"""What a photograph costs, against numbers that can be written down."""

import pytest
import torch
from torch import nn

from posekit.evaluation.cost import cost
from posekit.systems import build
from posekit.systems.base import Result, System
from posekit.util.errors import InputError
from tests.synthetic import TINY, make_batch


class OneConvolution(System):
    """8 channels and back, by 3 x 3 convolutions without bias, and a critic that makes no photograph."""

    name = "one_convolution"
    inference_parts = ("net",)

    def __init__(self):
        super().__init__(None)
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Conv2d(8, 3, 3, padding=1, bias=False))
        self.critic = nn.Linear(100, 100)
        self.calls = 0

    def forward(self, pair):
        self.calls += 1
        return Result(image=self.net(pair.source.image))


def test_a_network_that_can_be_reckoned():
    system, pair = OneConvolution(), make_batch(1, 40)
    measured = cost(system, pair, rounds=3)
    assert measured.parameters == 2 * 8 * 3 * 9
    assert measured.gflops == pytest.approx(2 * 2 * 8 * 3 * 9 * 40 * 40 / 1e9)
    assert measured.milliseconds > 0
    assert system.calls == 2 + 3 + 2
    weights = 4 * sum(p.numel() for p in system.parameters())
    maps = 4 * (8 + 3) * 40 * 40  # both layers' results, alive together once
    assert measured.peak_mb == pytest.approx((weights + maps) / 1e6, rel=0.2)


def test_published_systems_are_measured_and_left_as_they_were():
    system, pair = build("coordinate_inpainting", **TINY), make_batch(1, 40)
    before = {name: x.clone() for name, x in system.state_dict().items()}
    measured = cost(system, pair, rounds=1)
    assert measured.parameters == sum(p.numel() for part in (system.f, system.g) for p in part.parameters())
    assert measured.gflops > 0.01
    assert measured.peak_mb > 0.1
    assert all(torch.equal(x, before[name]) for name, x in system.state_dict().items())


def test_one_photograph_at_a_time():
    with pytest.raises(InputError, match="a batch of one; got 2"):
        cost(OneConvolution(), make_batch(2, 40))
