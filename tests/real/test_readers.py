"""The readers on the field's own files."""

import numpy as np
import pytest
import torch

from posekit.data.annotations import read_annotations, read_pairs
from posekit.data.iuv import read_iuv
from posekit.data.load import load_person
from posekit.data.names import parse_deepfashion
from posekit.data.photo import read_photo
from posekit.data.smpl_atlas import read_smpl_atlas, smpl_chart_table, smpl_mirror
from posekit.ops.surface import mirror_uv


def test_densepose_pictures_are_vui(samsung):
    for files in samsung:
        iuv, photo = read_iuv(files["iuv"]), read_photo(files["photo"])
        assert iuv.order == "VUI"
        assert iuv.mask.shape[1:] == photo.shape[1:] == (256, 256)
        assert 0.15 < float(iuv.mask.mean()) < 0.3
        assert {23, 24} & set(iuv.part.unique().tolist())


def test_the_other_order_is_found_too(real):
    (photo,) = (p for p in (real / "pose_with_style").glob("*.png") if not p.stem.endswith("_iuv"))
    surface_map = photo.with_name(photo.stem + "_iuv.png")
    assert read_iuv(surface_map).order == "IUV"
    person = load_person(photo, surface_map, atlas="tiles")
    assert person.size == (512, 348)
    assert person.identity == parse_deepfashion(photo).identity == "WOMEN/Blouses_Shirts/id_00006350/04"


def test_maps_of_both_float_kinds(samsung):
    kinds = set()
    for files in samsung:
        for path in (files["map"], files["target"]):
            array = np.load(path)
            kinds.add(array.dtype.name)
            uv, mask = read_smpl_atlas(path)
            assert int(mask.sum()) == int(np.isfinite(array[..., 0]).sum()) > 5000
            assert uv.isfinite().all()
            assert (uv * (1 - mask) == 0).all()
            assert 0.6 < -uv[0].min() < 1  # both halves of the atlas are seen
            assert 0.9 < uv.abs().max() < 1
    assert kinds == {"float32", "float64"}


def test_the_table_equals_the_authors_maps(samsung, smpl_cache, monkeypatch):
    """Where theirs is not interpolated across a seam; the first map was made from charts before rounding."""
    monkeypatch.setenv("POSEKIT_CACHE", str(smpl_cache))
    table = smpl_chart_table()
    for files, share, error in zip(samsung, (0.96, 0.95, 0.92), (4e-3, 1e-5, 1e-5), strict=True):
        iuv = read_iuv(files["iuv"])
        uv, mask = table.to_atlas(iuv.part, iuv.chart)
        theirs, known = read_smpl_atlas(files["map"])
        assert int((mask != known).sum()) < 60
        both = (mask * known)[0] > 0
        assert float(((uv - theirs).abs().amax(0)[both] < error).float().mean()) > share


def test_mirroring_the_smpl_atlas_twice(samsung, smpl_cache, monkeypatch):
    monkeypatch.setenv("POSEKIT_CACHE", str(smpl_cache))
    mirror = smpl_mirror()
    for files in samsung:
        uv, mask = (m[None] for m in read_smpl_atlas(files["map"]))
        once, known = mirror_uv(uv, mask, mirror)
        twice, known = mirror_uv(once, known, mirror)
        assert known.sum() > 0.98 * mask.sum()
        away = (twice - uv).norm(dim=1, keepdim=True)[known > 0]
        assert away.quantile(0.9) < 0.1 * 2 / 256
        assert ((once - uv).norm(dim=1, keepdim=True)[known > 0]).median() > 0.3  # and once is somewhere else


def test_annotations_and_pairs(real):
    annotations = read_annotations(real / "csv" / "fasion-annotation-test.csv", (256, 256))
    assert len(annotations) == len(set(annotations.names)) == 4061
    assert annotations.points.abs().max() < 1
    visible = annotations.visibility > 0
    assert 0.6 < float(visible.float().mean()) < 0.95
    assert int((~visible.any(1)).sum()) > 0  # photographs without a person
    nose, neck = annotations.points[:, 0, 1], annotations.points[:, 1, 1]
    both = visible[:, 0] & visible[:, 1]
    assert (nose < neck)[both].float().mean() > 0.98  # y points down
    pairs = read_pairs(real / "csv" / "fasion-pairs-test.csv")
    assert len(pairs) == 8670
    for source, target in pairs:
        assert parse_deepfashion(source).identity == parse_deepfashion(target).identity
        assert source in annotations._rows


def test_published_names_round_trip(real):
    for name in read_annotations(real / "csv" / "fasion-annotation-test.csv", (256, 256)).names:
        assert parse_deepfashion(name).spell("fasion") == name


@pytest.mark.parametrize("field", ["part", "chart"])
def test_charts_beside_the_authors_maps(samsung, field):
    for files in samsung:
        person = load_person(files["photo"], files["map"], iuv=files["iuv"])
        value = getattr(person, field)
        assert value.isfinite().all()
        assert torch.equal((value != 0).any(0) * (person.mask[0] == 0), torch.zeros(256, 256, dtype=torch.bool))
