"""A made-up folder laid out as 300-VW: rendered faces as frames, with 68 points of each."""

import numpy as np
import pytest
from PIL import Image

from posekit.cli.people import Files, check_data, open_people
from posekit.data.face_protocol import face_pairs
from posekit.data.points_file import read_points_file
from posekit.photo.face_videos import FaceVideos, frames_of, videos_of
from posekit.studio.generate import face_direction, make_shot
from posekit.systems import build
from posekit.util.errors import InputError
from tests.synthetic import TINY

needs_the_network = pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
VIEWS = [0, 1, 2, 3, 4, 5, 6, 7]


def write_points(path, points):
    lines = "".join(f"{x:.3f} {y:.3f}\n" for x, y in points + 1)
    path.write_text(f"version: 1\nn_points:  68\n{{\n{lines}}}\n")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three subjects of eight frames each, every second to be kept; nobody in profile."""
    root = tmp_path_factory.mktemp("300vw")
    for video, number in (("001", 8), ("002", 18), ("010", 28)):
        for name in ("annot", "frames"):
            (root / video / name).mkdir(parents=True)
        frame = 0
        for view in range(40):
            if face_direction(0, number, view)[2] < 0.8 or frame == 2 * len(VIEWS):
                continue
            shot = make_shot(0, number, view, 160, "face")
            rows, columns = np.nonzero(shot.head)
            corners = np.array([[columns.min(), rows.min() + 30], [columns.max(), rows.max()]], float)
            points = np.random.default_rng(view).uniform(*corners, (68, 2))
            for _ in range(2):
                frame += 1
                Image.fromarray(shot.image).save(root / video / "frames" / f"{frame:06d}.png")
                write_points(root / video / "annot" / f"{frame:06d}.pts", points)
    return root


def test_points_file(tmp_path):
    points = np.random.default_rng(0).uniform(0, 500, (68, 2)).round(3)
    write_points(tmp_path / "a.pts", points)
    assert read_points_file(tmp_path / "a.pts") == pytest.approx(points)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no file of points"),
        ("version: 1\nn_points: 68\n{\n1 2\n", "is no file of points"),
        ("version: 1\nn_points: 3\n{\n1 2\n3 4\n5 6\n}", "should hold 68 points, says 3 and holds 3"),
        ("version: 1\nn_points: 68\n{\n" + "1 2\n" * 67 + "}", "holds 67"),
        ("version: 1\nn_points: 68\n{\n" + "1 x\n" * 68 + "}", "something else than numbers"),
        ("version: 1\nn_points: 68\n{\n" + "1 nan\n" * 68 + "}", "is no place"),
        ("ü", "cannot be read"),
        ("1 " * 60_000, "it has 120000 bytes, more than 100000"),
    ],
)
def test_points_files_that_are_none(tmp_path, text, message):
    (tmp_path / "a.pts").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_points_file(tmp_path / "a.pts")


def test_a_missing_points_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_points_file(tmp_path / "a.pts")


def test_splits_go_by_subject(root, tmp_path):
    """The last 23 of 114; of three, one."""
    names = [[path.name for path in videos_of(root, split)] for split in ("train", "val")]
    assert names == [["001", "002"], ["010"]]
    for number in range(1, 115):
        (tmp_path / f"{number:03d}" / "annot").mkdir(parents=True)
    counts = [len(videos_of(tmp_path, split)) for split in ("train", "val")]
    assert counts == [91, 23]


def test_training_pairs(root):
    data = FaceVideos(root, "train", 64, every=2)
    kept = {name: len(frames) for name, frames in data.frames.items()}
    assert list(kept) == ["001", "002"]
    assert min(kept.values()) >= 6, "of eight, and every face is near the front"
    assert len(data) == sum(n * (n - 1) for n in kept.values())
    where = [data.where(i) for i in range(len(data))]
    assert len(set(where)) == len(data)
    assert all(source != target for _, source, target in where)
    assert data.where(-1) == where[-1]
    pair = data[len(data) - 1]
    assert (pair.source.identity, pair.source.atlas) == ("002", "head")
    assert pair.source.name != pair.target.name
    assert pair.source.mask.mean() > 0.2
    assert [frame.stem for frame in data.frames["001"]][:2] == ["000001", "000003"]
    assert data.describe()["frames"] == kept
    with pytest.raises(IndexError):
        data.where(len(data))


def test_validation_pairs_are_those_of_the_protocol(root):
    data = FaceVideos(root, "val", 64, every=2)
    looks = {name: np.array([data.face(frame).looks for frame in frames]) for name, frames in data.frames.items()}
    assert [data.where(i) for i in range(len(data))] == list(face_pairs(looks, 60))
    assert len(data) == 4


def test_frames_without_a_face_are_left_out(root, tmp_path, caplog):
    (tmp_path / "a" / "annot").mkdir(parents=True)
    (tmp_path / "a" / "frames").mkdir()
    (tmp_path / "b" / "annot").mkdir(parents=True)
    grey = Image.new("RGB", (160, 160), (128, 128, 128))
    for n, frame in enumerate(frames_of(root / "001")[::2]):
        picture = grey if n == 1 else Image.open(frame)
        picture.save(tmp_path / "a" / "frames" / frame.name)
        (tmp_path / "a" / "annot" / f"{frame.stem}.pts").write_text(
            (root / "001" / "annot" / f"{frame.stem}.pts").read_text()
        )
    data = FaceVideos(tmp_path, "train", 64, every=1)
    assert "000003.png is left out: There is no face" in caplog.text
    assert "000003" not in [frame.stem for frame in data.frames["a"]]


def test_folders_of_another_layout(root, tmp_path):
    with pytest.raises(InputError, match="two folders or more"):
        FaceVideos(tmp_path)
    with pytest.raises(InputError, match="train or val"):
        FaceVideos(root, "test")
    with pytest.raises(InputError, match="a number from 1 up"):
        FaceVideos(root, every=0)
    for name in ("001", "002"):
        (tmp_path / name / "annot").mkdir(parents=True)
    with pytest.raises(InputError, match=r"cut its video first: ffmpeg"):
        FaceVideos(tmp_path)


def test_commands_take_the_folder(root, tmp_path):
    """`--data ROOT`: a system for faces trains on the videos, and is measured on the subjects kept for validation."""
    small = {**TINY, "image_size": 64, "atlas_size": 64}
    data = open_people(str(root), "train", (64, 64), people=1, views=2, seed=0, kind="face")
    assert isinstance(data, FaceVideos)
    assert data[0].source.atlas == "head"
    assert {data.where(n)[0] for n in (0, len(data) - 1)} == {"001", "002"}
    with pytest.raises(InputError, match="4 targets need a video of 5 frames or more"):  # of the published protocol
        open_people(str(root), "test", (64, 64), people=1, views=2, seed=0, kind="face")
    check_data(build("coordinate_inpainting", "face", **small), data)
    files = Files(pairs=tmp_path / "pairs.csv")
    with pytest.raises(InputError, match="Lists of pairs or joints, and maps, are for a folder of photographs"):
        open_people(str(root), "train", (64, 64), people=1, views=2, seed=0, kind="face", files=files)
    with pytest.raises(InputError, match="leave --poses out with photographs"):
        open_people(str(root), "train", (64, 64), people=1, views=2, seed=0, kind="face", poses="raised")
