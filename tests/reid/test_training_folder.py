"""Training folders: which photographs are in them, what they are called, and what is known of each."""

import json

import numpy as np
import pytest
from PIL import Image

from posekit.data.names import parse_market
from posekit.data.photo_folder import PhotoFolder
from posekit.ops.grids import index_to_norm
from posekit.reid.training_folder import RenderedFolder, market_name, open_training_folder
from posekit.util.errors import InputError

H, W = 32, 16
NAMES = ("0002_c1s1_000451_03.jpg", "0002_c3s1_000551_00.jpg", "0007_c2s3_071002_01.jpg")


@pytest.fixture
def market(tmp_path):
    """A folder as Market-1501 comes, with what must be left out, a csv of joints, and a folder of maps."""
    root, maps = tmp_path / "bounding_box_train", tmp_path / "maps"
    root.mkdir()
    maps.mkdir()
    rng = np.random.default_rng(0)
    others = ("-1_c1s1_000401_03.jpg", "0000_c1s1_000151_01.jpg", "0002_c1s1_000451_03.g00.jpg", "Thumbs.db")
    lines = ["name:keypoints_y:keypoints_x"]
    for number, name in enumerate((*NAMES, *others)):
        pixels = rng.integers(0, 255, (H, W, 3), np.uint8)
        Image.fromarray(pixels).save(root / name, format="PNG")
        joints = [number + 4] * 18
        lines.append(f"{name}: {json.dumps([*joints[:-1], -1])}: {json.dumps([*joints[:-1], -1])}")
        surface = np.full((H, W, 2), np.nan, np.float32)
        surface[4:20, 4:12] = -number / 10 - 0.1
        np.save(maps / f"{name[:-4]}.npy", surface)
    (tmp_path / "joints.csv").write_text("\n".join(lines))
    return tmp_path


def test_people_by_their_names(market):
    folder = PhotoFolder(market / "bounding_box_train", market / "joints.csv")
    assert folder.names == NAMES
    assert folder.identities == ("0002", "0002", "0007")
    person = folder[2]
    assert (person.name, person.identity) == (NAMES[2], "0007")
    assert person.uv is None
    assert person.keypoints[0].tolist() == pytest.approx([index_to_norm(6, W), index_to_norm(6, H)])
    assert person.visibility.tolist() == [2] * 17 + [0]


def test_maps_and_joints_together(market):
    folder = PhotoFolder(market / "bounding_box_train", market / "joints.csv", market / "maps")
    person = folder[1]
    assert person.mask.sum() == 16 * 8
    assert person.uv[:, 10, 8].tolist() == pytest.approx([-0.2, -0.2])
    assert person.keypoints is not None
    assert PhotoFolder(market / "bounding_box_train", maps=market / "maps")[1].keypoints is None


def test_a_photograph_without_a_pose_is_left_out(market):
    text = (market / "joints.csv").read_text().splitlines()
    missing = json.dumps([5] * 8 + [-1] + [5] * 9)  # no right hip
    text[2] = f"{NAMES[1]}: {missing}: {missing}"
    (market / "joints.csv").write_text("\n".join(text))
    root = market / "bounding_box_train"
    assert PhotoFolder(root, market / "joints.csv").names == (NAMES[0], NAMES[2])
    (market / "maps" / f"{NAMES[0][:-4]}.npy").unlink()
    assert PhotoFolder(root, maps=market / "maps").names == NAMES[1:]
    assert PhotoFolder(root, market / "joints.csv", market / "maps").names == NAMES[2:]


def test_deepfashion_names(market):
    root = market / "bounding_box_train"
    for number, name in enumerate(NAMES):
        stem = f"fasionWOMENDressesid0000271{number}01_1front"
        (root / name).rename(root / f"{stem}.jpg")
        (market / "maps" / f"{name[:-4]}.npy").rename(market / "maps" / f"{stem}.npy")
    (root / "fasionWOMENDressesid0000271001_1front.g03.jpg").write_bytes(b"generated")
    folder = PhotoFolder(root, maps=market / "maps")
    assert folder.identities[0] == "WOMEN/Dresses/id_00002710/01"
    assert len(folder) == 3


