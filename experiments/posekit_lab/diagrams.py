"""The systems as drawings.

    python -m posekit_lab.diagrams          # notebooks/images/diagrams; a test compares the files with these

Symbols are those of the notebooks: S source, N target, M_S and M_N their surface maps, C the coordinate texture that
the source gives, D the completed one, T the colours there, W and E both warped to the target, N^ what is made.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from posekit.systems.base import choose
from posekit.util.files import whole_file
from posekit_lab.boxes import Box, Diagram, as_svg
from posekit_lab.source import ROOT

if TYPE_CHECKING:
    from IPython.display import SVG

FOLDER = ROOT / "notebooks" / "images" / "diagrams"  # JupyterLab shows nothing from outside its folder


def _given(column: float, row: float, title: str, note: str = "") -> Box:
    return Box(column, row, "given", title, note)


def _data(column: float, row: float, title: str, note: str = "") -> Box:
    return Box(column, row, "data", title, note)


def _network(column: float, row: float, title: str, note: str = "") -> Box:
    return Box(column, row, "network", title, note)


def _step(column: float, row: float, title: str, note: str = "") -> Box:
    return Box(column, row, "step", title, note)


def _loss(column: float, row: float, title: str, note: str = "") -> Box:
    return Box(column, row, "loss", title, note)


DIAGRAMS = {
    "coordinate_inpainting": Diagram(
        "Coordinate-based texture inpainting: a coordinate texture is completed, read, warped and refined",
        {
            "S": _given(0, 0, "S", "source photograph"),
            "MS": _given(0, 1, "M_S", "its surface map"),
            "MN": _given(0, 2, "M_N", "target's map"),
            "splat": _step(1, 1, "splat", "pixel positions"),
            "C": _data(2, 1, "C", "known coordinates"),
            "f": _network(3, 1, "f", "gated hourglass"),
            "D": _data(4, 1, "D", "all coordinates"),
            "read": _step(4, 0, "sample S at D"),
            "T": _data(5, 0, "T", "colour texture"),
            "warpT": _step(5, 1, "sample at M_N"),
            "warpD": _step(4, 2, "sample at M_N"),
            "W": _data(6, 1, "W", "warped colours"),
            "E": _data(6, 2, "E", "where in S"),
            "g": _network(7, 1, "g", "and S, M_S, M_N"),
            "N": _data(8, 1, "N^", "new photograph"),
        },
        (
            "S > read",
            "MS > splat",
            "splat > C",
            "C > f",
            "f > D",
            "D > read",
            "read > T",
            "T > warpT",
            "warpT > W",
            "D > warpD",
            "MN > warpD",
            "warpD > E",
            "W > g",
            "E > g",
            "g > N",
        ),
    ),
    "f": Diagram(
        "f: an hourglass of gated convolutions without skips; the middle sees far by dilation",
        {
            "in": _data(0, 0, "C, C', grid", "5 planes, H"),
            "one": _network(1, 0, "gated 5 x 5", "32, H"),
            "two": _network(2, 0.5, "2 gated, stride 2", "64, H / 2"),
            "three": _network(3, 1, "3 gated, stride 2", "128, H / 4"),
            "far": _network(4, 1, "4 gated", "dilation 2, 4, 8, 8"),
            "four": _network(5, 1, "2 gated", "128, H / 4"),
            "five": _network(6, 0.5, "enlarge, gated", "64, H / 2"),
            "six": _network(7, 0, "enlarge, 2 gated", "32, 16, H"),
            "out": _data(8, 0, "D", "tanh, 2 planes, H"),
        },
        ("in > one", "one > two", "two > three", "three > far", "far > four", "four > five", "five > six", "six > out"),
    ),
    "g": Diagram(
        "g: two encoders, six residual blocks, a decoder; the source's skips are warped by E",
        {
            "warp": _step(4, 0, "warp by E", "at each scale"),
            "source": _data(0, 1, "S, M_S, grid", "8 planes, H"),
            "s1": _network(1, 1, "source 1", "5 x 5, H"),
            "s2": _network(2, 1, "source 2", "stride 2, H / 2"),
            "s3": _network(3, 1, "source 3", "stride 2, H / 4"),
            "target": _data(0, 2, "W, M_N, E, grid", "10 planes, H"),
            "t1": _network(1, 2, "target 1", "5 x 5, H"),
            "t2": _network(2, 2, "target 2", "stride 2, H / 2"),
            "t3": _network(3, 2, "target 3", "stride 2, H / 4"),
            "r": _network(4, 2, "6 residual blocks", "H / 4"),
            "d3": _network(5, 2, "decoder 1", "H / 4"),
            "d2": _network(6, 2, "decoder 2", "enlarge, H / 2"),
            "d1": _network(7, 2, "decoder 3", "enlarge, H"),
            "out": _data(8, 2, "N^", "sigmoid, 3 planes"),
            "keep": _step(4, 3, "as they are", "at each scale"),
        },
        (
            "source > s1",
            "s1 > s2",
            "s2 > s3",
            "target > t1",
            "t1 > t2",
            "t2 > t3",
            "t3 > r",
            "r > d3",
            "d3 > d2",
            "d2 > d1",
            "d1 > out",
            "s1 ^ warp",
            "s2 ^ warp",
            "s3 ^ warp",
            "warp v d3",
            "warp v d2",
            "warp v d1",
            "t1 ^ keep",
            "t2 ^ keep",
            "t3 ^ keep",
            "keep v d3",
            "keep v d2",
            "keep v d1",
        ),
    ),
    "deformable_gan": Diagram(
        "Deformable GANs: skips of the source are moved by an affine map for each part of the body",
        {
            "S": _given(0, 0, "S, joints", "21 planes"),
            "J": _given(0, 2, "target's joints", "18 heat maps"),
            "enc": _network(1, 0, "encoder", "six scales"),
            "pose": _network(1, 2, "pose encoder", "six scales"),
            "fit": _step(1, 1, "affine maps", "ten parts, from joints"),
            "move": _step(2, 1, "warp and mask", "maximum, four scales"),
            "dec": _network(3, 1, "decoder"),
            "N": _data(4, 1, "N^", "new photograph"),
            "D": _loss(5, 1, "critic", "and nearest neighbour"),
        },
        (
            "S > enc",
            "J > pose",
            "enc ~ move",
            "fit > move",
            "move ~ dec",
            "pose ~ dec",
            "dec > N",
            "N > D",
            "J > fit",
            "S > fit",
        ),
    ),
    "spatial_transformation": Diagram(
        "One spatial transformation: correlation of two poses, a flow, a refinement without skips",
        {
            "ps": _given(0, 0, "p_s", "source's joints"),
            "pt": _given(0, 1, "p_t", "target's joints"),
            "S": _given(0, 2, "S", "source photograph"),
            "m1": _network(1, 0, "M", "11 convolutions"),
            "m2": _network(1, 1, "M", "the same weights"),
            "c": _step(2, 0.5, "correlation C", "all pairs of pixels"),
            "q": _step(3, 0.5, "mutual filter, Q"),
            "cl": _network(4, 0.5, "C_l", "six convolutions"),
            "f": _data(5, 0.5, "flow", "where to look in S"),
            "warp": _step(5, 2, "sample S"),
            "w": _data(6, 2, "warped S"),
            "r": _network(7, 2, "R", "no skips"),
            "N": _data(8, 2, "N^", "new photograph"),
            "aff": _loss(6, 0.5, "affine task", "known flow, in turns"),
        },
        (
            "ps > m1",
            "pt > m2",
            "m1 > c",
            "m2 > c",
            "c > q",
            "q > cl",
            "cl > f",
            "f > warp",
            "S > warp",
            "warp > w",
            "w > r",
            "r > N",
            "f > aff",
        ),
    ),
    "dense_pose_transfer": Diagram(
        "Dense Pose Transfer: a black box and a warp of completed charts, joined by a residual",
        {
            "S": _given(0, 0, "S, both IUV", "9 planes"),
            "pred": _network(2, 0, "predictive stream", "black box"),
            "P": _data(4, 0, "prediction"),
            "IUV": _given(0, 1, "S, its IUV"),
            "to": _step(1, 1, "splat", "into 24 charts"),
            "A": _network(2, 1, "24 autoencoders", "one context"),
            "back": _step(3, 1, "sample", "at the target's IUV"),
            "W": _data(4, 1, "warped"),
            "blend": _network(5, 0.5, "blending"),
            "N": _data(6, 0.5, "N^", "prediction + residual"),
            "views": _loss(2, 2, "multi-view loss", "every view's texels"),
        },
        (
            "S > pred",
            "pred > P",
            "IUV > to",
            "to > A",
            "A > back",
            "back > W",
            "P > blend",
            "W > blend",
            "blend > N",
            "A > views",
        ),
    ),
    "keypoints_and_garments": Diagram(
        "The coordinate-based system told by joints, and with another's clothes",
        {
            "J": _given(0, 0, "target's joints", "17 bones, one a plane"),
            "net": _network(1, 0, "U-Net", "part and position"),
            "MN": _data(2, 0, "M_N", "read, not given"),
            "S": _given(0, 1, "S: the clothes", "with M_S"),
            "f": _network(1, 1, "f", "coordinates"),
            "W": _data(2, 1, "W, E"),
            "N2": _given(2, 2, "N'", "head and hands kept"),
            "g": _network(3, 1, "g"),
            "N": _data(4, 1, "N^"),
        },
        ("J > net", "net > MN", "S > f", "f > W", "MN > W", "W > g", "N2 > g", "g > N"),
    ),
}


def show_diagram(name: str) -> SVG:
    """A drawing, for the last line of a notebook's cell.  InputError for a name that is not in `DIAGRAMS`."""
    from IPython.display import SVG

    return SVG(data=as_svg(DIAGRAMS[choose("drawing", name, DIAGRAMS)]))


def main(arguments: list[str] | None = None) -> list[Path]:
    """Write every drawing; the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER)
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, diagram in DIAGRAMS.items():
        written.append(out / f"{name}.svg")
        with whole_file(written[-1]) as path:
            path.write_text(as_svg(diagram), encoding="utf-8")
    return written


if __name__ == "__main__":
    print("\n".join(map(str, main())))
