"""Weight files that share a network: it is stored once, read from there, and never another one in its place."""

import json
import shutil

import pytest
import torch

from posekit.reference import reference_weights
from posekit.systems import build
from posekit.training.shared_parts import part_hash, part_tensors
from posekit.training.weights import load_weights, read_weight_card, save_weights
from posekit.util.errors import InputError
from posekit.util.tensors import read_tensors, write_tensors
from tests.synthetic import TINY, make_batch


@pytest.fixture
def files(tmp_path):
    """A full system, and a variant with its f and a g of its own."""
    full = build("coordinate_inpainting", seed=0, **TINY).eval()
    other = build("coordinate_inpainting", seed=1, **TINY).eval()
    other.f.load_state_dict(full.f.state_dict())
    first = save_weights(full, tmp_path / "full.safetensors")
    return other, first, save_weights(other, tmp_path / "other.safetensors", shared={"f": first}, steps=3)


def test_the_shared_network_is_stored_once_and_read_again(files, tmp_path):
    other, first, second = files
    assert {name.split(".")[0] for name in read_tensors(second)[0]} == {"g"}
    whole = save_weights(other, tmp_path / "whole.safetensors")
    assert second.stat().st_size < 0.8 * whole.stat().st_size
    pair = make_batch(1, 40)
    assert torch.equal(load_weights(second)(pair).image, load_weights(whole)(pair).image)
    card = read_weight_card(second)
    assert card["shared"]["f"]["file"] == "full.safetensors"
    assert card["steps"] == 3
    assert "parts" not in card


def test_another_network_is_neither_shared_nor_taken(files, tmp_path):
    other, first, second = files
    with pytest.raises(InputError, match=r"full.safetensors holds another g, or none; leave shared out"):
        save_weights(other, tmp_path / "third.safetensors", shared={"g": first})
    save_weights(build("coordinate_inpainting", seed=5, **TINY), first)
    with pytest.raises(InputError, match=r"full.safetensors holds another f than other.safetensors needs"):
        load_weights(second)


def test_a_file_alone_says_what_it_lacks(files, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(files[2], alone)
    with pytest.raises(InputError, match=r"other.safetensors shares f with full.safetensors, which must lie beside it"):
        load_weights(alone / "other.safetensors")


@pytest.mark.parametrize(
    "shared", ["f", {"f": "full.safetensors"}, {"f": {"file": "../full.safetensors"}}, {"f": {"file": 3}}]
)
def test_a_card_that_points_elsewhere_is_refused(files, shared):
    second = files[2]
    tensors, metadata = read_tensors(second)
    card = json.loads(metadata["posekit"]) | {"shared": shared}
    write_tensors(second, tensors, {"posekit": json.dumps(card)})
    with pytest.raises(InputError, match="does not say which file beside it"):
        load_weights(second)


def test_what_the_package_ships_is_whole_and_small():
    """The three applications of coordinates share f with the laptop weights."""
    sizes = {path.name: path.stat().st_size for path in reference_weights()}
    sharing = [path for path in reference_weights() if "shared" in read_weight_card(path)]
    assert [path.stem for path in sharing] == [
        "coordinate_inpainting-laptop-garments", "coordinate_inpainting-laptop-keypoints",
        "coordinate_inpainting-laptop256-keypoints", "coordinate_inpainting-laptop256",
    ]  # fmt: skip
    applications = [path.name for path in sharing if "256" not in path.name] + [
        "coordinate_inpainting-face.safetensors"
    ]
    assert sum(sizes[name] for name in applications) < 8e6
    assert sum(size for name, size in sizes.items() if "256" in name) < 2e6
    for path in sharing:
        for part, entry in read_weight_card(path)["shared"].items():
            theirs = part_tensors(read_tensors(path.with_name(entry["file"]))[0], part)
            assert part_hash(theirs) == entry["hash"]
