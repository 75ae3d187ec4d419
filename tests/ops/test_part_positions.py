"""The part that wins says where: against a loop, across the cuts of the atlas, gradients, bad input."""

import pytest
import torch

from posekit.losses.surface import part_cross_entropy, part_position_l1
from posekit.ops.part_positions import position_of_part, winning_part
from posekit.util.errors import InputError


def random_maps(b=2, h=5, w=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(b, 25, h, w, generator=generator)
    positions = 2 * torch.rand(b, 24, 2, h, w, generator=generator) - 1
    return scores, positions


def test_naive_twin():
    scores, positions = random_maps()
    part, uv, mask = winning_part(scores, positions)
    for b in range(2):
        for y in range(5):
            for x in range(4):
                best = max(range(25), key=lambda k: scores[b, k, y, x].item())
                assert part[b, 0, y, x] == best
                assert mask[b, 0, y, x] == (best > 0)
                expected = positions[b, best - 1, :, y, x] if best else torch.zeros(2)
                assert torch.equal(uv[b, :, y, x], expected)


def test_nothing_is_averaged_across_a_cut():
    """Left half part 1 at u = -1, right half part 2 at u = 1; enlarged, there is nothing in between."""
    scores = torch.full((1, 25, 4, 4), -9.0)
    scores[:, 1, :, :2], scores[:, 2, :, 2:] = 9.0, 9.0
    positions = torch.zeros(1, 24, 2, 4, 4)
    positions[:, 0, 0], positions[:, 1, 0] = -1.0, 1.0
    part, uv, mask = winning_part(scores, positions, (32, 32))
    assert part.shape == (1, 1, 32, 32)
    assert set(uv[:, 0].unique().tolist()) == {-1.0, 1.0}
    assert set(part.unique().tolist()) == {1, 2}
    assert bool(mask.all())


def test_an_outline_comes_out_smooth():
    """A slanted outline, enlarged before the choice, is nearer to the line than one chosen before it."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")
    score = x + 0.3 * y
    scores = torch.cat([-score[None], score[None], torch.full((23, 16, 16), -9.0)])[None]
    positions = torch.zeros(1, 24, 2, 16, 16)
    ours = winning_part(scores, positions, (128, 128))[2][0, 0]
    blocks = winning_part(scores, positions)[2].repeat_interleave(8, 2).repeat_interleave(8, 3)[0, 0]
    at = (torch.arange(128) + 0.5) / 8 - 0.5  # in units of the small picture's pixels
    line = ((at[None] / 7.5 - 1) + 0.3 * (at[:, None] / 7.5 - 1) > 0).float()
    assert (ours - line).abs().mean() < 0.3 * (blocks - line).abs().mean()


def test_losses_against_a_loop():
    scores, positions = random_maps(seed=1)
    part = torch.randint(0, 25, (2, 1, 5, 4), generator=torch.Generator().manual_seed(2))
    uv = 2 * torch.rand(2, 2, 5, 4, generator=torch.Generator().manual_seed(3)) - 1
    nats, distances = [], []
    for b in range(2):
        for y in range(5):
            for x in range(4):
                k = int(part[b, 0, y, x])
                s = scores[b, :, y, x]
                nats.append(-(s[k] - s.exp().sum().log()))
                if k:
                    distances += (positions[b, k - 1, :, y, x] - uv[b, :, y, x]).abs().tolist()
    assert part_cross_entropy(scores, part).item() == pytest.approx(torch.stack(nats).mean().item(), rel=1e-5)
    assert part_position_l1(positions, part, uv).item() == pytest.approx(sum(distances) / len(distances), rel=1e-5)


def test_gradients_reach_the_true_part_alone():
    _, positions = random_maps(1, 2, 2)
    positions = positions.double().requires_grad_()
    part = torch.tensor([[[[3, 0], [24, 3]]]])
    assert torch.autograd.gradcheck(lambda p: position_of_part(p, part), positions)
    part_position_l1(positions, part, torch.zeros(1, 2, 2, 2, dtype=torch.double)).backward()
    touched = positions.grad.abs().amax((0, 2)) > 0  # 24 2 2
    assert touched[2].tolist() == [[True, False], [False, True]]
    assert touched[23].tolist() == [[False, False], [True, False]]
    assert touched.sum() == 3


def test_nobody_in_the_picture():
    _, positions = random_maps(1, 2, 2)
    positions.requires_grad_()
    loss = part_position_l1(positions, torch.zeros(1, 1, 2, 2, dtype=torch.long), torch.zeros(1, 2, 2, 2))
    loss.backward()
    assert loss.item() == 0
    assert positions.grad.abs().max() == 0


def test_bad_shapes(unchecked):
    scores, positions = random_maps()
    with pytest.raises(InputError, match=r"expected positions \(b, 24, 2, h, w\) and parts"):
        position_of_part(positions, torch.zeros(2, 1, 4, 4, dtype=torch.long))
    with pytest.raises(InputError, match=r"expected scores \(b, 25, h, w\)"):
        winning_part(scores[:, :24], positions)
    with pytest.raises(InputError, match=r"expected scores \(b, 25, h, w\)"):
        winning_part(scores, positions[..., :3])
