"""Checkpoints and weight files: complete or absent, checked, and nothing but data in them."""

import json
import random
import shutil

import numpy as np
import pytest
import torch

from posekit.reference import load_reference, reference_log
from posekit.systems import build
from posekit.systems.base import describe
from posekit.training import checkpoint
from posekit.training.checkpoint import read_latest
from posekit.training.state import random_states, restore_random
from posekit.training.weights import load_weights, read_weight_card, save_weights, weight_card
from posekit.util.errors import InputError
from posekit.util.files import write_json
from posekit.util.tensors import read_tensors, write_tensors
from tests.synthetic import TINY, make_batch


@pytest.fixture(scope="module")
def system():
    return build("coordinate_inpainting", **TINY).eval()


def write(folder, system, step, optimizers=None):
    card = weight_card(system, total_step=step, stage=0, step=step)
    return checkpoint.save_checkpoint(folder, system, optimizers or {}, card)


def test_round_trip_restores_weights_optimiser_and_generators(system, tmp_path):
    optimiser = torch.optim.Adam(system.f.parameters(), lr=1e-3)
    system.losses(make_batch(1, 40), system(make_batch(1, 40), image=False))["identity"].backward()
    optimiser.step()
    write(tmp_path, system, 1, {"parts": optimiser})
    drawn = torch.rand(3), np.random.rand(3), random.random(), random.gauss(0, 1)  # noqa: NPY002

    other = build("coordinate_inpainting", seed=9, **TINY)
    other_optimiser = torch.optim.Adam(other.f.parameters(), lr=1e-3)
    card, model, rest = checkpoint.read_latest(tmp_path)
    checkpoint.restore(other, {"parts": other_optimiser}, model, rest)
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in system.state_dict().items())
    a, b = optimiser.state_dict()["state"], other_optimiser.state_dict()["state"]
    assert all(torch.equal(a[i][k], b[i][k]) for i in a for k in a[i])
    again = torch.rand(3), np.random.rand(3), random.random(), random.gauss(0, 1)  # noqa: NPY002
    assert torch.equal(drawn[0], again[0])
    assert (drawn[1] == again[1]).all()
    assert drawn[2:] == again[2:]
    assert card["versions"]["torch"] == torch.__version__


def test_a_checkpoint_of_one_process_is_restored_in_a_second_one(system, tmp_path):
    write(tmp_path, system, 1)
    other = build("coordinate_inpainting", seed=9, **TINY)
    _, model, rest = checkpoint.read_latest(tmp_path)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    checkpoint.restore(other, {}, model, rest, rank=1)
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in system.state_dict().items())
    assert torch.equal(torch.get_rng_state(), before)


def test_only_the_gpu_of_this_process_is_asked_for_its_generator(monkeypatch):
    """With stand-ins for CUDA's functions."""
    given = []
    stand_ins = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "get_rng_state": lambda: torch.arange(16, dtype=torch.uint8),
        "get_rng_state_all": lambda: pytest.fail("every GPU was asked"),
        "set_rng_state": lambda state, *device: given.append((state, device)),
    }
    for name, function in stand_ins.items():
        monkeypatch.setattr(torch.cuda, name, function)
    restore_random(random_states())
    ((state, device),) = given
    assert torch.equal(state, torch.arange(16, dtype=torch.uint8))
    assert device == ()


def test_the_last_two_are_kept(system, tmp_path):
    for step in (1, 2, 3):
        write(tmp_path, system, step)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000002", "step-00000003"]


