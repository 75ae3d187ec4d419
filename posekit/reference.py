"""Systems by name: the reference weights that the package ships, weight files, systems that learn nothing."""

import importlib.resources
from pathlib import Path
from typing import Any

from posekit.data.atlases import mirror_of
from posekit.systems.base import System
from posekit.systems.baselines import baseline
from posekit.training.runlog import logged_minutes, read_log
from posekit.training.weights import load_weights, read_weight_card
from posekit.util.errors import InputError


def reference_weights() -> list[Path]:
    """The weight files that are shipped in the package."""
    folder = importlib.resources.files("posekit") / "weights"
    return sorted(Path(str(f)) for f in folder.iterdir() if f.name.endswith(".safetensors")) if folder.is_dir() else []


def shipped_names(size: int = 128) -> list[str]:
    """Names, for `load_system`, of the systems in the package that put somebody's body into another pose, in
    photographs of ``size`` pixels.

    Files of parts alone are left out, faces, and garment transfer, which is shown head and hands of the target.
    """
    cards = {path: read_weight_card(path) for path in reference_weights()}
    cards = {path: card for path, card in cards.items() if card["config"].get("image_size", size) == size}
    bodies = {path: card for path, card in cards.items() if card["config"].get("atlas") != "head"}
    return [path.stem for path, card in bodies.items() if "parts" not in card and card["variant"] != "garments"]


def load_reference(name: str = "coordinate_inpainting", preset: str = "laptop", variant: str = "full") -> System:
    """A system with the reference weights that are shipped in the package, in evaluation mode.

    Raises InputError when none are shipped under this name.
    """
    file = _shipped(name, preset, variant, "safetensors")
    if not file.is_file():
        shipped = [path.name for path in reference_weights()]
        raise InputError(
            f"No reference weights {file.name} are shipped (there are: {', '.join(shipped) or 'none'}); "
            "train with `posekit train`, or choose another preset."
        )
    with importlib.resources.as_file(file) as path:
        return load_weights(path)


def reference_log(name: str = "coordinate_inpainting", preset: str = "laptop", variant: str = "full") -> list[dict]:
    """The records of the training that `load_reference` ships the weights of; [] where no log is shipped."""
    shipped = _shipped(name, preset, variant, "log.jsonl")
    if not shipped.is_file():
        return []
    with importlib.resources.as_file(shipped) as path:
        return read_log(path)[1]


def _shipped(name: str, preset: str, variant: str, suffix: str) -> Any:
    """Where a file of the package would lie: NAME-PRESET or NAME-PRESET-VARIANT, full not being said."""
    words = [name, preset] + ([] if variant == "full" else [variant])
    return importlib.resources.files("posekit") / "weights" / f"{'-'.join(words)}.{suffix}"


def reference_of_atlas(atlas: str, system: str = "coordinate_inpainting", preset: str = "laptop") -> System | None:
    """The shipped weights of a system, full variant, for maps of ``atlas``; None where there are none."""
    for path in reference_weights():
        card = read_weight_card(path)
        own = (card["system"], card["preset"], card["variant"], card["config"].get("atlas", "studio"))
        if own == (system, preset, "full", atlas) and "parts" not in card:
            return load_weights(path)
    return None


def load_system(name: str, *, atlas: str = "studio") -> System:
    """A system that makes photographs.

    "runs/latest/weights.safetensors"                        trained here
    "coordinate_inpainting-laptop"                           NAME-PRESET or NAME-PRESET-VARIANT of the package
    "texel_fill", "texel_fill-mirror", "copy_source"         without learning

    atlas: of the maps it will see, whose mirror table "texel_fill-mirror" takes (a key of
    `posekit.data.atlases.ATLASES`).  Raises InputError for any other name.
    """
    if name.endswith(".safetensors"):
        return load_weights(name)
    system, *rest = name.split("-")
    if system == "texel_fill":
        variant = rest[0] if rest else "nearest"
        mirror = mirror_of(atlas, 128) if variant == "mirror" else None
        # one pixel trimmed: at the size of a surveillance picture the outline is mixed with the background
        return baseline(variant, 128, trim=1, mirror=mirror, atlas=atlas if variant == "mirror" else "")
    if system == "copy_source":
        return baseline(system)
    return load_reference(system, *rest[:2])


def training_of(name: str) -> tuple[int, float] | None:
    """What the training of `load_system` (name) took: pairs seen, and minutes by its log; None where nothing is known.

    The stages of the card count, also those of an earlier training that it went on from.
    """
    if name.endswith(".safetensors"):
        weights, log = Path(name), Path(name).parent / "log.jsonl"
    else:
        system, *rest = name.split("-")
        parts = (system, *rest, *("laptop", "full")[len(rest) :])[:3]
        weights, log = (Path(str(_shipped(*parts, suffix))) for suffix in ("safetensors", "log.jsonl"))
    if not weights.is_file() or not log.is_file():
        return None
    pairs = sum(stage["steps"] * stage["batch_size"] for stage in read_weight_card(weights).get("stages", ()))
    return pairs, logged_minutes(read_log(log)[1])
