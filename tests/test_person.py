"""Person and Pair: what is known is carried along, what is missing is named."""

import dataclasses

import pytest
import torch

from posekit.person import Pair, Person, collate_pairs, stack_persons
from posekit.systems import build
from posekit.util.errors import InputError
from tests.synthetic import TINY, make_batch, make_pair, make_person


def test_an_image_alone_is_a_person():
    person = Person(torch.rand(3, 8, 6), name="a")
    assert person.size == (8, 6)
    batch = stack_persons([person, person])
    assert batch.is_batch
    assert batch.uv is None
    assert batch.mask is None
    assert torch.equal(batch[1].image, person.image)


def test_a_batch_keeps_what_everyone_has():
    whole = make_person(0, 0, 16)
    bare = dataclasses.replace(whole, uv=None, mask=None)
    assert stack_persons([whole, bare]).uv is None
    assert stack_persons([whole, whole]).uv is not None


def test_require_names_what_is_missing():
    pair = make_batch(2, 16)
    pair.require("uv", "mask")
    with pytest.raises(InputError, match="needs the fields keypoints, visibility of .*; 0_0, 1_0 has"):
        pair.require("uv", "keypoints", "visibility")
    bare = dataclasses.replace(pair, target=dataclasses.replace(pair.target, mask=None))
    with pytest.raises(InputError, match="needs the field mask of every photograph; 0_1, 1_1 has none"):
        bare.require("uv", "mask")
    with pytest.raises(InputError, match="becomes one with pair.batched"):
        make_pair(0, 16).require()


@pytest.mark.parametrize("system", ["coordinate_inpainting", "texel_fill"])
def test_systems_of_the_surface_say_that_they_need_its_map(system):
    pair = collate_pairs([make_pair(0, 40)])
    pair = dataclasses.replace(pair, source=dataclasses.replace(pair.source, uv=None, mask=None))
    settings = TINY if system == "coordinate_inpainting" else {}
    with pytest.raises(InputError, match=f"{system} needs the fields uv, mask"):
        build(system, **settings)(pair)


def test_the_atlas_travels_with_the_person():
    person = dataclasses.replace(make_person(0, 0, 16), atlas="smpl")
    batch = stack_persons([person, dataclasses.replace(person, atlas="studio")])
    assert batch.atlas == ("smpl", "studio")
    assert batch[1].atlas == "studio"
    assert person.batched().atlas == ("smpl",)
    assert person.to(torch.float64).atlas == "smpl"
    assert Person(torch.rand(2, 3, 8, 6), identity=("a", "b"), name=("c", "d"))[0].atlas == ""


def test_maps_of_two_atlases_do_not_meet():
    pair = make_pair(0, 40).batched()
    of = lambda source, target: Pair(  # noqa: E731
        dataclasses.replace(pair.source, atlas=(source,)), dataclasses.replace(pair.target, atlas=(target,))
    )
    system = build("coordinate_inpainting", **TINY)
    for fits in (of("studio", "studio"), of("", "studio"), of("", "")):
        system.check(fits)
    with pytest.raises(InputError, match="maps of a pair must be in one atlas, these are in 'smpl' and 'studio'"):
        build("texel_fill").check(of("smpl", "studio"))
    build("texel_fill").check(of("smpl", "smpl"))
    with pytest.raises(InputError, match="coordinate_inpainting works in the atlas 'studio', and these .* in 'tiles'"):
        system(of("tiles", "tiles"))
    of("smpl", "studio").require("image")  # where no map is needed, none is asked