def test_a_checkpoint_is_on_the_disk_before_an_older_one_goes(system, tmp_path, monkeypatch):
    for step in (1, 2):
        write(tmp_path, system, step)
    done, remove, sync = [], shutil.rmtree, checkpoint.to_disk
    monkeypatch.setattr(checkpoint, "to_disk", lambda path: (done.append(path.name), sync(path)))
    monkeypatch.setattr(shutil, "rmtree", lambda path, **more: (done.append(path.name), remove(path, **more)))
    write(tmp_path, system, 3)
    assert done.index(tmp_path.name) < done.index("step-00000001")


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "card", "half a card"])
def test_corrupt_newest_checkpoint_is_skipped_with_a_warning(system, tmp_path, damage):
    write(tmp_path, system, 1)
    newest = write(tmp_path, system, 2)
    file = newest / "model.safetensors"
    content = bytearray(file.read_bytes())
    if damage == "truncate":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        content[-5] ^= 1
        file.write_bytes(content)
    elif damage == "remove":
        file.unlink()
    elif damage == "half a card":
        card = json.loads((newest / "card.json").read_text())
        write_json(newest / "card.json", {"files": card["files"]})
    else:
        (newest / "card.json").write_text("{")
    with pytest.warns(UserWarning, match="Skipped: .*step-00000002"):
        card, _, _ = checkpoint.read_latest(tmp_path)
    assert card["total_step"] == 1


def test_all_corrupt_is_an_error_and_none_is_none(system, tmp_path):
    assert checkpoint.read_latest(tmp_path) is None
    (write(tmp_path, system, 1) / "card.json").unlink()
    with (
        pytest.warns(UserWarning, match="Skipped"),
        pytest.raises(InputError, match="remove the folder to start again"),
    ):
        checkpoint.read_latest(tmp_path)


def test_a_disk_that_fills_up_leaves_the_checkpoint_before(system, tmp_path, monkeypatch):
    write(tmp_path, system, 1)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_json", full)  # the tensors are written, the card is not
    with pytest.raises(InputError, match="No space left.*free space"):
        write(tmp_path, system, 2)
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000001"]
    assert checkpoint.read_latest(tmp_path)[0]["total_step"] == 1


def test_atomic_files_keep_the_old_one_when_writing_fails(tmp_path):
    path = write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(TypeError):
        write_json(path, {"x": object()})
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InputError, match="could not be written"):
        write_json(blocked / "a.json", {})
    assert json.loads(path.read_text()) == {"x": 1}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "file"]


def test_weight_file_builds_the_system_again(system, tmp_path):
    pair = make_batch(2, 40)
    exact = load_weights(save_weights(system, tmp_path / "w.safetensors", half=False, steps=7))
    assert exact.config == system.config
    assert not exact.training
    assert torch.equal(exact(pair).image, system(pair).image)
    half = load_weights(save_weights(system, tmp_path / "h.safetensors"))
    assert all(p.dtype == torch.float32 for p in half.parameters())
    assert (half(pair).image - system(pair).image).abs().max() < 0.01
    assert (tmp_path / "h.safetensors").stat().st_size < 0.75 * (tmp_path / "w.safetensors").stat().st_size
    card = read_weight_card(tmp_path / "w.safetensors")
    assert (card["system"], card["variant"], card["preset"], card["steps"]) == (
        "coordinate_inpainting", "full", "laptop", 7,
    )  # fmt: skip
    assert card["loss_features"] == "random weights, width 4"


@pytest.mark.parametrize("variant", ["no_deform", "rgb", "no_textures"])
def test_weight_files_of_every_variant(variant, tmp_path):
    system = build("coordinate_inpainting", variant=variant, **TINY).eval()
    loaded = load_weights(save_weights(system, tmp_path / "w.safetensors", half=False))
    assert torch.equal(loaded(make_batch(1, 40)).image, system(make_batch(1, 40)).image)


