"""The register of systems, their description, stages, and the sentences about wrong names."""

import dataclasses

import pytest
import torch

from posekit.systems import SYSTEMS, build
from posekit.systems.base import Stage, count_parameters, describe
from posekit.util.errors import InputError
from tests.synthetic import TINY, make_batch


def test_paper_preset_has_the_published_counts():
    system = build("coordinate_inpainting", "paper")
    assert count_parameters(system.f) == 2_824_866
    assert count_parameters(system.g) == 11_332_611
    table = str(describe(system))
    assert "2,824,866 parameters" in table
    assert "11,332,611 parameters + 50,373 spectral-norm vector entries = 11,382,984" in table
    assert [row.value for row in describe(system) if row.name == "loss style"] == ["weight 100000"] * 2


def test_laptop_preset_is_small():
    system = build("coordinate_inpainting", "laptop")
    parameters = sum(count_parameters(system.get_submodule(name)) for name in system.inference_parts)
    assert 2 * parameters < 4e6  # bytes in half precision


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_every_system_is_described(name):
    rows = describe(build(name))
    assert rows[0].value == name
    assert all(row.section and row.name for row in rows)


def test_a_setting_of_the_wrong_type_is_one_sentence():
    with pytest.raises(InputError, match="coordinate_inpainting has the wrong type .*; got image_size='big'"):
        build("coordinate_inpainting", image_size="big")


def test_the_seed_decides_the_weights_and_nothing_else_is_drawn():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    a, b, c = (build("coordinate_inpainting", seed=seed, **TINY) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(a.f.last.weight, b.f.last.weight)
    assert not torch.equal(a.f.last.weight, c.f.last.weight)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(InputError, match="Unknown system 'coordinate_inpaint'; did you mean 'coordinate_inpainting'"):
        build("coordinate_inpaint")
    with pytest.raises(InputError, match="Unknown preset 'laptob'; did you mean 'laptop'\\? known: face, laptop,"):
        build("coordinate_inpainting", "laptob")
    with pytest.raises(
        InputError, match="Unknown variant 'deform'.*full, garments, keypoints, no_deform, no_textures, rgb"
    ):
        build("coordinate_inpainting", variant="deform")
    with pytest.raises(InputError, match="Unknown setting 'width'; .*f_width"):
        build("coordinate_inpainting", width=3)
    with pytest.raises(InputError, match="Unknown reading 'mainn'"):
        build("coordinate_inpainting", reading="mainn")
    with pytest.raises(InputError, match="atlas_size must be a multiple of 4 of at least 36, got 34"):
        build("coordinate_inpainting", atlas_size=34)
    with pytest.raises(InputError, match="decay is a share"):
        build("coordinate_inpainting", decay=2.0)
    with pytest.raises(InputError, match="f_lr must be positive"):
        build("coordinate_inpainting", f_lr=0.0)


def test_rate_falls_linearly_over_the_last_share():
    stage = Stage(name="s", parts=("f",), weights={}, steps=10, batch_size=1, decay=0.5)
    assert [stage.rate(step) for step in (0, 4, 5, 6, 9)] == pytest.approx([1, 1, 1, 0.8, 0.2])
    assert Stage(name="s", parts=(), weights={}, steps=10, batch_size=1).rate(9) == 1
    with pytest.raises(InputError, match="batch of at least 1"):
        Stage(name="s", parts=(), weights={}, steps=10, batch_size=0)


def test_copy_source_hands_back_the_source():
    pair = make_batch(2, 40)
    system = build("copy_source")
    assert torch.equal(system(pair).image, pair.source.image)
    assert system.stages() == []


@pytest.mark.parametrize("name", [name for name, cls in SYSTEMS.items() if cls.OURS])
def test_what_a_paper_does_not_give_is_marked_ours(name):
    cls = SYSTEMS[name]
    for preset, settings in cls.OURS.items():
        fields = [f.name for f in dataclasses.fields(cls.PRESETS[preset])]
        assert set(settings) <= set(fields)
        with torch.device("meta"):
            rows = {row.name: row.value for row in describe(build(name, preset)) if row.section == "system"}
        assert {key for key in fields if rows[key].endswith("  (ours)")} == set(settings)
        assert "do not give it" in rows["(ours)"]
    assert "(ours)" not in str(describe(build(name, "laptop")))
