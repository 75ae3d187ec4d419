"""Packed photographs: what was read comes back, after a kill too, and nothing that was changed is taken."""

import dataclasses
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from posekit.data import pack as packing
from posekit.data.folder_pairs import load_people, open_folders
from posekit.data.pack import pack_people
from posekit.data.packed import BLOCK, PackedPeople
from posekit.data.packed_on_device import PackedOnDevice
from posekit.person import Person
from posekit.systems import build
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.errors import InputError
from tests.synthetic import TINY, field_folder

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def same(a, b, colours=0.0, places=0.0):
    """Whether two people are equal, colours and positions up to what rounding may do."""
    for field in dataclasses.fields(Person):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, torch.Tensor):
            assert (one.dtype, one.shape) == (other.dtype, other.shape), field.name
            allowed = {"image": colours, "uv": places}.get(field.name, 0)
            assert (one.double() - other.cpu().double()).abs().max() <= allowed, field.name
        else:
            assert one == other, field.name


@pytest.mark.parametrize("maps", ["iuv", "npy", None])
def test_what_was_read_comes_back(tmp_path, maps):
    field_folder(tmp_path / "a", maps=maps, size=32)
    field_folder(tmp_path / "a", maps=maps, size=32, people=1, inside="test")
    folders = open_folders(tmp_path / "a")
    assert len(folders) == 2, "One for each list of joints."
    people = pack_people(folders, tmp_path / "packed")
    assert len(people) == 6 + 2
    for split, count in (("train", 6), ("test", 2)):
        before, after = load_people(tmp_path / "a", split=split), load_people(tmp_path / "packed", split=split)
        assert len(before) == len(after) == count
        for one, other in zip(before, after, strict=True):
            named = dataclasses.replace(one.source, name=f"{split}/{one.source.name}")
            same(named if maps else dataclasses.replace(named, atlas=""), other.source, places=1 / 32767)


def test_sizes_and_the_rounding_of_colours(tmp_path):
    field_folder(tmp_path / "a", size=48)
    folders = open_folders(tmp_path / "a", size=(40, 40))
    people = pack_people(folders, tmp_path / "packed")
    same(folders[0][1], people[1], colours=0.5001 / 255)
    assert people.size == (40, 40)
    with pytest.raises(InputError, match="packed at 40 x 40 pixels, 64 x 64 are wanted"):
        load_people(tmp_path / "packed", size=(64, 64))
    with pytest.raises(InputError, match="with all joints and maps that it has"):
        load_people(tmp_path / "packed", keypoints="a.csv")


@pytest.mark.parametrize("after", [1, BLOCK, BLOCK + 5, 2 * BLOCK + 1])
def test_killed_it_goes_on_and_ends_with_the_same_bytes(tmp_path, after, monkeypatch):
    field_folder(tmp_path / "a", size=8, people=BLOCK + 4, maps=None)
    folders = open_folders(tmp_path / "a")
    whole = pack_people(folders, tmp_path / "whole")
    seen, encode = [], packing.encode

    def killed(person):
        seen.append(person)
        if len(seen) > after + 2:  # two looks at the first photograph come before
            raise KeyboardInterrupt
        return encode(person)

    monkeypatch.setattr(packing, "encode", killed)
    with pytest.raises(KeyboardInterrupt):
        pack_people(folders, tmp_path / "killed")
    with pytest.raises(InputError, match="no packed folder, or not finished"):
        PackedPeople(tmp_path / "killed")
    seen.clear()
    monkeypatch.setattr(packing, "encode", lambda person: seen.append(person) or encode(person))
    pack_people(folders, tmp_path / "killed")
    assert len(seen) == 2 + len(whole) - after // BLOCK * BLOCK, "Whole blocks are not made again."
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "killed" / path.name).read_bytes(), path.name
    seen.clear()
    pack_people(folders, tmp_path / "killed")
    assert len(seen) == 1, "Only looked at."


def test_a_real_kill_leaves_what_goes_on(tmp_path):
    """SIGKILL, at whatever moment it comes after the first block."""
    field_folder(tmp_path / "a", size=8, people=2 * BLOCK, maps=None)
    code = (
        "import sys, time; from posekit.data import pack\n"
        "from posekit.data.folder_pairs import open_folders\n"
        "encode = pack.encode; pack.encode = lambda person: (time.sleep(0.005), encode(person))[1]\n"
        "pack.pack_people(open_folders(sys.argv[1]), sys.argv[2])\n"
    )
    out = tmp_path / "killed"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "a"), str(out)]) as process:
        ends = time.monotonic() + 120
        while not (out / packing.STATE).is_file() and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.02)
        process.kill()
    assert process.returncode == -signal.SIGKILL, "It was killed while it packed."
    pack_people(open_folders(tmp_path / "a"), out)
    pack_people(open_folders(tmp_path / "a"), tmp_path / "whole")
    assert {p.name for p in out.iterdir()} == {p.name for p in (tmp_path / "whole").iterdir()}
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (out / path.name).read_bytes(), path.name


