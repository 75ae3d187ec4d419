"""Take the networks that read photographs out of MediaPipe's wheel.

    pip download --no-deps mediapipe==0.10.21 -d wheels
    python data_scripts/take_photo_models.py wheels/mediapipe-0.10.21-*.whl

writes posekit/photo/asset/: pose_detection.tflite, pose_landmark_full.tflite, face_landmark.tflite and their licence
(Apache 2.0).  Nothing of the wheel is run; a file that is not the expected one, by its hash, is refused.
"""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from pathlib import Path

from posekit.photo.models import HASHES
from posekit.util.errors import InputError
from posekit.util.files import whole_file

ASSET = Path(__file__).parents[1] / "posekit" / "photo" / "asset"
PLACES = {name: f"mediapipe/modules/{name.removesuffix('_full')}/{name}.tflite" for name in HASHES}
LICENCE = "mediapipe-0.10.21.dist-info/LICENSE"


def take(wheel: Path, out: Path = ASSET) -> list[Path]:
    """The files that were written."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            contents = {f"{name}.tflite": archive.read(place) for name, place in PLACES.items()}
            contents["LICENSE-mediapipe"] = archive.read(LICENCE)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{wheel} is not the wheel of mediapipe 0.10.21: {error}.") from error
    for name, expected in HASHES.items():
        if hashlib.sha256(contents[f"{name}.tflite"]).hexdigest() != expected:
            raise InputError(f"{PLACES[name]} in {wheel} is another file than that of mediapipe 0.10.21.")
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in contents.items():
        with whole_file(out / name) as temporary:
            temporary.write_bytes(content)
        written.append(out / name)
    return written


def main() -> None:
    """Take them, and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    args = parser.parse_args()
    print("\n".join(map(str, take(args.wheel))))


if __name__ == "__main__":
    main()
