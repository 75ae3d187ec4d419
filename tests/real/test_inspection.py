"""What an inspection says of the field's own files."""

import numpy as np
import pytest
from PIL import Image

from posekit.data.inspection.inspect_file import inspect_file
from posekit.data.inspection.sides import WINDING, winding
from posekit.data.iuv import read_iuv


def test_every_real_file_is_what_it_is_and_nothing_is_wrong_with_it(real):
    kinds = {}
    for path in sorted(p for p in real.rglob("*") if p.is_file() and p.suffix != ".md"):
        report = inspect_file(path)
        assert report.faults == (), path
        kinds[report.kind] = kinds.get(report.kind, 0) + 1
    assert kinds == {
        "photograph": 28,
        "DensePose IUV picture": 4,
        "surface map (h, w, 2), as of the SMPL atlas": 6,
        "keypoint csv, 18 joints": 1,
        "list of pairs": 1,
    }


def test_facts_of_the_published_lists(real):
    joints = inspect_file(real / "csv" / "fasion-annotation-test.csv").facts
    assert joints["photographs"] == "4061, names as fasion (4061)"
    assert joints["valid"].startswith("3278 with both shoulders and both hips")
    assert joints["nobody"].startswith("in 640 photographs")
    pairs = inspect_file(real / "csv" / "fasion-pairs-test.csv").facts
    assert (pairs["pairs"], pairs["photographs"], pairs["people"]) == ("8670", "3153", "873")


def test_densepose_charts_wind_as_the_table_says(samsung, real):
    """Every chart that a picture shows on at least 100 pixels, in four pictures of two tools."""
    seen = set()
    for path in (*(files["iuv"] for files in samsung), *(real / "pose_with_style").glob("*_iuv.png")):
        iuv = read_iuv(path)
        sign = winding(iuv.chart, iuv.part)
        for part, expected in WINDING.items():
            said = sign[(iuv.part == part) & (sign != 0)]
            if len(said) >= 100:
                assert expected * float(said.mean()) > 0.3, (path.name, part)
                seen.add(part)
    assert seen == set(WINDING)


@pytest.mark.parametrize(
    ("mistake", "named"),
    [(lambda c: c[:, ::-1], "The picture is mirrored"), (lambda c: c[..., [1, 0, 2]], "U and V are exchanged")],
)
def test_mistakes_made_with_real_pictures_are_named(samsung, tmp_path, mistake, named):
    for files in samsung[1:]:  # the first is seen from the side
        with Image.open(files["iuv"]) as picture:
            Image.fromarray(np.ascontiguousarray(mistake(np.asarray(picture)))).save(tmp_path / "a.png")
        assert named in inspect_file(tmp_path / "a.png").faults[0].what


def test_mistakes_made_with_real_maps_are_named(samsung, tmp_path):
    for path in (files[kind] for files in samsung for kind in ("map", "target")):
        array = np.load(path)
        for mistake, named in (
            (array[:, ::-1], "the other way round"),
            (array * [1, -1], "it points up"),
            (np.stack([(array[..., 0] + 1) / 2, (1 - array[..., 1]) / 2], -1), "(u, v) in [0, 1]"),
        ):
            np.save(tmp_path / "a.npy", mistake)
            assert named in inspect_file(tmp_path / "a.npy").faults[0].what, path


def test_a_real_map_through_jpeg_is_seen(samsung, tmp_path):
    for files in samsung:
        with Image.open(files["iuv"]) as picture:
            picture.save(tmp_path / "a.jpg", quality=90)
        assert inspect_file(tmp_path / "a.jpg").kind.startswith("IUV picture that was saved with losses")
