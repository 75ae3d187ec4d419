"""A folder in the field's layout is a data set: which pairs it has, what is known of each, who can train on it."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.data.folder_pairs import FolderPairs, load_people
from posekit.data.margins import fit_person
from posekit.data.names import SPELLINGS, parse_deepfashion
from posekit.ops.grids import identity_grid, norm_to_points
from posekit.person import Person, collate_pairs
from posekit.systems import build
from posekit.systems.base import evaluating
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.errors import InputError
from tests.synthetic import TINY, TINY_DENSE_POSE, field_folder, make_person, with_joints

ONE_STEP = TrainingOptions(steps=1, batch_size=2, device="cpu", progress=False)


def listed(path, pairs):
    path.write_text("\n".join(["from,to", *(",".join(pair) for pair in pairs)]))
    return path


def test_lists_and_folders_are_found_by_what_the_field_calls_them(tmp_path):
    names = field_folder(tmp_path)
    field_folder(tmp_path, people=1, inside="test")
    data = load_people(tmp_path, split="train")
    assert len(data) == 3 * 2
    assert [(p.source.name, p.target.name) for p in data][:2] == [(names[0], names[1]), (names[1], names[0])]
    person = data[0].source
    original = with_joints(make_person(0, 0, 48), seed=0)
    assert (person.size, person.atlas, person.identity) == ((48, 48), "tiles", "WOMEN/Tees_Tanks/id_00000100/01")
    assert (person.keypoints - original.keypoints).abs().max() < 1.01 / 48  # whole pixels in the list
    assert torch.equal(person.part, original.part)
    assert (person.chart - original.chart).abs().max() < 1 / 255
    assert len(load_people(tmp_path, split="test")) == 2
    listed(tmp_path / "fasion-pairs-train.csv", [(names[3], names[2])])
    assert [p.source.name for p in load_people(tmp_path, split="train")] == [f"train/{names[3]}"]
    (tmp_path / "more-pairs-train.csv").write_text("from,to\n")
    with pytest.raises(InputError, match=r"fasion-pairs-train.csv and more-pairs-train.csv; say which"):
        load_people(tmp_path, split="train")


@pytest.mark.parametrize("spelling", [*SPELLINGS, "market"])
@pytest.mark.parametrize("maps", ["iuv", "npy"])
def test_every_spelling_of_the_files_and_another_of_the_list(tmp_path, spelling, maps):
    names = field_folder(tmp_path, spelling=spelling, people=2, maps=maps)
    other = names if spelling == "market" else [parse_deepfashion(name).spell("fashion", ".png") for name in names]
    data = load_people(
        tmp_path, listed(tmp_path / "p.csv", [(other[2], other[3]), (other[0], other[1])]), split="train"
    )
    assert [pair.source.name for pair in data] == [f"train/{names[2]}", f"train/{names[0]}"]
    assert data[0].source.uv is not None
    assert data[0].source.visibility.tolist() == [2] * 18
    assert data[0].source.atlas == ("tiles" if maps == "iuv" else "smpl")
    assert collate_pairs([data[0], data[1]]).source.image.shape == (2, 3, 48, 48)


def test_pairs_whose_photographs_are_missing_are_left_out_and_said(tmp_path, caplog):
    names = field_folder(tmp_path)
    pairs = listed(tmp_path / "p.csv", [(names[0], names[1]), (names[0], "nobody.jpg"), (names[1], names[0])])
    assert len(load_people(tmp_path, pairs, split="train")) == 2
    assert "1 of 3 listed pairs are left out" in caplog.text
    with pytest.raises(InputError, match="holds none of the 2 listed photographs"):
        load_people(tmp_path, listed(pairs, [("a.jpg", "b.jpg")]), split="train")


def test_same_too_and_neighbours(tmp_path):
    names = field_folder(tmp_path, people=2, views=3)
    data = load_people(tmp_path, split="train", same_too=True, neighbours=2)
    assert len(data) == 2 * 6 + 2 * 3
    where = [data.where(i) for i in range(len(data))]
    assert where[0] == (0, 1, 2, 2), "The views that follow the target, but the source; some twice."
    assert where[-1] == (5, 5, 3, 4)
    assert len({w[:2] for w in where}) == len(where)
    assert data[0].neighbours[0].name == names[2]
    assert data.describe()["neighbours"] == 2
    assert data.describe() != load_people(tmp_path, split="train", neighbours=2).describe()
    with pytest.raises(IndexError):
        data[len(data)]


def test_names_that_say_nothing_and_folders_that_do(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["name:keypoints_y:keypoints_x"]
    for name in ("anna/1.png", "anna/2.png", "ben/3.png", "ben/4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (20, 16, 3), np.uint8)).save(tmp_path / name)
        lines.append(f"{name[-5:]}: {[4] * 18}: {[5] * 18}")
    (tmp_path / "joints.csv").write_text("\n".join(lines))
    data = load_people(tmp_path, keypoints=tmp_path / "joints.csv", size=(40, 40))
    assert [pair.source.name for pair in data] == ["anna/1.png", "anna/2.png", "ben/3.png", "ben/4.png"]
    assert {pair.source.identity for pair in data} == {"anna", "ben"}
    assert data[0].source.size == (40, 40)
    assert data[0].source.uv is None


def test_one_name_in_two_folders_is_two_photographs(tmp_path):
    """anna/1.png and ben/1.png: maps, joints and pairs keep them apart, or say that they cannot."""
    for k, who in enumerate(("anna", "ben")):
        for view in ("1", "2"):
            place = tmp_path / "photographs" / who / f"{view}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 20), (80 * k, 9, 9)).save(place)
            array = np.full((20, 16, 2), np.nan, np.float32)
            array[5:9, 5:9] = -0.5 * k - 0.1
            maps = tmp_path / "maps" / who
            maps.mkdir(parents=True, exist_ok=True)
            np.save(maps / f"{view}.npy", array)
    data = load_people(tmp_path / "photographs", maps=tmp_path / "maps")
    assert len(data) == 4
    for pair in data:
        k = ["anna", "ben"].index(pair.source.identity)
        assert float(pair.source.uv.min()) == pytest.approx(-0.5 * k - 0.1)
    pairs = listed(tmp_path / "p.csv", [("ben/1.png", "ben/2.png"), ("1.png", "2.png")])
    assert [pair.source.name for pair in load_people(tmp_path / "photographs", pairs, maps=tmp_path / "maps")] == [
        "ben/1.png"
    ]
    (tmp_path / "joints.csv").write_text(f"name:keypoints_y:keypoints_x\n1.png: {[5] * 18}: {[5] * 18}\n")
    with pytest.raises(InputError, match=r"has one row, '1.png', for anna/1.png and ben/1.png"):
        load_people(tmp_path / "photographs", keypoints=tmp_path / "joints.csv")


@pytest.mark.parametrize(
    ("stored", "of_list", "x", "expected"),
    [
        ((256, 176), (256, 256), 200, 160),  # columns 40 to 215 of the square
        ((256, 176), (256, 176), 160, 160),
        ((1101, 750), (256, 256), 200, (160.5 - 88) * 1101 / 256 + 375 - 0.5),
        ((1101, 750), (256, 176), 160, (160.5 - 88) * 1101 / 256 + 375 - 0.5),
        ((1101, 750), (1101, 750), 700, 700),
        ((256, 256), (256, 256), 200, 200),
    ],
)
def test_lists_of_one_size_belong_to_photographs_of_another(tmp_path, caplog, stored, of_list, x, expected):
    """DeepFashion's three sizes show the same; the list says by its joints which of them it was made in."""
    caplog.set_level("INFO")
    name = "fasionWOMENDressesid0000271801_1front.jpg"
    for view in ("1front", "3back"):
        Image.new("RGB", stored[::-1]).save(tmp_path / name.replace("1front", view))
    rows = [f"{name.replace('1front', view)}: {[100] * 18}: {[x] * 17 + [90]}" for view in ("1front", "3back")]
    (tmp_path / "joints.csv").write_text("\n".join(["name:keypoints_y:keypoints_x", *rows]))
    person = load_people(tmp_path, keypoints=tmp_path / "joints.csv")[0].source
    assert float(norm_to_points(person.keypoints, stored)[0, 0]) == pytest.approx(expected, abs=0.01)
    assert ("the joints belong to photographs of 256" in caplog.text) == (stored != of_list)
    if stored == (256, 176):
        wide = load_people(tmp_path, keypoints=tmp_path / "joints.csv", size=(256, 256))[0].source
        assert float(norm_to_points(wide.keypoints, (256, 256))[0, 0]) == pytest.approx(200, abs=0.01)
    told = load_people(tmp_path, keypoints=tmp_path / "joints.csv", joints_size=of_list)[0].source
    assert torch.equal(told.keypoints, person.keypoints)


