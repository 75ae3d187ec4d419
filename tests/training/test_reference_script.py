"""data_scripts/train_reference.py --minutes: a rehearsal on this processor, files that can be carried, going on."""

import argparse
import json
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from posekit.data.studio import StudioPeople
from posekit.systems import build
from posekit.training.options import TrainingOptions
from posekit.training.runlog import read_log
from posekit.training.weights import load_weights, read_weight_card, save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    """data_scripts/within_minutes.py as a module."""
    sys.path.insert(0, str(ROOT / "data_scripts"))
    yield import_module("within_minutes")
    sys.path.remove(str(ROOT / "data_scripts"))


def test_a_rehearsal_and_going_on_from_its_files(script, tmp_path, monkeypatch, capsys):
    """The command of a GPU, on this processor and at 40 pixels; then the same with --from."""
    main = import_module("train_reference")
    tiny = {**TINY, "features": "auto", "loss_crop": 16}
    monkeypatch.setattr(
        main, "build", lambda name, preset, variant, seed: build(name, preset, variant, seed=seed, **tiny)
    )
    here = partial(StudioPeople, root=tmp_path / "people", jobs=1, progress=False)
    monkeypatch.setattr(main, "StudioPeople", here)
    out, name = tmp_path / "out", "coordinate_inpainting-laptop"
    words = [
        "--people",
        "20",
        "--views",
        "2",
        "--batch-size",
        "1",
        "--pairs",
        "2",
        "--device",
        "cpu",
        "--minutes",
        "9",
        "--steps",
        "2",
    ]
    for more, begun in ([], "afresh"), (["--from", str(out)], "from weights"):
        monkeypatch.setattr(sys, "argv", ["train_reference.py", *words, "--out", str(out), *more])
        main.main()
        card = read_weight_card(out / f"{name}.safetensors")
        assert (card["begun"], card["minutes"], set(card["steps"])) == (begun, 9, {"inpainting", "refinement"})
        assert set(card["steps"].values()) == {2}
        files = {path.name for path in out.iterdir()}
        assert files == {f"{name}{end}" for end in (".safetensors", ".log.jsonl", ".json")}
        assert "perceptual" in capsys.readouterr().out
        rows = json.loads((out / f"{name}.json").read_text())["rows"]
        assert {row["system"] for row in rows} >= {"coordinate_inpainting", "source copied"}


def test_a_stage_once_more_from_weights(script, tmp_path, monkeypatch):
    """Card and log tell of both trainings, in order; the other network is as it was."""
    main = import_module("train_reference")
    monkeypatch.setattr(main, "LOG_EVERY", 1)
    monkeypatch.setattr(main, "build", lambda name, preset, variant, seed: build(name, preset, seed=seed, **TINY))
    monkeypatch.setattr(main, "StudioPeople", partial(StudioPeople, root=tmp_path / "people", jobs=1, progress=False))
    words = ["--people", "20", "--views", "2", "--batch-size", "1", "--pairs", "1", "--device", "cpu", "--steps", "10"]
    file = "coordinate_inpainting-laptop.safetensors"
    for n, more in enumerate(([], ["--stages", "refinement"])):
        out = tmp_path / str(n)
        begin = ["--from", str(tmp_path / str(n - 1))] if n else []
        places = ["--out", str(out), "--results", str(out), "--run", str(out / "run")]
        monkeypatch.setattr(sys, "argv", ["train_reference.py", *words, *more, *begin, *places])
        main.main()
    stages = ["inpainting", "refinement", "refinement, again"]
    assert [stage["name"] for stage in read_weight_card(out / file)["stages"]] == stages
    records = read_log(out / file.replace("safetensors", "log.jsonl"))[1]
    assert [(r["stage"], r["total_step"]) for r in records] == list(zip(stages, (10, 20, 30), strict=True))
    first, last = (load_weights(tmp_path / str(n) / file) for n in (0, 1))
    assert torch.equal(*(parameters_to_vector(system.f.parameters()) for system in (first, last)))
    assert not torch.equal(*(parameters_to_vector(system.g.parameters()) for system in (first, last)))
    assert main.renamed(read_weight_card(out / file)["stages"], [{"name": "refinement", "steps": 1}], [])[0][-1] == {
        "name": "refinement, again, again", "steps": 1
    }  # fmt: skip


