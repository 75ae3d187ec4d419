"""Looking at a training without changing it; a memory that leaks; verdicts on pictures that do not change."""

import copy

import numpy as np
import pytest
import torch
from posekit_course.full_training import probes

from posekit.ops.splat import splat
from posekit.systems import build
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs, make_batch, make_pair, make_person

DATA = SyntheticPairs(4, 40)
OPTIONS = {"device": "cpu", "progress": False, "log_every": 1}


def tiny(seed=0):
    return build("coordinate_inpainting", seed=seed, **TINY)


def test_a_run_with_snapshots_is_bit_for_bit_the_run_without():
    snapshots = probes.Snapshots(make_pair(2, 40), at=(1, 2))
    watched, alone = tiny(), tiny()
    with_them = fit(watched, DATA, options=TrainingOptions(steps=3, **OPTIONS), on_step=snapshots)
    without = fit(alone, DATA, options=TrainingOptions(steps=3, **OPTIONS))
    assert [r["losses"] for r in with_them] == [r["losses"] for r in without]
    for (name, a), b in zip(watched.state_dict().items(), alone.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    stages = [stage.name for stage in tiny().stages()]
    assert list(snapshots.kept) == [(stage, step) for stage in stages for step in (1, 2, 3)]  # and each stage's last
    assert snapshots.inside == "W"
    for inside, photograph in snapshots.kept.values():
        assert inside.shape == photograph.shape == (3, 40, 40)
        assert 0 <= photograph.min() <= photograph.max() <= 1
    first, last = snapshots.kept[stages[1], 1][1], snapshots.kept[stages[1], 3][1]
    assert not torch.equal(first, last)


def test_modes_and_random_numbers_are_put_back_even_after_an_error():
    system = tiny()
    system.g.train()
    system.f.eval()
    before, modes = torch.get_rng_state(), [m.training for m in system.modules()]

    def stumble():
        with probes.as_it_is(system):
            assert not system.g.training
            torch.rand(3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    assert [m.training for m in system.modules()] == modes
    assert torch.equal(torch.get_rng_state(), before)


def test_photographs_are_those_of_the_system_in_batches():
    system, pairs = tiny().eval(), [make_pair(i, 40) for i in range(3)]
    made = probes.made_photographs(system, pairs, batch=2)
    with torch.no_grad():
        torch.testing.assert_close(made[2:], system(pairs[2].batched()).image)
    assert made.shape == (3, 3, 40, 40)
    assert not made.requires_grad


def test_inside_is_the_texture_the_moved_source_or_nothing():
    system, pair = tiny().eval(), make_batch(1, 40)
    result = system(pair)
    assert probes.picture_inside(result) == ("W", result.W)
    assert probes.picture_inside(system(pair, image=False)) is not None
    assert probes.picture_inside(build("copy_source")(pair)) is None
    assert probes.side_of(system) == TINY["image_size"]
    assert probes.side_of(build("copy_source")) == 128
    assert set(probes.baselines(system)) == {"source copied", "nearest texel", "mirrored texel"}


def test_settings_of_a_run():
    for name in ("coordinate_inpainting", "deformable_gan", "spatial_transformation"):
        small = build(name, **probes.settings_of(name, "laptop", "", "auto"))
        assert probes.size_of(small) == probes.side_of(small) == 64
        assert probes.settings_of(name, "paper", "", "auto") == {}
    assert probes.settings_of("copy_source", "laptop", "", "auto") == {}
    assert probes.settings_of("deformable_gan", "laptop", "dsc", "{width: 4}") == {"width": 4, "variant": "dsc"}
    market = build("deformable_gan", "market", width=4, reading="laptop", feature_width=4)
    assert probes.size_of(market) == (128, 64)
    assert probes.side_of(market) == 128


@pytest.mark.parametrize("wrong", ["", "image_size=64", "{image_size: 64", "[1, 2]"])
def test_overrides_that_are_no_mapping_are_refused(wrong):
    with pytest.raises(InputError, match="overrides is a YAML mapping such as .image_size: 64"):
        probes.settings_of("coordinate_inpainting", "laptop", "", wrong)


def test_callbacks_are_called_in_order():
    heard = []
    call = probes.call_each(*(lambda *a, n=n: heard.append((n, a)) for n in range(2)))
    call("system", "stage", 3)
    assert heard == [(0, ("system", "stage", 3)), (1, ("system", "stage", 3))]


# ------------------------------------------------------------------------------------------------------- the memory


def test_texels_of_one_photograph_and_the_mean_of_several():
    photos = [make_person(i // 2, i % 2, 40) for i in range(4)]
    colours, known = probes.texels(photos, 24)
    each = [splat(p.image[None], p.uv[None], (24, 24), p.mask[None]) for p in photos]
    torch.testing.assert_close(colours[1:2], each[1].values)
    assert torch.equal(known[3:], each[3].known)
    colours, known = probes.texels(photos, 24, together=2)
    assert colours.shape == (2, 3, 24, 24)
    both = (each[2].known * each[3].known)[0, 0] > 0
    assert torch.equal(known[1:], torch.maximum(each[2].known, each[3].known))
    torch.testing.assert_close(colours[1][:, both], ((each[2].values + each[3].values) / 2)[0][:, both])


def test_memory_recognises_whom_it_has_seen_and_keeps_what_the_source_knows():
    source = probes.texels([make_person(i, 0, 48) for i in (5, 3)], 24)
    memory = probes.texels([make_person(i, 1, 48) for i in range(8)], 24)
    guess, best = probes.remembered(source, memory)
    assert best.tolist() == [5, 3]
    known = source[1] > 0
    assert torch.equal(torch.where(known, guess, 0), torch.where(known, source[0], 0))
    only_memory = ((1 - source[1][0]) * memory[1][5] > 0).expand(3, -1, -1)
    assert torch.equal(guess[0][only_memory], memory[0][5][only_memory])
    neither = ((1 - source[1][0]) * (1 - memory[1][5]))[0] > 0
    torch.testing.assert_close(guess[0][:, neither][:, 0], source[0][0][:, source[1][0, 0] > 0].mean(1))


class SyntheticPeople:
    """People as StudioPeople has them, without rendering: 8 of 10 numbers are for training."""

    def __init__(self, people, views, size, seed, split, progress):
        assert split == "train"
        self.numbers, self.size = [n for n in range(people) if n % 10 < 8], size

    def person(self, i, view):
        return make_person(self.numbers[i], view, self.size)


def test_split_by_photograph_leaks(monkeypatch):
    monkeypatch.setattr(probes, "StudioPeople", SyntheticPeople)
    found = probes.leak(20, size=48, views=4, atlas=32)
    assert found.by_person.shape == found.by_photograph.shape == (8,)
    tested = {person.identity for person in found.source}
    assert not tested & {person.identity for person in found.chosen["by person"]}
    assert {person.identity for person in found.chosen["by photograph"]} <= tested
    assert found.recognised > 0.8
    assert found.by_photograph.mean() < 0.6 * found.by_person.mean()
    for source, target in zip(found.source, found.target, strict=True):
        assert source.identity == target.identity
        assert source.name != target.name
    with pytest.raises(InputError, match="three views, got 8 and 2"):
        probes.leak(10, size=48, views=2)


# ------------------------------------------------------------------------------------------------------ the verdicts


def test_losses_of_a_critic_on_fixed_pictures_are_those_of_the_library():
    system, batch = tiny(), make_batch(2, 40)
    own = system.discriminator
    with torch.no_grad():
        result = system.eval()(batch)
    before = copy.deepcopy(result.image)
    critics = [tiny(seed).discriminator for seed in (1, 2)]
    fresh = copy.deepcopy(critics[1])
    found = probes.verdicts_on_fixed(system, batch, result, critics, 4)
    assert len(found) == 8
    assert torch.equal(result.image, before)
    assert system.discriminator is own
    system.discriminator = fresh.train()
    with torch.no_grad():
        expected = system.losses(batch, result, ("adversarial",))["adversarial"]
    assert found[4][1] == pytest.approx(float(expected), abs=1e-6)
    assert np.isfinite(found).all()
    assert found[3][0] < found[0][0]  # it learns