def test_a_block_that_was_spoilt_while_it_waited_is_made_again(tmp_path, monkeypatch):
    field_folder(tmp_path / "a", size=8, people=BLOCK, maps=None)  # two blocks
    folders = open_folders(tmp_path / "a")
    encode, seen = packing.encode, []

    def killed(person):
        seen.append(person)
        if len(seen) > BLOCK + 10:
            raise KeyboardInterrupt
        return encode(person)

    monkeypatch.setattr(packing, "encode", killed)
    with pytest.raises(KeyboardInterrupt):
        pack_people(folders, tmp_path / "out")
    monkeypatch.setattr(packing, "encode", encode)
    array = np.load(tmp_path / "out/image.npy", mmap_mode="r+")
    array[3] += 1
    array.flush()
    pack_people(folders, tmp_path / "out").verify()
    same(folders[0][3], PackedPeople(tmp_path / "out")[3])


def test_numbers_that_were_changed_are_refused(tmp_path):
    field_folder(tmp_path / "a", size=8)
    pack_people(open_folders(tmp_path / "a"), tmp_path / "out")
    array = np.load(tmp_path / "out/part.npy", mmap_mode="r+")
    array[2] += 1
    array.flush()
    with pytest.raises(InputError, match="photographs 0 to 63 are not those that were packed"):
        PackedPeople(tmp_path / "out")[5]
    card = json.loads((tmp_path / "out/pack.json").read_text())
    (tmp_path / "out/pack.json").write_text(json.dumps(card | {"size": [9, 8]}))
    with pytest.raises(InputError, match="of another version, or damaged"):
        PackedPeople(tmp_path / "out")
    np.save(tmp_path / "out/part.npy", np.zeros((6, 1, 8, 8), np.int64))
    (tmp_path / "out/pack.json").write_text(json.dumps(card))
    with pytest.raises(InputError, match="its card says"):
        PackedPeople(tmp_path / "out")


def test_other_photographs_are_not_packed_over_these(tmp_path):
    names = field_folder(tmp_path / "a", size=8)
    pack_people(open_folders(tmp_path / "a"), tmp_path / "out")
    (tmp_path / "a/train" / names[0]).write_bytes((tmp_path / "a/train" / names[1]).read_bytes())
    with pytest.raises(InputError, match="holds other photographs, or these in another form"):
        pack_people(open_folders(tmp_path / "a"), tmp_path / "out")
    assert len(pack_people(open_folders(tmp_path / "a"), tmp_path / "out", fresh=True)) == 6
    with pytest.raises(InputError, match=r"holds other files \(.*name an empty folder"):
        pack_people(open_folders(tmp_path / "a"), tmp_path / "a")
    field_folder(tmp_path / "b", size=16)
    with pytest.raises(InputError, match="one size, with maps of one atlas"):
        pack_people([*open_folders(tmp_path / "a"), *open_folders(tmp_path / "b")], tmp_path / "both")


@pytest.mark.parametrize("device", DEVICES)
def test_batches_on_the_device_are_the_same_bit_for_bit(tmp_path, device):
    for maps in ("iuv", "npy"):
        field_folder(tmp_path / maps, views=3, maps=maps, size=16)
        pack_people(open_folders(tmp_path / maps), tmp_path / f"{maps}-packed")
        data = load_people(tmp_path / f"{maps}-packed", split="train", neighbours=1)
        kept = data.on_device(torch.device(device))
        assert isinstance(kept, PackedOnDevice)
        assert (len(kept), kept.describe()) == (len(data), data.describe())
        batch = kept.device_batch([0, 7, 7])
        for number, index in enumerate((0, 7, 7)):
            one, other = data[index], batch[number]
            same(one.source, other.source)
            same(one.target, other.target)
            same(one.neighbours[0], other.neighbours[0])
        same(kept[-1].source.to("cpu"), data[-1].source)


def test_training_from_files_of_a_pack_and_from_the_device_is_the_same(tmp_path):
    field_folder(tmp_path / "a", size=40)
    pack_people(open_folders(tmp_path / "a"), tmp_path / "out")
    logs = []
    for device_data in (True, False):
        system = build("coordinate_inpainting", **TINY, atlas="tiles")
        options = TrainingOptions(steps=2, device="cpu", device_data=device_data, log_every=1, progress=False)
        data = load_people(tmp_path / "out", split="train")
        logs.append([record["losses"] for record in fit(system, data, None, options)])
    assert logs[0] == logs[1]


def test_what_is_not_packed_stays_as_it_is(tmp_path, monkeypatch):
    field_folder(tmp_path / "a", size=8)
    data = load_people(tmp_path / "a", split="train")
    assert data.on_device(torch.device("cpu")) is data
    pack_people(open_folders(tmp_path / "a"), tmp_path / "out")
    monkeypatch.setattr("posekit.data.packed_on_device.MOST_OF_A_PROCESSOR", 100)
    packed = load_people(tmp_path / "out", split="train")
    assert packed.on_device(torch.device("cpu")) is packed


def test_lists_of_pairs_come_along(tmp_path):
    names = field_folder(tmp_path / "a", size=8)
    (tmp_path / "a/fasion-pairs-train.csv").write_text(f"from,to\n{names[1]},{names[0]}\n")
    pack_people(open_folders(tmp_path / "a"), tmp_path / "out")
    (pair,) = load_people(tmp_path / "out", split="train")
    assert (pair.source.name, pair.target.name) == (f"train/{names[1]}", f"train/{names[0]}")
