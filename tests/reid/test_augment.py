"""Augmentation: who is labelled as whom, what is written, and that a run can stop at any moment."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.data.names import parse_market
from posekit.data.photo import read_photo
from posekit.data.photo_folder import PhotoFolder, TrainingFolder
from posekit.evaluation.transfer import transfer
from posekit.reid.augment import augment, draw_donors
from posekit.systems import build
from posekit.systems.base import Result, System
from posekit.systems.texel_fill import TexelFill, TexelFillConfig
from posekit.util.errors import InputError
from tests.synthetic import make_person

SIZE = 48


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Four people with two photographs each, named as in Market-1501, with surface maps."""
    root = tmp_path_factory.mktemp("market")
    (root / "train").mkdir()
    (root / "maps").mkdir()
    for who in range(1, 5):
        for view in (1, 2):
            person = make_person(who, view, SIZE)
            name = f"{who:04d}_c{view}s1_{view:06d}_00"
            pixels = (person.image * 255).round().byte().permute(1, 2, 0).numpy()
            Image.fromarray(pixels).save(root / "train" / f"{name}.png")
            surface = torch.where(person.mask > 0, person.uv, torch.nan).permute(1, 2, 0).numpy()
            np.save(root / "maps" / f"{name}.npy", surface.astype(np.float32))
    return root


@pytest.fixture
def people(files):
    return PhotoFolder(files / "train", maps=files / "maps")


@pytest.fixture
def known(files):
    """The same, with maps that are said to be in the atlas of the rendered people."""
    return PhotoFolder(files / "train", maps=files / "maps", atlas="studio")


def fill():
    return TexelFill(TexelFillConfig(atlas_size=SIZE))


