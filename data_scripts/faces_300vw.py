"""300-VW: look whether it is whole, and take every sixth frame of its videos out as pictures.

    python data_scripts/faces_300vw.py verify 300VW_Dataset_2015_12_14
    python data_scripts/faces_300vw.py convert 300VW_Dataset_2015_12_14 -o faces

``convert`` needs the program ffmpeg.  It writes OUT/VIDEO/000001.png, 000007.png, ... named as the points of the same
frame, ``VIDEO/annot/000001.pts``, are; a video whose folder is there already is left out, so it goes on.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import field_data

from posekit.util.errors import InputError

SUBJECTS = 114  # of which coordinate-based inpainting trains on 91 and validates on 23
STEP = 6  # frames
VIDEO, POINTS = "vid.avi", "annot"


def videos_of(root: Path) -> list[Path]:
    """The folders of the videos, which are called by numbers."""
    if not root.is_dir():
        raise InputError(f"There is no folder {root}; data_scripts/README.md says what is expected.")
    return sorted(path for path in root.iterdir() if path.is_dir() and re.fullmatch(r"\d{3}", path.name))


def verify(root: Path) -> bool:
    """Print what is there; whether it is all."""
    folders = videos_of(root)
    points = [path for folder in folders for path in sorted((folder / POINTS).glob("*.pts"))]
    odd = sum("n_points: 68" not in re.sub(r":\s+", ": ", path.read_text(errors="replace")[:200]) for path in points)
    counts = [
        field_data.Count("videos", len(folders), SUBJECTS),
        field_data.Count(f"videos without {VIDEO}", sum(not (folder / VIDEO).is_file() for folder in folders), 0),
        field_data.Count("videos without points", sum(not list((f / POINTS).glob("*.pts")) for f in folders), 0),
        field_data.Count("frames with points", len(points)),
        field_data.Count("files of points that have not 68", odd, 0),
    ]
    return field_data.say(counts)


def convert(root: Path, out: Path) -> int:
    """The number of frames that were written now."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise InputError("The program ffmpeg is not here; install it, it reads the videos.")
    frames = 0
    for folder in videos_of(root):
        if (out / folder.name).is_dir() or not (folder / VIDEO).is_file():
            continue
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=f".{folder.name}-") as scratch:
            wanted = f"select='not(mod(n,{STEP}))'"
            words = [program, "-v", "error", "-i", str(folder / VIDEO), "-vf", wanted, "-fps_mode", "passthrough"]
            done = subprocess.run([*words, f"{scratch}/%06d.png"], capture_output=True, text=True)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise InputError(f"ffmpeg could not read {folder / VIDEO} ({reason}); fetch the video again.")
            whole = Path(scratch) / "whole"
            whole.mkdir()
            for number, path in enumerate(sorted(Path(scratch).glob("*.png"))):
                path.rename(whole / f"{STEP * number + 1:06d}.png")
                frames += 1
            whole.rename(out / folder.name)
    return frames


def main(arguments: list[str] | None = None) -> None:
    """Run one of the two commands; exit code 1 where something is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    look, take = (commands.add_parser(name) for name in ("verify", "convert"))
    for one in (look, take):
        one.add_argument("root", type=Path)
    take.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args(arguments)
    if args.command == "verify":
        raise SystemExit(0 if verify(args.root) else 1)
    print(f"{convert(args.root, args.out):,} frames in {args.out}")


if __name__ == "__main__":
    main()