def test_fit_person_keeps_proportions_and_joints_on_the_body():
    """A body of 20 x 10 pixels in the middle of 40 x 20 is one of 10 x 5 in 20 x 20, and joints stay on it."""
    image = torch.zeros(3, 40, 20)
    image[:, 10:30, 5:15] = 1
    mask = image[:1].clone()
    person = Person(image, uv=identity_grid(40, 20) * mask, mask=mask, part=mask.long() * 2,
                    keypoints=torch.tensor([[0.0, 0.0], [0.5, 0.5]] * 9), visibility=torch.full((18,), 2))  # fmt: skip
    small = fit_person(person, (20, 20))
    assert small.size == (20, 20)
    assert small.image[0, 6:14, 8:12].min() > 0.99
    assert int(small.mask.sum()) == 10 * 5
    assert small.part.dtype == torch.int64
    assert small.keypoints[0].tolist() == [0, 0]
    assert small.keypoints[1].tolist() == pytest.approx([0.25, 0.5])
    batch = fit_person(person.batched(), (20, 20))
    assert torch.equal(batch.image[0], small.image)
    assert torch.equal(batch.mask[0], small.mask)
    assert fit_person(person, (40, 20)) is person


GAN = {"image_size": 64, "width": 4, "features": "random", "feature_width": 4}


