"""What is said of a ``.npy`` array: a surface map in one of several conventions, a lookup table, or another array."""

import os
from pathlib import Path

import numpy as np
import torch

from posekit.data.inspection.maps import looks_like_charts, report_atlas_map, report_charts, with_faults
from posekit.data.inspection.report import Fault, FileReport
from posekit.data.photo import MOST_PIXELS
from posekit.data.smpl_atlas import BACKGROUND, TOLERANCE, open_array

_SPELLED = "surface map (h, w, 2), as of the SMPL atlas"


def report_array(path: str | os.PathLike) -> FileReport:
    """The report of a ``.npy`` file; `InputError` where it is not whole, or holds Python objects (not loaded)."""
    path, array = Path(path), open_array(path)
    facts = {"shape": " x ".join(map(str, array.shape)) or "one number", "type": str(array.dtype)}
    if array.size == 0:
        fault = Fault("It holds no number.", "Write it again.")
        return FileReport(path, "array without numbers", facts, (fault,))
    if array.shape == (24, 256, 256, 2) or (array.ndim == 4 and array.shape[0] == 24 and array.shape[3] == 2):
        facts["convention"] = "index [I - 1, V, U], value (u, v) in 0..1 with v up, in the tables of the field"
        return FileReport(path, "lookup table from DensePose charts to an atlas", facts)
    if array.ndim != 3 or array.size > 3 * MOST_PIXELS:
        return FileReport(path, f"array of {array.ndim} axes, no surface map", facts)
    if array.shape[2] == 3 and array.dtype == np.uint8:
        if looks_like_charts(np.asarray(array)):
            fault = Fault("An IUV map in an array, which no reader takes.", "Save it as a PNG.")
            report = report_charts(path, np.asarray(array), "DensePose IUV map")
            return with_faults(report, "DensePose IUV map in an array", fault)
        return FileReport(path, "array of a picture (h, w, 3)", facts)
    faults = []
    if array.shape[2] != 2 and array.shape[0] == 2:
        faults.append(Fault("Its channels come first.", "Transpose it: array.transpose(1, 2, 0)."))
        array = array.transpose(1, 2, 0)
    if array.shape[2] != 2:
        return FileReport(path, "array of three axes, no surface map", facts)
    if array.dtype.kind != "f":
        fault = Fault(f"It holds {array.dtype} values.", "A surface map holds floats in [-1, 1], NaN off the body.")
        return FileReport(path, "array (h, w, 2) of whole numbers", facts, (fault,))
    uv = torch.from_numpy(np.array(array, np.float32)).permute(2, 0, 1).contiguous()
    mask = ~torch.isnan(uv).any(0, keepdim=True)
    background = "NaN off the body"
    if bool(mask.all()):
        values, counts = uv.flatten(1).unique(dim=1, return_counts=True)
        flat = values[:, counts.argmax()]
        if int(counts.max()) > BACKGROUND * mask.numel():
            faults.append(
                Fault(
                    f"Its background is ({flat[0]:g}, {flat[1]:g}), a position of the atlas like any other.",
                    "Set it to NaN.",
                )
            )
            mask = (uv != flat[:, None, None]).any(0, keepdim=True)
            background = f"({flat[0]:g}, {flat[1]:g}) off the body"
        else:
            background = "none: the body is everywhere"
    inside = uv[:, mask[0]]
    largest = float(inside.abs().max()) if inside.numel() else 0.0
    uv = torch.where(mask, uv, 0)
    if not np.isfinite(largest) or largest > 1 + TOLERANCE:
        values = f"up to {largest:.3g}"
        fault = Fault(f"It reaches {largest:.3g}.", "Scale it to [-1, 1]: x = 2 u - 1, y = 1 - 2 v for u, v in [0, 1].")
        return FileReport(path, _SPELLED, facts | {"values": values}, (*faults, fault))
    if inside.numel() and float(inside.min()) >= 0:
        faults.append(Fault("It holds (u, v) in [0, 1], whose v points up.", "Store x = 2 u - 1 and y = 1 - 2 v."))
        uv = torch.stack([2 * uv[0] - 1, 1 - 2 * uv[1]]) * mask
    report = report_atlas_map(path, uv, mask.float())
    facts |= {"background": background} | dict(report.facts)
    return FileReport(path, _SPELLED, facts, (*faults, *report.faults), report.pictures)