def test_folders_that_cannot_be_used(market):
    root = market / "bounding_box_train"
    with pytest.raises(InputError, match="have no pose; give the csv"):
        PhotoFolder(root)
    with pytest.raises(InputError, match="None of the 3 photographs .* has a pose"):
        PhotoFolder(root, maps=root)
    with pytest.raises(InputError, match="cannot be read as a folder"):
        PhotoFolder(market / "nowhere", maps=root)
    with pytest.raises(InputError, match="holds no photograph of an identity"):
        PhotoFolder(market / "maps", maps=root)
    Image.new("RGB", (W + 1, H)).save(root / NAMES[2], format="PNG")
    with pytest.raises(InputError, match="bring all to one size"):
        PhotoFolder(root, market / "joints.csv")[2]
    (root / "holiday.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="named neither as in Market-1501"):
        PhotoFolder(root, market / "joints.csv")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    from posekit.studio.folder import render_folder

    root = tmp_path_factory.mktemp("rendered") / "people"
    render_folder(root, [3, 9], 2, (48, 24), jobs=1, progress=False, rooms="camera")
    return root


def test_a_rendered_folder_has_market_names(rendered):
    folder = open_training_folder(rendered)
    assert folder.names == ("0004_c1s1_000000_00.png", "0004_c2s1_000001_00.png")  # person 9 is for testing
    name = parse_market(folder.names[1])
    assert (name.identity, name.camera, name.frame) == (4, 2, 1)
    person = folder[1]
    assert (person.identity, person.name, person.size) == ("0004", folder.names[1], (48, 24))
    assert person.mask.any()
    assert RenderedFolder(rendered, [(9, 1)]).names == ("0010_c2s1_000001_00.png",)
    assert market_name(4, 7).camera == 2


def test_one_room_for_everyone(rendered):
    """The backdrop belongs to the camera: it is the same behind both people, and another in the other view."""
    corner = {shot: RenderedFolder(rendered, [shot])[0].image[:, :3, :3] for shot in ((3, 0), (9, 0), (3, 1))}
    assert (corner[3, 0] - corner[9, 0]).abs().max() < 0.03
    assert (corner[3, 0] - corner[3, 1]).abs().max() > 0.03


def test_rendered_folders_that_cannot_be_used(rendered, tmp_path):
    with pytest.raises(InputError, match="rendered folder, which has joints and maps"):
        open_training_folder(rendered, maps=tmp_path)
    with pytest.raises(InputError, match="holds no person 5"):
        RenderedFolder(rendered, [(5, 0)])
    with pytest.raises(InputError, match="has no card.json"):
        RenderedFolder(tmp_path)
    with pytest.raises(InputError, match="end at identity 9999"):
        market_name(9999, 0)


def test_descriptions_tell_folders_apart(market, rendered):
    root, joints = market / "bounding_box_train", market / "joints.csv"
    described = [PhotoFolder(root, joints).describe(), PhotoFolder(root, maps=market / "maps").describe()]
    assert described[0] == PhotoFolder(root, joints).describe()
    assert described[0]["photographs"] == 3
    joints.write_text(joints.read_text().replace("4, 4,", "4, 5,"))
    described.append(PhotoFolder(root, joints).describe())
    (root / NAMES[0]).unlink()
    described.append(PhotoFolder(root, joints).describe())
    assert len({json.dumps(d) for d in described}) == 4
    assert RenderedFolder(rendered).describe()["rooms"] == "camera"


def iuv_picture(part=2):
    pixels = np.zeros((H, W, 3), np.uint8)
    pixels[4:20, 4:12] = (100, 120, part)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("ending", ["_IUV", "_iuv"])
def test_maps_beside_their_photographs(tmp_path, ending):
    """One folder with photographs that are PNGs, their maps, and the index pictures of the maps."""
    for name in NAMES:
        stem = name.removesuffix(".jpg")
        Image.new("RGB", (W, H), (40, 80, 120)).save(tmp_path / f"{stem}.png")
        iuv_picture().save(tmp_path / f"{stem}{ending}.png")
        Image.fromarray(np.ones((H, W), np.uint8)).save(
            tmp_path / f"{stem}{ending.replace('UV', 'NDS').replace('uv', 'nds')}.png"
        )
    folder = PhotoFolder(tmp_path, maps=tmp_path, atlas="tiles")
    assert folder.names == tuple(n.replace(".jpg", ".png") for n in NAMES)
    assert folder[0].image[2].mean().item() == pytest.approx(120 / 255)
    assert int(folder[0].mask.sum()) == 16 * 8
    (tmp_path / f"{NAMES[0][:-4]}{ending}.png").unlink()
    assert len(PhotoFolder(tmp_path, maps=tmp_path, atlas="tiles")) == 2  # a photograph is not its own map


def test_maps_in_which_nobody_was_detected_are_left_out_and_that_is_said(market, caplog):
    np.save(market / "maps" / f"{NAMES[0][:-4]}.npy", np.full((H, W, 2), np.nan, np.float32))
    (market / "maps" / f"{NAMES[1][:-4]}.npy").unlink()
    iuv_picture(part=0).point(lambda value: 0).save(market / "maps" / f"{NAMES[1][:-4]}_IUV.png")
    folder = PhotoFolder(market / "bounding_box_train", maps=market / "maps")
    assert folder.names == NAMES[2:]
    assert "2 maps in" in caplog.text


def test_one_photograph_in_three_spellings(tmp_path):
    """fashion... photographs in folders of folders, a fasion... list, and maps with dashes."""
    photo = tmp_path / "img" / "WOMEN" / "Blouses_Shirts" / "id_00000442" / "01_2_side.jpg"
    photo.parent.mkdir(parents=True)
    Image.new("RGB", (W, H)).save(photo)
    (tmp_path / "img" / "maps").mkdir()
    np.save(
        tmp_path / "img" / "maps" / "WOMEN-Blouses_Shirts-id_00000442-01_2_side.npy",
        np.full((H, W, 2), -0.5, np.float32),
    )
    joints = json.dumps([5] * 18)
    (tmp_path / "joints.csv").write_text(
        f"name:keypoints_y:keypoints_x\nfasionWOMENBlousesShirtsid0000044201_2side.jpg: {joints}: {joints}\n"
    )
    array = np.full((H, W, 2), np.nan, np.float32)
    array[4:20, 4:12] = -0.5
    np.save(tmp_path / "img" / "maps" / "WOMEN-Blouses_Shirts-id_00000442-01_2_side.npy", array)
    folder = PhotoFolder(tmp_path / "img", tmp_path / "joints.csv", tmp_path / "img" / "maps")
    assert folder.names == ("WOMEN/Blouses_Shirts/id_00000442/01_2_side.jpg",)
    assert folder.identities == ("WOMEN/Blouses_Shirts/id_00000442/01",)
    assert folder[0].visibility.tolist() == [2] * 18
    assert int(folder[0].mask.sum()) == 16 * 8
