"""Joint annotations and pairs, with every trap of the published files in miniature."""

import pytest
import torch

from posekit.data.annotations import read_annotations, read_pairs
from posekit.ops.grids import norm_to_points
from posekit.util.errors import InputError

Y = [24, 49, 49, 86, 116, 49, 85, 117, 114, 167, 216, 114, 168, 214, 19, 19, 20, 21]
X = [129, 122, 103, 95, 83, 141, 144, 155, 112, 118, 125, 134, 126, 122, 124, 132, -1, 137]
NONE = [-1] * 18


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def test_points_are_x_y_and_normalised(tmp_path):
    path = write(tmp_path / "a.csv", "name:keypoints_y:keypoints_x", f"a.jpg: {Y}: {X}", f"-1_b.jpg: {NONE}: {NONE}")
    read = read_annotations(path, (256, 256))
    assert read.names == ("a.jpg", "-1_b.jpg")
    assert len(read) == 2
    pixels = norm_to_points(read.points, (256, 256))
    assert torch.allclose(pixels[0, 0], torch.tensor([129.0, 24.0]), atol=1e-4)
    points, visibility = read["a.jpg"]
    assert visibility.tolist() == [2] * 16 + [0, 2]
    assert points[16].tolist() == [0, 0]  # missing: no coordinate, though y was given
    assert (read["-1_b.jpg"][1] == 0).all()
    assert (read["-1_b.jpg"][0] == 0).all()
    with pytest.raises(InputError, match="no joint annotation for 'c.jpg'"):
        read["c.jpg"]


def test_columns_are_found_by_name(tmp_path):
    one = write(tmp_path / "a.csv", "name:keypoints_y:keypoints_x", f"a.jpg: {Y}: {X}")
    other = write(tmp_path / "b.csv", "keypoints_x: name:keypoints_y", f"{X}: a.jpg: {Y}", "")
    assert torch.equal(read_annotations(one, (256, 256)).points, read_annotations(other, (256, 256)).points)


def test_columns_cropped_on_the_left(tmp_path):
    path = write(tmp_path / "a.csv", "name:keypoints_y:keypoints_x", f"a.jpg: {Y}: {X}")
    narrow = norm_to_points(read_annotations(path, (256, 176), left=40).points, (256, 176))
    assert torch.allclose(narrow[0, 0], torch.tensor([89.0, 24.0]), atol=1e-4)
    assert read_annotations(path, (256, 176), left=40).visibility[0, 16] == 0  # -1 - 40 is still missing


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["name;keypoints_y;keypoints_x"], "the header is"),
        (["name:keypoints_y:keypoints_x", f"a.jpg: {Y}"], "line 2: 2 cells"),
        (["name:keypoints_y:keypoints_x", f"a: {Y}: {X}", f"b: {Y[:16]}: {X[:16]}"], "line 3: 16 joints.*older kind"),
        (["name:keypoints_y:keypoints_x", f"a.jpg: {Y}: hello"], "line 2: 'hello' is not a list of numbers"),
        (["name:keypoints_y:keypoints_x", f"a.jpg: {Y}: {[*X[:17], None]}"], "is not a list of numbers"),
        (["name:keypoints_y:keypoints_x", "a.jpg: [NaN]: [1]"], "is not a list of numbers"),
    ],
)
def test_bad_files_name_the_line(tmp_path, lines, message):
    with pytest.raises(InputError, match=message):
        read_annotations(write(tmp_path / "a.csv", *lines), (256, 256))


def test_a_header_alone_is_an_empty_list(tmp_path):
    read = read_annotations(write(tmp_path / "a.csv", "name:keypoints_y:keypoints_x"), (4, 4))
    assert len(read) == 0
    assert read.points.shape == (0, 18, 2)


def test_pairs(tmp_path):
    assert read_pairs(write(tmp_path / "a.csv", "from,to", "a.jpg,b.jpg", "", "b.jpg,a.jpg")) == [
        ("a.jpg", "b.jpg"),
        ("b.jpg", "a.jpg"),
    ]
    assert read_pairs(write(tmp_path / "b.csv", ",to,from", "0,b.jpg,a.jpg")) == [("a.jpg", "b.jpg")]
    with pytest.raises(InputError, match="has the columns from and to"):
        read_pairs(write(tmp_path / "c.csv", "source,target"))
    with pytest.raises(InputError, match="line 2: 1 cells"):
        read_pairs(write(tmp_path / "d.csv", "from,to", "a.jpg"))


def test_files_that_are_no_text(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x80")
    (tmp_path / "empty.csv").touch()
    for read in (read_pairs, lambda path: read_annotations(path, (4, 4))):
        with pytest.raises(InputError, match="not a text file"):
            read(tmp_path / "a.csv")
        with pytest.raises(InputError, match="is empty"):
            read(tmp_path / "empty.csv")
        with pytest.raises(InputError, match="could not be read"):
            read(tmp_path / "missing.csv")


def test_a_list_of_wider_photographs_is_refused(tmp_path):
    """DeepFashion at 256 x 256 and its middle 176 columns have lists of their own, 40 pixels apart."""
    wide = write(tmp_path / "a.csv", "name:keypoints_y:keypoints_x", f"a.jpg: {Y}: {[*X[:17], 230]}")
    with pytest.raises(InputError, match=r"joints reach \(230, .*176 x 256 pixels.*belongs to larger ones"):
        read_annotations(wide, (256, 176))
    assert len(read_annotations(wide, (256, 256))) == len(read_annotations(wide, (256, 176), left=40)) == 1


def test_a_photograph_is_found_under_any_spelling(tmp_path):
    joints = [5] * 18
    name = "fasionWOMENBlousesShirtsid0000044201_2side.jpg"
    write(
        tmp_path / "a.csv",
        "name:keypoints_y:keypoints_x",
        f"{name}: {joints}: {joints}",
        f"own.jpg: {joints}: {joints}",
    )
    annotations = read_annotations(tmp_path / "a.csv", (20, 20))
    for spelled in (
        name,
        "fashionWOMENBlouses_Shirtsid0000044201_2side.png",
        "WOMEN-Blouses_Shirts-id_00000442-01_2_side",
    ):
        assert spelled in annotations
        assert torch.equal(annotations[spelled][0], annotations[name][0])
    for other in ("fasionWOMENBlousesShirtsid0000044201_3back.jpg", "own.png", 7):
        assert other not in annotations