@pytest.mark.parametrize(
    ("name", "variant", "settings"),
    [
        ("coordinate_inpainting", "full", TINY),
        ("coordinate_inpainting", "rgb", TINY),
        ("coordinate_inpainting", "keypoints", TINY),
        ("dense_pose_transfer", "full", TINY_DENSE_POSE),
        ("dense_pose_transfer", "warping", TINY_DENSE_POSE),
        ("deformable_gan", "full", None),
        ("spatial_transformation", "full", None),
    ],
)
@pytest.mark.parametrize("maps", ["iuv", "npy", None])
def test_every_system_trains_on_it_or_says_what_it_lacks(tmp_path, name, variant, settings, maps):
    field_folder(tmp_path, maps=maps)
    given = dict(settings or {})
    atlas = {"atlas": {"iuv": "tiles", "npy": "smpl", None: "smpl"}[maps]} if name == "coordinate_inpainting" else {}
    system = build(name, variant=variant, **given, **atlas)
    wanted = system.training_data
    more = {"same_too": wanted.get("pairs") == "same too", "neighbours": wanted.get("neighbours", 0)}
    data = load_people(tmp_path, split="train", size=system.size, **more)
    lacks = [field for field in system.needs if getattr(data[0].source, field) is None]
    if variant == "keypoints" and maps == "npy":
        lacks = ["part"]  # which its network learns
    if lacks:
        with pytest.raises(InputError, match=rf"needs the fields? .*{lacks[0]}") as refused:
            fit(system, data, None, ONE_STEP)
        assert "\n" not in str(refused.value)
    else:
        log = fit(system, data, None, ONE_STEP)
        assert all(np.isfinite(list(record["losses"].values())).all() for record in log)
        with evaluating(system), torch.inference_mode():
            made = system(collate_pairs([data[0], data[1]])).image
        assert made.shape == (2, 3, *system.size)
        assert made.isfinite().all()
    assert bool(lacks) == (
        name in ("coordinate_inpainting", "dense_pose_transfer")
        and (maps is None or (maps == "npy" and (name == "dense_pose_transfer" or variant == "keypoints")))
    )


@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_a_data_set(tmp_path):
    with pytest.raises(InputError, match="have no pose: give the csv"):
        load_people(tmp_path)
    field_folder(tmp_path, views=1)
    with pytest.raises(InputError, match="photographs make no pair"):
        load_people(tmp_path, split="train")
    with pytest.raises(InputError, match="must be all or same too"):
        FolderPairs([], pairs="random")
    with pytest.raises(InputError, match="cannot be read as a folder"):
        load_people(tmp_path / "nowhere", keypoints=tmp_path / "fasion-annotation-train.csv")


def test_a_person_is_equal_however_it_is_read(tmp_path):
    """Sizes at the door: the list's pixels, the photograph's and the map's mean the same place."""
    field_folder(tmp_path, size=48)
    big, small = (load_people(tmp_path, split="train", size=size)[0].source for size in ((96, 96), (48, 48)))
    for field in dataclasses.fields(Person):
        assert (getattr(big, field.name) is None) == (getattr(small, field.name) is None)
    assert torch.equal(big.keypoints, small.keypoints)
    assert torch.equal(big.mask[..., ::2, ::2], small.mask)