def contents(folder):
    """Every visible file, by name."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if not p.name.startswith(".")}


def rows(folder):
    with open(folder / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


class Counting(System):
    """texel_fill that counts its calls, and stops at one of them."""

    name = "counting"

    def __init__(self, stop_at=None):
        super().__init__(TexelFillConfig(atlas_size=SIZE))
        self.inner, self.calls, self.stop_at, self.seen = fill(), 0, stop_at, []

    def forward(self, pair):
        self.calls += 1
        if self.calls == self.stop_at:
            raise KeyboardInterrupt
        self.seen.append(pair)
        return self.inner(pair)


def test_the_manifest_says_what_is_there(people, tmp_path):
    manifest = augment(fill(), people, tmp_path, poses=3, seed=5, weights="texel_fill")
    table = rows(tmp_path)
    assert manifest == tmp_path / "manifest.csv"
    assert len(table) == 8 * 3
    assert {row["file"] for row in table} == {p.name for p in tmp_path.glob("*.png")}
    for row in table:
        made, source, donor = (parse_market(row[key]) for key in ("file", "source", "donor"))
        assert made == source
        assert int(row["identity"]) == source.identity
        assert donor != source
        assert (row["seed"], row["weights"]) == ("5", "texel_fill")
    of_one = [row["donor"] for row in table if row["source"] == people.names[0]]
    assert len(set(of_one)) == 3


def test_a_picture_is_the_photograph_in_the_donors_pose(people, tmp_path):
    augment(fill(), people, tmp_path, poses=2)
    row = rows(tmp_path)[5]
    source, donor = (people[people.names.index(row[key])] for key in ("source", "donor"))
    wanted = transfer(source, donor, fill()).image[0]
    assert (read_photo(tmp_path / row["file"]) - wanted.clamp(0, 1)).abs().max() <= 0.5 / 255 + 1e-6


def test_the_donor_lends_the_pose_and_nothing_else(people, tmp_path):
    system = Counting()
    augment(system, people, tmp_path, poses=2)
    target = system.seen[0].target
    assert target.image.abs().max() == 0
    assert target.mask.sum() > 0
    assert target.head is target.hair is target.hands is None


@pytest.mark.parametrize("stop_at", [1, 4, 8])
def test_a_stopped_run_goes_on_and_ends_the_same(people, tmp_path, stop_at):
    augment(Counting(), people, tmp_path / "whole", poses=3)
    with pytest.raises(KeyboardInterrupt):
        augment(Counting(stop_at), people, tmp_path / "stopped", poses=3)
    there = contents(tmp_path / "stopped")
    assert "manifest.csv" not in there
    assert len([name for name in there if name.endswith(".png")]) == 3 * (stop_at - 1)
    again = Counting()
    augment(again, people, tmp_path / "stopped", poses=3)
    assert again.calls == 8 - (stop_at - 1)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    finished = Counting()
    augment(finished, people, tmp_path / "stopped", poses=3)
    assert finished.calls == 0


def test_joints_are_enough_for_a_system_that_looks_at_joints(files, tmp_path):
    lines = ["name:keypoints_y:keypoints_x"]
    rng = np.random.default_rng(0)
    for photo in sorted((files / "train").iterdir()):
        y, x = rng.integers(2, SIZE - 2, (2, 18)).tolist()
        lines.append(f"{photo.name}: {y}: {x}")
    (tmp_path / "joints.csv").write_text("\n".join(lines))
    people = PhotoFolder(files / "train", tmp_path / "joints.csv")
    tiny = {"image_size": SIZE, "width": 4, "levels": 5, "d_width": 4, "features": "random", "feature_width": 4}
    system = build("deformable_gan", **tiny)
    augment(system, people, tmp_path / "out", poses=2)
    assert len(rows(tmp_path / "out")) == 16
    with pytest.raises(InputError, match="needs the fields uv, mask"):
        augment(fill(), people, tmp_path / "none", poses=2)


def test_what_a_kill_leaves_behind_is_removed(people, tmp_path):
    augment(fill(), people, tmp_path, poses=2)
    left = tmp_path / ".0001_c1s1_000001_00.g01-k2x9.png"
    left.write_bytes(b"half")
    (tmp_path / "0001_c1s1_000001_00.g01.png").unlink()
    augment(fill(), people, tmp_path, poses=2)
    assert not left.exists()
    assert len(list(tmp_path.glob("[0-9]*.png"))) == 16


def test_the_training_folder_itself_becomes_the_augmented_set(files, tmp_path):
    shutil.copytree(files / "train", tmp_path / "train")
    for _ in range(2):  # the generated pictures are no photographs to start from
        people = PhotoFolder(tmp_path / "train", maps=files / "maps")
        augment(fill(), people, tmp_path / "train", poses=1)
    assert len(list((tmp_path / "train").glob("*.png"))) == 16


def test_batches_and_seeds(people, tmp_path):
    for name, options in {"a": {}, "b": {"batch_size": 1}, "c": {"seed": 1}}.items():
        augment(fill(), people, tmp_path / name, poses=3, **options)
    a, b, c = (rows(tmp_path / name) for name in "abc")
    assert a == b
    assert [r["donor"] for r in a] != [r["donor"] for r in c]
    for row in a:
        difference = read_photo(tmp_path / "a" / row["file"]) - read_photo(tmp_path / "b" / row["file"])
        assert difference.abs().max() <= 1 / 255 + 1e-6


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"poses": 3}, r"poses 2 \(now 3\)"),
        ({"seed": 1}, r"seed 0 \(now 1\)"),
        ({"weights": "other"}, r"weights texel_fill \(now other\)"),
    ],
)
def test_changed_settings_are_refused(people, tmp_path, changed, said):
    given = {"poses": 2, "weights": "texel_fill"}
    augment(fill(), people, tmp_path, **given)
    before = contents(tmp_path)
    with pytest.raises(InputError, match=f"was begun with {said}; go on with the same settings") as error:
        augment(fill(), people, tmp_path, **given | changed)
    assert "\n" not in str(error.value)
    assert contents(tmp_path) == before


def test_other_weights_people_and_systems_are_refused(known, files, tmp_path):
    people = known
    tiny = {"image_size": SIZE, "atlas_size": SIZE, "f_width": 4, "g_width": 4, "feature_width": 4}
    augment(build("coordinate_inpainting", **tiny), people, tmp_path, poses=1)
    with pytest.raises(InputError, match="weights_hash"):
        augment(build("coordinate_inpainting", seed=1, **tiny), people, tmp_path, poses=1)
    with pytest.raises(InputError, match=r"system coordinate_inpainting \(now texel_fill\).* and \d+ other settings"):
        augment(fill(), people, tmp_path, poses=1)
    fewer = PhotoFolder(files / "train", maps=files / "maps", atlas="studio")
    fewer.names, fewer.identities = fewer.names[:-1], fewer.identities[:-1]
    with pytest.raises(InputError, match=r"people\.photographs 8 \(now 7\)"):
        augment(build("coordinate_inpainting", **tiny), fewer, tmp_path, poses=1)
    (tmp_path / "augment.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        augment(fill(), people, tmp_path, poses=1)


def test_critics_do_not_make_other_weights(known, tmp_path):
    people = known
    tiny = {"image_size": SIZE, "atlas_size": SIZE, "f_width": 4, "g_width": 4, "feature_width": 4}
    system = build("coordinate_inpainting", **tiny)
    augment(system, people, tmp_path, poses=1)
    next(system.discriminator.parameters()).data += 1  # a weights file does not hold the discriminator
    augment(system, people, tmp_path, poses=1)


class Narrow(TrainingFolder):
    """Photographs half as wide as they are high, in memory."""

    root = "narrow"
    names = tuple(f"{who:04d}_c1s1_000000_00.png" for who in (1, 2, 3))
    identities = ("0001", "0002", "0003")

    def __getitem__(self, i):
        person = make_person(i, 0, SIZE)
        cut = {name: getattr(person, name)[..., 8:32] for name in ("image", "uv", "mask")}
        return dataclasses.replace(person, **cut, name=self.names[i], identity=self.identities[i])


class Square(Counting):
    """A system for squares."""

    def __init__(self):
        super().__init__()
        self.config = type("Config", (TexelFillConfig,), {"image_size": SIZE})(atlas_size=SIZE)


def test_narrow_photographs_get_a_margin_where_the_system_wants_squares(tmp_path):
    system = Square()
    augment(system, Narrow(), tmp_path, poses=2)
    assert system.seen[0].source.size == (SIZE, SIZE)
    assert read_photo(next(tmp_path.glob("*.png"))).shape == (3, SIZE, SIZE // 2)
    system.config = type("Config", (TexelFillConfig,), {"image_size": 64})()
    with pytest.raises(InputError, match="are for photographs of 64 x 64 pixels.*narrow have 48 x 24"):
        augment(system, Narrow(), tmp_path / "other", poses=2)
    assert not (tmp_path / "other").exists()


def test_donors():
    drawn = draw_donors("aabcc", 3, seed=0)
    for i, donors in enumerate(drawn):
        assert len(set(donors) - {i}) == 3
    assert any("aabcc"[j] == "aabcc"[i] for i, donors in enumerate(drawn) for j in donors)
    assert drawn == draw_donors("aabcc", 3, seed=0) != draw_donors("aabcc", 3, 1)
    with pytest.raises(InputError, match="5 poses of other photographs were asked for, and there are 4 others"):
        draw_donors("aabcc", 5, 0)
    with pytest.raises(InputError, match="from 1 up"):
        draw_donors("ab", 0, 0)


def test_a_picture_with_nan_is_not_written(people, tmp_path):
    class Broken(Counting):
        def forward(self, pair):
            return Result(image=super().forward(pair).image * float("nan"))

    with pytest.raises(InputError, match="NaN"):
        augment(Broken(), people, tmp_path, poses=1)
    assert list(contents(tmp_path)) == ["augment.json"]
    assert json.loads((tmp_path / "augment.json").read_text())["poses"] == 1


@pytest.mark.parametrize("device", ["tpu", "cuda:99"])
def test_a_device_that_is_not_here_begins_nothing(device, people, tmp_path):
    with pytest.raises(InputError, match=f"The device '{device}' cannot be used here") as failed:
        augment(fill(), people, tmp_path / "out", poses=1, device=device)
    assert "\n" not in str(failed.value)
    assert not (tmp_path / "out").exists()


def test_a_network_for_rendered_people_refuses_real_maps_and_leaves_nothing(people, tmp_path):
    tiny = {"image_size": SIZE, "atlas_size": SIZE, "f_width": 4, "g_width": 4, "feature_width": 4}
    with pytest.raises(InputError, match="works in the atlas 'studio', and these maps are positions in 'smpl'"):
        augment(build("coordinate_inpainting", **tiny), people, tmp_path / "out", poses=1)
    assert not (tmp_path / "out").exists()


def test_a_system_without_what_it_needs_does_not_block_the_corrected_command(people, files, tmp_path):
    laptop = {"image_size": SIZE, "levels": 5, "width": 4, "d_width": 4, "feature_width": 4}
    with pytest.raises(InputError, match="needs the fields keypoints, visibility"):
        augment(build("deformable_gan", **laptop), people, tmp_path, poses=1)
    augment(fill(), people, tmp_path, poses=1)
    assert (tmp_path / "manifest.csv").is_file()


def test_photographs_in_folders_inside_the_folder(files, tmp_path):
    for n, path in enumerate(sorted((files / "train").iterdir())):
        place = tmp_path / f"WOMEN/Dresses/id_0000000{n // 2}/01_{n}_front.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
        shutil.copy(files / "maps" / f"{path.stem}.npy", place.with_suffix(".npy"))
    people = PhotoFolder(tmp_path, maps=tmp_path)
    augment(fill(), people, tmp_path, poses=2)
    assert len(list((tmp_path / "WOMEN/Dresses/id_00000001").glob("01_2_front.g0?.png"))) == 2
    assert PhotoFolder(tmp_path, maps=tmp_path).names == people.names