@pytest.mark.parametrize("variant", ["full", "rgb"])
def test_some_parts_alone(variant, tmp_path):
    system = build("coordinate_inpainting", variant=variant, **TINY).eval()
    pair = make_batch(2, 40)
    path = save_weights(system, tmp_path / "f.safetensors", half=False, parts=("f",), steps=7)
    card = read_weight_card(path)
    assert (card["parts"], card["steps"]) == (["f"], 7)
    tensors, _ = read_tensors(path)
    assert {name.split(".")[0] for name in tensors} == {"f"}
    loaded = load_weights(path)
    assert torch.equal(loaded(pair, image=False).W, system(pair, image=False).W)
    with pytest.raises(InputError, match="f.safetensors hold no g: ask for the maps"):
        loaded(pair)
    assert "g: Absent" in str(describe(loaded))
    again = load_weights(save_weights(loaded, tmp_path / "again.safetensors", half=False))
    assert torch.equal(again(pair, image=False).W, system(pair, image=False).W)

    write_tensors(path, {k: v for k, v in tensors.items() if k != "f.last.bias"}, {"posekit": json.dumps(card)})
    with pytest.raises(InputError, match="lacks 1 tensors of its system, f.last.bias first"):
        load_weights(path)


def test_parts_that_cannot_be_shipped(system, tmp_path):
    with pytest.raises(InputError, match="Unknown part 'discriminator'; known: f, g"):
        save_weights(system, tmp_path / "w.safetensors", parts=("f", "discriminator"))
    with pytest.raises(InputError, match="Name the parts to keep: f, g"):
        save_weights(system, tmp_path / "w.safetensors", parts=())
    assert not list(tmp_path.iterdir())


def test_bad_weight_files(system, tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        load_weights(tmp_path / "nothing.safetensors")
    with pytest.raises(InputError, match="holds no checkpoint"):
        load_weights(tmp_path)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"PK\x03\x04 not safetensors, perhaps a pickle")
    with pytest.raises(InputError, match="not a complete safetensors file"):
        load_weights(bad)
    write_tensors(bad, {"x": torch.zeros(1)})
    with pytest.raises(InputError, match="no card of posekit"):
        load_weights(bad)
    good = save_weights(system, tmp_path / "good.safetensors")
    shutil.copy(good, bad)
    bad.write_bytes(good.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a complete safetensors file"):
        load_weights(bad)


def test_cards_of_another_version_or_system(system, tmp_path):
    state = {k: v for k, v in system.state_dict().items() if k.startswith(("f.", "g."))}
    card = weight_card(system)

    def attempt(card, state=state):
        write_tensors(tmp_path / "w.safetensors", state, {"posekit": json.dumps(card)})
        load_weights(tmp_path / "w.safetensors")

    attempt(card)
    with pytest.raises(InputError, match="is of the system 'other', which is not known here"):
        attempt({**card, "system": "other"})
    with pytest.raises(InputError, match="does not describe a system of this version"):
        attempt({**card, "config": {**card["config"], "new": 1}})
    with pytest.raises(InputError, match="do not fit the system"):
        attempt({**card, "config": {**card["config"], "g_width": 6}})
    with pytest.raises(InputError, match="lacks 1 tensors"):
        attempt(card, {k: v for k, v in state.items() if k != "f.last.bias"})


def test_reference_that_is_not_shipped():
    with pytest.raises(InputError, match="No reference weights coordinate_inpainting-paper-rgb"):
        load_reference(preset="paper", variant="rgb")


def test_log_of_the_shipped_weights():
    log = reference_log("coordinate_inpainting")
    assert [record["total_step"] for record in log] == sorted(record["total_step"] for record in log)
    assert {"l1", "adversarial", "discriminator"} <= set(log[-1]["losses"])
    assert reference_log("coordinate_inpainting", "paper_of_nobody") == []


def test_a_changed_card_is_noticed(system, tmp_path):
    """A card that says another stage would skip the training."""
    write(tmp_path, system, 1)
    newest = write(tmp_path, system, 2)
    card = json.loads((newest / "card.json").read_text())
    (newest / "card.json").write_text(json.dumps(card | {"stage": 99}))
    with pytest.warns(UserWarning, match="card.json was changed after it was written"):
        latest = read_latest(tmp_path)
    assert latest[0]["total_step"] == 1
    card.pop("hash")
    (newest / "card.json").write_text(json.dumps(card | {"stage": 99}))
    with pytest.warns(UserWarning, match="card.json was changed after it was written"):
        assert read_latest(tmp_path)[0]["total_step"] == 1
