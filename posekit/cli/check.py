"""`posekit check`: what this machine has, what is missing, and what to do about it."""

import importlib.metadata
import re
import shutil
import sys
from dataclasses import dataclass

import typer
from packaging.requirements import Requirement

from posekit.util.errors import InputError

OK, WARN, FAIL = "OK", "WARN", "FAIL"


@dataclass(frozen=True)
class Line:
    """One finding: status (OK, WARN or FAIL), what was looked at, what was found, what to do."""

    status: str
    subject: str
    state: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f"  -> {self.advice}" if self.advice else ""
        return f"{self.status:4}  {self.subject:22} {self.state}{advice}"


def _check_python() -> Line:
    """Python is one of the supported versions."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= (3, 14):
        return Line(WARN, "Python", version, "tested on 3.10 to 3.13; take one of these if an import fails")
    return Line(OK, "Python", version)


def check_packages() -> list[Line]:
    """Every core requirement is installed in a version inside its bounds."""
    lines = []
    for text in importlib.metadata.requires("posekit") or []:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            advice = f"pip install '{requirement.name}{requirement.specifier}'"
            lines.append(Line(FAIL, requirement.name, "not installed", advice))
            continue
        if requirement.specifier.contains(version, prereleases=True):
            lines.append(Line(OK, requirement.name, version))
        else:
            advice = f"pip install --upgrade '{requirement.name}{requirement.specifier}'"
            lines.append(Line(FAIL, requirement.name, version, advice))
    return lines


def _check_devices() -> list[Line]:
    """Processor threads, and every accelerator that torch can use."""
    import torch

    lines = [Line(OK, "CPU", f"{torch.get_num_threads()} threads")]
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            gib = torch.cuda.get_device_properties(i).total_memory / 2**30
            lines.append(Line(OK, f"GPU {i}", f"{torch.cuda.get_device_name(i)}, {gib:.0f} GiB"))
    elif torch.backends.mps.is_available():
        lines.append(Line(OK, "GPU", "Apple's, which training does not use: PyTorch lacks an operator for it"))
    else:
        lines.append(Line(OK, "GPU", "none, and none is needed for the laptop presets"))
    return lines


def _check_cache() -> Line:
    """The cache folder can be written and has room for a rendered data set."""
    from posekit.util.cache import cache_dir
    from posekit.util.files import check_place

    folder = cache_dir()
    try:
        check_place(folder / "people")
    except InputError:
        return Line(FAIL, "cache folder", f"{folder} cannot be written", "set POSEKIT_CACHE to another folder")
    free = shutil.disk_usage(folder).free / 2**30
    if free < 1:
        return Line(WARN, "cache folder", f"{folder}, {free:.1f} GiB free", "free some space or set POSEKIT_CACHE")
    return Line(OK, "cache folder", f"{folder}, {free:.0f} GiB free")


def _check_weights() -> list[Line]:
    """Reference weights in the package, and pretrained backbones that their libraries fetch at first use."""
    from pathlib import Path

    import torch

    from posekit.reference import reference_weights

    lines = []
    for path in reference_weights():
        lines.append(Line(OK, "reference weights", f"{path.name}, {path.stat().st_size / 1e6:.1f} MB"))
    if not lines:
        lines.append(Line(WARN, "reference weights", "none in this installation", "train some: posekit train"))
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    for name, pattern, use in (
        ("VGG-16", r"vgg16-.*\.pth", "content and style losses"),
        ("VGG-19", r"vgg19-.*\.pth", "content and style losses"),
        ("AlexNet", r"alexnet-.*\.pth", "LPIPS"),
    ):
        present = hub.is_dir() and any(re.fullmatch(pattern, p.name) for p in hub.iterdir())
        if present:
            lines.append(Line(OK, f"{name} backbone", f"in {hub}"))
        else:
            advice = f"fetched at first use for {use}; without a network put the file into {hub}"
            lines.append(Line(WARN, f"{name} backbone", "not fetched yet", advice))
    return lines


def check_photos() -> Line:
    """What finds people in photographs is installed; rendered people and maps do without."""
    try:
        return Line(OK, "photographs", f"ai-edge-litert {importlib.metadata.version('ai-edge-litert')}")
    except importlib.metadata.PackageNotFoundError:
        return Line(WARN, "photographs", "ai-edge-litert is not installed", "pip install 'posekit[photo]'")


def run_checks() -> list[Line]:
    """All checks in the order in which they are worth reading."""
    lines = [_check_python(), *check_packages()]
    if any(line.status == FAIL for line in lines):
        return lines  # what follows imports these packages
    return [*lines, *_check_devices(), _check_cache(), check_photos(), *_check_weights()]


def check_command() -> None:
    """Look at this machine: packages, devices, cache folder, weights, and what to do about each."""
    lines = run_checks()
    for line in lines:
        typer.echo(str(line))
    if any(line.status == FAIL for line in lines):
        raise typer.Exit(1)