def test_the_steps_fit_into_the_minutes(script, tmp_path, monkeypatch):
    """With a clock of our own: 1 s a step, 100 s; what the first stage saves, the second has."""
    taken = {}

    def fit(system, data, out, options):
        taken[options.stages[0]] = options.steps
        clock[0] += 0.5 * options.steps  # faster than it was measured
        return [{"stage": options.stages[0], "step": options.steps}]

    clock = [0.0]
    estimate = type("Estimate", (), {"seconds": 1.0})
    monkeypatch.setattr(script.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(script, "dry_run", lambda *_: [estimate])
    monkeypatch.setattr(script, "fit", fit)
    system = build("coordinate_inpainting", "laptop", **TINY)
    script.train_within(system, [], 100 / 60, tmp_path, TrainingOptions())
    assert taken == {"inpainting": int(0.97 * 40), "refinement": int(0.97 * (100 - 0.5 * 38))}
    with pytest.raises(InputError, match="are too few: a step of inpainting takes 1 s here and 1 s are left"):
        script.train_within(system, [], 1 / 60, tmp_path, TrainingOptions())


def test_files_stay_small_and_are_put_together_again(script, tmp_path, monkeypatch):
    system = build("coordinate_inpainting", "laptop", **TINY, seed=3).eval()
    assert [path.name for path in script.save_parts(system, tmp_path / "one", "w")] == ["w.safetensors"]
    sizes = {part: script._half_bytes(getattr(system, part)) for part in ("f", "g")}
    monkeypatch.setattr(script, "MOST_BYTES", max(sizes.values()))
    assert [path.name for path in script.save_parts(system, tmp_path, "w", seed=3)] == [
        "w.f.safetensors",
        "w.g.safetensors",
    ]
    whole = script.load_parts(tmp_path, "w")
    pair = SyntheticPairs(1, 40)[0].batched()
    assert torch.equal(whole(pair).image, load_weights(tmp_path / "one" / "w.safetensors")(pair).image)
    fresh = build("coordinate_inpainting", "laptop", **TINY, seed=4)
    script.take_weights(fresh, whole)
    assert torch.equal(fresh.eval()(pair).image, whole(pair).image)
    (tmp_path / "w.g.safetensors").unlink()
    with pytest.raises(InputError, match="lacks the weights of g"):
        script.load_parts(tmp_path, "w")
    with pytest.raises(InputError, match=r"holds no v.safetensors and no v.PART.safetensors"):
        script.load_parts(tmp_path, "v")
    monkeypatch.setattr(script, "MOST_BYTES", min(sizes.values()) - 1)
    with pytest.raises(InputError, match="alone takes"):
        script.save_parts(system, tmp_path, "w")


def test_a_variant_begins_with_the_weights_of_the_whole_system(script, tmp_path):
    """With --clone; else with its own."""
    main = import_module("train_reference")
    name = "coordinate_inpainting-laptop-keypoints"
    kept = {"preset": "laptop", "variant": "keypoints", "from_preset": None}
    asked = {clone: argparse.Namespace(**kept, clone=clone) for clone in (False, True)}
    assert main.beginnings(asked[False], name) == [name]
    assert main.beginnings(asked[True], name) == ["coordinate_inpainting-laptop"]
    full = build("coordinate_inpainting", "laptop", **TINY, seed=3).eval()
    script.save_parts(full, tmp_path, "coordinate_inpainting-laptop")
    trained = script.load_parts(tmp_path, "coordinate_inpainting-laptop")
    for variant in ("keypoints", "garments"):
        begun = build("coordinate_inpainting", "laptop", variant, **TINY, seed=4).eval()
        script.take_weights(begun, trained)
        assert torch.equal(parameters_to_vector(begun.f.parameters()), parameters_to_vector(trained.f.parameters()))


def test_stages_that_are_asked_for_have_all_the_minutes(script, tmp_path, monkeypatch):
    taken = {}

    def fit(system, data, out, options):
        taken[options.stages[0]] = options.steps
        return []

    monkeypatch.setattr(script.time, "monotonic", lambda: 0.0)
    monkeypatch.setattr(script, "dry_run", lambda *_: [type("Estimate", (), {"seconds": 1.0})])
    monkeypatch.setattr(script, "fit", fit)
    system = build("coordinate_inpainting", "laptop", **TINY)
    script.train_within(system, [], 100 / 60, tmp_path, TrainingOptions(stages=["refinement"]))
    assert taken == {"refinement": 97}


def test_a_preset_begins_with_the_weights_of_another(script):
    """The network that reads poses from the smaller preset, f and g from its own whole system."""
    main = import_module("train_reference")
    asked = {"preset": "laptop256", "from_preset": "laptop"}
    name = "coordinate_inpainting-laptop256"
    assert main.beginnings(argparse.Namespace(**asked, variant="full", clone=False), name) == [
        "coordinate_inpainting-laptop"
    ]
    assert main.beginnings(argparse.Namespace(**asked, variant="keypoints", clone=True), f"{name}-keypoints") == [
        "coordinate_inpainting-laptop-keypoints",
        name,
    ]


def test_what_is_alike_is_stored_once(script, tmp_path):
    """f in the laptop's file, even where another file also refers to it; the network that reads poses in its own."""
    main = import_module("train_reference")
    name = "coordinate_inpainting-laptop"
    full = build("coordinate_inpainting", "laptop", **TINY, seed=3).eval()
    save_weights(full, tmp_path / f"{name}.safetensors", half=True)
    full = load_weights(tmp_path / f"{name}.safetensors")
    reads = build("coordinate_inpainting", "laptop", "keypoints", **TINY, seed=4).eval()
    reads.f.load_state_dict(full.f.state_dict())
    shipped = tmp_path / f"{name}-keypoints.safetensors"
    assert main.in_common(reads, shipped) == {"f": tmp_path / f"{name}.safetensors"}
    save_weights(reads, shipped, half=True, shared=main.in_common(reads, shipped))
    reads = load_weights(shipped)
    large = build(
        "coordinate_inpainting", "laptop256", "keypoints", **{**TINY, "image_size": 72, "f_size": None}, seed=5
    ).eval()
    for part in ("surface", "f"):
        getattr(large, part).load_state_dict(getattr(reads, part).state_dict())
    shared = main.in_common(large, tmp_path / "coordinate_inpainting-laptop256-keypoints.safetensors")
    assert {part: path.name for part, path in shared.items()} == {
        "surface": f"{name}-keypoints.safetensors",
        "f": f"{name}.safetensors",
    }
