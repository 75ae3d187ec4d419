"""What is said of a surface map, whatever file it came in: DensePose charts, or positions in an atlas."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from posekit.data.inspection.report import Fault, FileReport
from posekit.data.inspection.sides import TRUNK, WINDING, charts_as_expected, right_is_right, share_winding, winding
from posekit.data.iuv import IUV, LAST_PART, NobodyError, charts_of, find_order
from posekit.data.people import one_person
from posekit.data.strays import find_strays, mend_map
from posekit.util.errors import InputError

MANY_STRAYS = 0.1  # of the body; published sample maps have 2 to 7 %
_MOSTLY = 0.6  # of the pixels that say something: then it is so
_CALM = 0.9  # share of neighbours with one value that a map of part numbers has at least
_RED = torch.tensor([0.9, 0.1, 0.1])[None, :, None, None]


def looks_like_charts(channels: Shaped[np.ndarray, "h w 3"]) -> bool:
    """Whether 8-bit values are an IUV picture: part numbers in patches, and nothing where there is no part."""
    if not channels.any():
        return False
    for part, other in ((0, 2), (2, 0)):
        numbers = channels[..., part]
        if numbers.max(initial=0) > LAST_PART or not numbers.any():
            continue
        off = numbers == 0
        empty = (channels[..., (1, other)].max(-1)[off] == 0).mean() if off.any() else 1.0
        calm = (numbers[:, 1:] == numbers[:, :-1]).mean() if numbers.shape[1] > 1 else 1.0
        if empty > 0.99 and calm > _CALM:
            return True
    return False


def report_charts(path: str | os.PathLike, channels: Shaped[np.ndarray, "h w 3"], kind: str) -> FileReport:
    """The report of an IUV picture from its three channels as they are stored."""
    path = Path(path)
    size = f"{channels.shape[0]} x {channels.shape[1]} (height x width)"
    try:
        order, unsure = find_order(channels), None
    except NobodyError:
        fault = Fault("All of its values are 0: nobody was detected.", "Leave the photograph out, or take another.")
        return FileReport(path, f"{kind} of nobody", {"size": size}, (fault,))
    except InputError as error:
        order = "IUV" if (channels[..., 0] > 0).sum() > (channels[..., 2] > 0).sum() else "VUI"
        unsure = Fault(f"Its channel order is not certain: {error}", f"Say which; {order} seems right.")
    iuv = charts_of(channels, order)
    body = max(1, int(iuv.mask.sum()))
    who = "DensePose writes it so" if order == "VUI" else "written by other tools than DensePose"
    facts = {"size": size, "channels": f"{', '.join(order)} as Pillow reads them ({who})"}
    parts = sorted(set(iuv.part.unique().tolist()) - {0})
    u, v = iuv.chart.flatten(1).amax(1)
    facts["values"] = f"I in {parts[0]}..{parts[-1]} ({len(parts)} parts), U up to {255 * u:.0f}, V up to {255 * v:.0f}"
    facts["body"] = f"{body / iuv.mask.numel():.1%} of the picture"
    faults = [unsure] if unsure else []
    if max(float(u), float(v)) * 255 < 2:
        faults.append(Fault("U and V are 0 or 1 everywhere.", "Write 255 times their value, rounded down."))
    _, people = one_person(iuv.part)
    facts["people"] = str(people)
    facts["holes"] = _holes(iuv.chart, iuv.mask)
    sides, fault = _sides_of(iuv)
    facts["mirrored"] = sides
    faults += [fault] if fault else []
    pictures = {"parts I": _part_colours(iuv), "U": _grey(iuv, 0), "V": _grey(iuv, 1)}
    return FileReport(path, kind, facts, tuple(faults), pictures)


def report_atlas_map(path: str | os.PathLike, uv: Float[Tensor, "2 h w"], mask: Float[Tensor, "1 h w"]) -> FileReport:
    """The report of a map of positions (u, v) in [-1, 1], v down, of one atlas."""
    body = int(mask.sum())
    facts = {
        "size": f"{uv.shape[1]} x {uv.shape[2]} (height x width)",
        "convention": "(u, v) in [-1, 1], v down",
        "body": f"{body / mask.numel():.1%} of the picture",
    }
    faults = []
    if body == 0:
        faults.append(Fault("It has no body pixel: nobody was detected.", "Leave the photograph out, or take another."))
        return FileReport(Path(path), "surface map of nobody", facts, tuple(faults))
    low, high = uv[:, mask[0] > 0].amin(1).tolist(), uv[:, mask[0] > 0].amax(1).tolist()
    facts["values"] = f"u in {low[0]:.2f}..{high[0]:.2f}, v in {low[1]:.2f}..{high[1]:.2f}"
    strays = find_strays(uv[None], mask[None])[0]
    share = float(strays.sum()) / body
    facts["strays"] = f"{share:.1%} of the body"
    facts["holes"] = _holes(uv, mask)
    if share > MANY_STRAYS:
        faults.append(
            Fault(
                f"{share:.0%} of its body pixels lie far from all their neighbours in the atlas.",
                "Read it with strays='mend' or 'drop' (posekit.load_person).",
            )
        )
    turned = share_winding(winding(uv, mask.long()))
    if turned is None:
        facts["mirrored"] = "too few pixels to tell"
    elif turned > 1 - _MOSTLY:
        facts["mirrored"] = f"no ({turned:.0%} of the pixels wind as the SMPL atlas does)"
    elif _downwards(uv, mask) < 1 - _MOSTLY:
        facts["mirrored"] = "no, but v points up"
        faults.append(
            Fault("v grows from the feet to the head: it points up.", "Store y = 1 - 2 v, so -y of this file.")
        )
    else:
        facts["mirrored"] = f"yes, or u and v exchanged ({turned:.0%} of the pixels wind as the SMPL atlas does)"
        faults.append(
            Fault(
                "The body lies the other way round in it than in the SMPL atlas.",
                "Flip the picture back (array[:, ::-1]); or exchange u and v (array[..., ::-1]), if that was it.",
            )
        )
    pictures = {"u red, v green": _places(uv[None], mask), "strays red": _marked(uv[None], mask, strays)}
    return FileReport(Path(path), "surface map, positions in one atlas", facts, tuple(faults), pictures)


def with_faults(report: FileReport, kind: str, *faults: Fault) -> FileReport:
    """The same report with another kind, and more faults in front of its own."""
    return dataclasses.replace(report, kind=kind, faults=(*faults, *report.faults))


def _sides_of(iuv: IUV) -> tuple[str, Fault | None]:
    """(a few words on mirroring, what is wrong with it)."""
    trunk, limbs = (charts_as_expected(iuv.part, iuv.chart, parts) for parts in (TRUNK, WINDING.keys() - set(TRUNK)))
    right = right_is_right(iuv.part)
    view = {
        None: "view from the side, or too little seen",
        True: "right parts on their side",
        False: "right parts on the other side",
    }[right]
    said = [
        f"{share:.0%} of {name}"
        for share, name in ((trunk, "torso and head"), (limbs, "arms and legs"))
        if share is not None
    ]
    words = f"{view}; {' and '.join(said) or 'nothing'} winds as DensePose's charts do"
    turned = [share is not None and share < 1 - _MOSTLY for share in (trunk, limbs)]
    if all(turned) and right is False:
        return f"yes: {words}", Fault(
            "The picture is mirrored, and its part numbers are those of before.",
            "Flip it back, or mirror the maps too (posekit.ops.surface.mirror_charts).",
        )
    if all(turned) and right is None:
        return f"unclear: {words}", Fault(
            "Its charts wind the other way: the picture is mirrored, or U and V are exchanged.",
            "Flip it back, or exchange the two channels; look at it beside its photograph.",
        )
    if all(turned):
        return f"unclear: {words}", Fault(
            "U and V are exchanged, or one of them runs backwards.", "Exchange the two channels, or write 255 minus it."
        )
    if turned[0] and limbs is not None:
        return f"half: {words}", Fault(
            "It was mirrored and its parts renumbered, but the charts of torso and head were not turned over.",
            "Mirror them as posekit.ops.surface.mirror_charts does.",
        )
    if (turned[1] and trunk is not None) or (limbs is None and right is False):
        return f"half: {words}", Fault(
            "Its right and left part numbers are exchanged.", "Exchange them (posekit.ops.surface.mirror_parts)."
        )
    return f"no: {words}", None


def _downwards(uv: Tensor, mask: Tensor) -> float:
    """Of the vertical steps between body pixels, the share along which v grows."""
    inside = (mask[0, 1:] > 0) & (mask[0, :-1] > 0)
    step = uv[1, 1:] - uv[1, :-1]
    step = step[inside & (step.abs() < 0.1) & (step != 0)]
    return float((step > 0).float().mean()) if len(step) else 1.0


def _holes(uv: Tensor, mask: Tensor) -> str:
    closed = mend_map(uv[None], mask[None])[1][0]
    pixels = int((closed - mask).sum())
    return f"{pixels} pixels in small holes" if pixels else "none"


def _part_colours(iuv: IUV) -> Float[Tensor, "1 3 h w"]:
    """A colour for each part, even numbers darker; white off the body."""
    angle = 2 * torch.pi * iuv.part.float() / LAST_PART
    colours = torch.stack([0.5 + 0.45 * torch.cos(angle - shift) for shift in (0.0, 2.1, 4.2)], 1)
    return torch.where(iuv.mask[None] > 0, colours * (1 - 0.25 * (iuv.part % 2)[None]), 1.0)


def _grey(iuv: IUV, channel: int) -> Float[Tensor, "1 3 h w"]:
    return torch.where(iuv.mask[None] > 0, iuv.chart[None, channel : channel + 1], 1.0).expand(1, 3, -1, -1)


def _places(uv: Tensor, mask: Tensor) -> Float[Tensor, "1 3 h w"]:
    """Positions as colours: red grows with u, green with v; white off the body."""
    u, v = (uv.clamp(-1, 1) + 1).div(2).split(1, 1)
    return torch.where(mask[None] > 0, torch.cat([u, v, torch.full_like(u, 0.4)], 1), 1.0)


def _marked(uv: Tensor, mask: Tensor, strays: Tensor) -> Float[Tensor, "1 3 h w"]:
    pale = 0.5 + 0.5 * _places(uv, mask)
    return torch.where(strays[None] > 0, _RED, pale)
