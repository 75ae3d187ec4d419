"""What the commands of the command line do, as functions that return what they have to say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posekit.data.studio import StudioPeople
from posekit.person import Pair, Person
from posekit.util.errors import InputError

RENDERED_VIEW = re.compile(r"people/(\d{5})/(\d+)\.png$")


def train_command(
    *,
    system: str,
    preset: str,
    variant: str,
    people: int,
    views: int,
    data: Path | None,
    out: Path,
    fresh: bool,
    dry: bool,
    seed: int,
    **options: Any,
) -> str:
    """Build the system, render or open its data, train all stages; where the weights are, and how long data took.

    ``dry`` trains nothing and says the plan and its time instead.  options: of `posekit.training.fit.fit`.
    """
    from posekit.systems import build
    from posekit.training.dry_run import as_table, dry_run
    from posekit.training.fit import fit
    from posekit.training.runlog import waited_share
    from posekit.util.distributed import is_first_process

    model = build(system, preset=preset, variant=variant, seed=seed)
    size = getattr(model.config, "image_size", 128)
    pairs = open_people(data, "train", size=size, people=people, views=views, seed=seed)
    if dry:
        left_out = ("tensorboard",)
        measured = dry_run(model, pairs, seed=seed, **{k: v for k, v in options.items() if k not in left_out})
        return as_table(measured) if is_first_process() else ""
    log = fit(model, pairs, out, seed=seed, resume=not fresh, **options)
    if not is_first_process():
        return ""
    said = [f"Weights: {out / 'weights.safetensors'}"]
    if log:
        share = waited_share(log)
        more = "; more --workers load further ahead" if share > 0.05 else ""
        said.append(f"Waited for data: {share:.1%} of the time{more}")
    return "\n".join(said)


def describe_command(system: str, preset: str, variant: str) -> str:
    """Networks, parameter counts, losses and stages of a system as an aligned table."""
    from posekit.systems import build
    from posekit.systems.base import describe

    return str(describe(build(system, preset=preset, variant=variant)))


def open_people(
    data: Path | None,
    split: str,
    *,
    size: int | tuple[int, int],
    people: int,
    views: int,
    seed: int,
    jobs: int | None = None,
) -> StudioPeople:
    """The pairs of one split, of a rendered folder or of people rendered into the user's cache now.

    ``size`` is the side of the photographs, or their (height, width).
    A folder decides by itself how many people and views it has, and how large they are.
    """
    from posekit.studio.folder import read_card

    if data is None:
        return StudioPeople(people=people, views=views, size=size, seed=seed, split=split, jobs=jobs)
    card = read_card(data)
    if card is None:
        raise InputError(f"{data} is not a folder of rendered people (it has no card.json); make one: posekit render.")
    h, w = (size, size) if isinstance(size, int) else size
    if card.size != (h, w):
        raise InputError(
            f"The system wants photographs of {h} x {w} pixels, {data} holds {card.size[0]} x {card.size[1]}; "
            + (f"render others: posekit render --size {h}." if h == w else "leave --data out to render others.")
        )
    numbers = sorted(int(p.name) for p in (Path(data) / "people").glob("[0-9]*"))
    return StudioPeople(
        people=numbers,
        views=card.views,
        size=card.size,
        seed=card.seed,
        split=split,
        root=data,
        set=card.set,
        skirts=card.skirts,
        jobs=jobs,
    )


def evaluate_command(
    *,
    weights: Path | None,
    data: Path | None,
    pairs: int,
    seed: int,
    full: bool,
    out: Path | None,
    crop: str | None = None,
    padding: str | None = None,
    beside: Sequence[Path] = (),
    device: str = "auto",
) -> str:
    """Measure a trained system beside the two baselines on held-out people; the table.

    crop, padding: HEIGHTxWIDTH, see `Protocol`.  beside: earlier results whose systems join the table.
    """
    from posekit.evaluation.evaluate import Evaluation, evaluate
    from posekit.metrics.protocol import Protocol, check_same, parse_size
    from posekit.training.checkpoint import load_reference, load_weights
    from posekit.training.device import usable_device
    from posekit.util.files import check_place

    where = usable_device(device)
    if out is not None:
        check_place(out)  # before the work, not after it
    earlier = {path: Evaluation.load(path) for path in beside}
    model = load_weights(weights) if weights is not None else load_reference()
    size, views = model.config.image_size, 4
    height, width = (size, size) if isinstance(size, int) else size
    protocol = Protocol(size=(height, width), pairs=pairs, crop=parse_size(crop), padding=parse_size(padding))
    for path, other in earlier.items():
        check_same({"here": protocol, path.name: other.protocol})
    people = 10 * -(-pairs // (views * (views - 1)))  # one person of ten is held out for testing
    held_out = open_people(data, "test", size=size, people=people, views=views, seed=seed)
    if len(held_out) < pairs:
        raise InputError(f"{data} has {len(held_out)} held-out pairs, {pairs} were asked for; render more people.")
    chosen = [held_out[i * len(held_out) // pairs] for i in range(pairs)]  # of as many people as there are
    table = evaluate(with_baselines(model), chosen, protocol=protocol, full=full, device=where, progress=True)
    if out is not None:
        table.save(out)
    for path, other in earlier.items():
        table = table.beside(other, path.name)
    return str(table)


def with_baselines(model) -> dict:
    """The system to measure, below the two that learn nothing."""
    from posekit.systems.copy_source import CopySource
    from posekit.systems.texel_fill import TexelFill, TexelFillConfig

    fill = TexelFill(TexelFillConfig(variant="nearest", atlas_size=getattr(model.config, "atlas_size", 128)))
    return {"source copied": CopySource(), "nearest texel": fill, model.name: model}


def augment_command(
    *,
    data: Path,
    weights: str,
    poses: int,
    keypoints: Path | None,
    maps: Path | None,
    out: Path,
    seed: int,
    batch_size: int,
    device: str,
) -> str:
    """Generate pictures of everyone of a training folder in the poses of others; what was written where."""
    from posekit.reid.augment import augment
    from posekit.reid.training_folder import open_training_folder

    people = open_training_folder(data, keypoints, maps)
    given = {"poses": poses, "seed": seed, "weights": Path(weights).name, "batch_size": batch_size, "device": device}
    manifest = augment(load_generator(weights), people, out, progress=True, **given)
    return f"{len(people)} photographs, {poses * len(people)} generated: {manifest}"


def load_generator(name: str):
    """A system that makes photographs: a weights file, shipped weights by name, or a system without learning.

    "runs/latest/weights.safetensors"                        trained here
    "coordinate_inpainting-laptop"                           NAME-PRESET or NAME-PRESET-VARIANT of the package
    "texel_fill", "texel_fill-mirror", "copy_source"         without learning; mirror is for rendered people
    """
    from posekit.studio.body.surface_tables import mirror_table
    from posekit.systems import build
    from posekit.systems.texel_fill import TexelFill, TexelFillConfig
    from posekit.training.checkpoint import load_reference, load_weights

    if name.endswith(".safetensors"):
        return load_weights(name)
    system, *rest = name.split("-")
    if system == "texel_fill":
        variant = rest[0] if rest else "nearest"
        # one pixel trimmed: at the size of a surveillance picture the outline is mixed with the background
        config = TexelFillConfig(variant=variant, atlas_size=128, trim=1)
        return TexelFill(config, mirror=mirror_table() if variant == "mirror" else None)
    if system == "copy_source":
        return build(system)
    return load_reference(system, *rest[:2])


def transfer_command(
    source: Path, maps: list[Path], out: Path, *, inpaint: str, weights: Path | None, panel: Path | None
) -> str:
    """Transfer between two rendered views, or from a photograph and its map to a target map."""
    from posekit.evaluation.transfer import transfer_files

    if weights is not None and (len(maps) == 2 or inpaint != "f"):
        raise InputError("--weights are for --inpaint f between two rendered views; nothing else here is trained.")
    if len(maps) == 1:
        return _transfer_rendered(source, maps[0], out, inpaint=inpaint, weights=weights, panel=panel)
    if len(maps) == 2:
        transfer_files(source, maps[0], maps[1], out, inpaint, panel=panel)
        return f"{out}"
    raise InputError(
        "transfer takes two rendered views (SOURCE TARGET), or a photograph with two maps (PHOTO MAP TARGET_MAP); "
        f"got {len(maps) + 1} files."
    )


def _transfer_rendered(
    source: Path, target: Path, out: Path, *, inpaint: str, weights: Path | None, panel: Path | None
) -> str:
    from posekit.data.photo import check_picture_name, write_photo
    from posekit.evaluation.transfer import INPAINT, save_panel, transfer
    from posekit.studio.body.surface_tables import mirror_table
    from posekit.systems.base import choose
    from posekit.systems.texel_fill import TexelFill, TexelFillConfig
    from posekit.training.checkpoint import load_reference, load_weights

    choose("way to inpaint", inpaint, INPAINT)
    for name in filter(None, (out, panel)):
        check_picture_name(name)
    pair = Pair(rendered_view(source), rendered_view(target))
    if inpaint == "f":
        system = load_weights(weights) if weights is not None else load_reference()
        size = system.config.image_size
        if pair.source.size != (size, size):
            raise InputError(
                f"These weights work on photographs of {size} x {size} pixels, {source} has "
                f"{pair.source.size[0]} x {pair.source.size[1]}; render at --size {size}, or use --inpaint nearest."
            )
    else:
        config = TexelFillConfig(variant=inpaint, atlas_size=pair.source.size[0])
        system = TexelFill(config, mirror=mirror_table() if inpaint == "mirror" else None)
    result = transfer(pair.source, pair.target, system)
    write_photo(out, result.image[0])
    if panel is not None:
        save_panel(panel, pair.source, result)
    return f"{out}"


def rendered_view(path: Path) -> Person:
    """The photograph ``ROOT/people/00012/3.png`` of a rendered folder, with its maps."""
    from posekit.studio.folder import read_card, read_shots
    from posekit.studio.generate import to_person

    found = RENDERED_VIEW.search(path.as_posix())
    card = read_card(path.parents[2]) if found else None
    if card is None:
        raise InputError(
            f"{path} is not a view of a rendered folder, such as out/people/people/00012/3.png; for a photograph of "
            "your own give its map and a target map too: posekit transfer PHOTO MAP TARGET_MAP."
        )
    person, view = int(found[1]), int(found[2])
    if view >= card.views:
        raise InputError(f"{path.parents[2]} has views 0 to {card.views - 1} of everyone, not {view}.")
    return to_person(read_shots(path.parents[2], person, card)[view], card.seed, person, view)
