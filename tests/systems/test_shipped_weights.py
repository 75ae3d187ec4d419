"""The weights in the package: on people of the test split they do better than handing back the source."""

import functools
import json

import numpy as np
import pytest
import torch
from posekit_lab.results import RESULTS
from posekit_lab.source import ROOT

from posekit.data.studio import StudioPeople
from posekit.evaluation.compare import Comparison
from posekit.evaluation.table import Evaluation
from posekit.evaluation.try_on import TriedOn, try_on_pair
from posekit.metrics.interval import interval_over_people
from posekit.person import Pair, Person, collate_pairs
from posekit.reference import load_reference, reference_log
from posekit.systems import build
from posekit.systems.cut_out import laid_on_white
from posekit.training.runlog import logged_minutes

NAMES = ("coordinate_inpainting", "deformable_gan", "dense_pose_transfer", "spatial_transformation")


@pytest.fixture(scope="module")
def pairs():
    """Twenty pairs of five people whom no training has seen."""
    data = StudioPeople([10 * n + 9 for n in range(5)], views=4, size=128, split="test", pairs="random", progress=False)
    return collate_pairs([data[i] for i in range(20)])


def on_body(made, target):
    return float(((made - target.image).abs().mean(1, keepdim=True) * target.mask).sum() / target.mask.sum())


@pytest.mark.parametrize("name", NAMES)
def test_nearer_to_the_target_than_the_source_is(name, pairs):
    system = load_reference(name)
    with torch.inference_mode():
        made = system(pairs).image
    assert on_body(made, pairs.target) < 0.8 * on_body(pairs.source.image, pairs.target)


def test_joints_of_the_target_are_enough(pairs):
    """The keypoint-guided variant; nothing else of the target is shown."""
    system = load_reference(variant="keypoints")
    black = torch.zeros_like(pairs.target.image)
    pose = Person(black, keypoints=pairs.target.keypoints, visibility=pairs.target.visibility)
    with torch.inference_mode():
        made = system(Pair(pairs.source, pose)).image
    assert on_body(made, pairs.target) < 0.8 * on_body(pairs.source.image, pairs.target)


def test_clothes_of_another(pairs):
    """Nearer to the truth than pasting, on the body but head and hands; and the head is the person's."""
    fitting = collate_pairs(
        [try_on_pair(0, person, owner, (0, 0), (128, 128)) for person, owner in ((9, 19), (39, 59))]
    )
    errors = {}
    for name, system in (("network", load_reference(variant="garments")), ("pasted", build("garment_paste"))):
        with torch.inference_mode():
            made = TriedOn(system)(fitting).image
        wrong = (made - laid_on_white(fitting.target)).abs().mean(1, keepdim=True)
        head = torch.maximum(fitting.target.head, fitting.target.hands)
        clothes = fitting.target.mask * (1 - head)
        errors[name] = [float((wrong * mask).sum() / mask.sum()) for mask in (head, clothes)]
    assert errors["network"][1] < errors["pasted"][1]
    assert errors["network"][0] < 0.1


def test_the_page_says_what_the_kept_fittings_say():
    table = Evaluation.load(RESULTS / "try_on.json")
    page = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    for name, title in (("as they are", "in their own clothes"), ("garments", "g, shown head and hands")):
        line = f"| {title} | "
        for metric, digits in (
            ("ssim", 3),
            ("perceptual", 3),
            ("sliced_wasserstein", 4),
            ("head.l1", 3),
            ("rest.l1", 3),
        ):
            row = table.row(name, metric)
            line += f"{row.mean:.{digits}f} [{row.low:.{digits}f}, {row.high:.{digits}f}] | "
        assert line.strip() in page
    for metric in ("perceptual", "sliced_wasserstein", "rest.l1"):
        pasted, network = (np.array(table.values[name][metric]) for name in ("pasted", "garments"))
        low, _ = interval_over_people(pasted - network, table.people, table.protocol)
        assert low > 0, f"{metric}: pair by pair, over people, better than pasting"


def test_the_page_says_how_well_maps_are_read():
    kept = json.loads((RESULTS / "surface_maps.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    for name, row in kept["shown"].items():
        numbers = (row["part_accuracy"], row["outline_iou"], row["median"], row["ninety"])
        line = "| {} | {:.3f} | {:.3f} | {:.2f} | {:.1f} |".format(name, *(value["mean"] for value in numbers))
        assert line in page, line


def test_the_page_says_how_long_dense_pose_transfer_was_trained():
    page = " ".join((ROOT / "docs" / "measurements.md").read_text(encoding="utf-8").split())
    minutes = round(logged_minutes(reference_log("dense_pose_transfer")))
    assert f"Dense Pose Transfer took {minutes} minutes of a core" in page


def test_the_page_says_what_joints_cost():
    table = Comparison.load(RESULTS / "compare").table
    page = " ".join((ROOT / "docs" / "measurements.md").read_text(encoding="utf-8").split())
    dense = "coordinate_inpainting-laptop"
    for metric, sign, words in (("ssim", 1, "of SSIM"), ("perceptual", -1, "of the perceptual distance")):
        by_map, by_joints = (np.array(table.values[name][metric]) for name in (dense, f"{dense}-keypoints"))
        cost = sign * (by_map - by_joints)
        low, high = interval_over_people(cost, table.people, table.protocol)
        assert f"{cost.mean():.3f} [{low:.3f}, {high:.3f}] {words}" in page
    for other in ("deformable_gan-laptop", "spatial_transformation-laptop"):
        for metric, sign in (("ssim", 1), ("perceptual", -1), ("sliced_wasserstein", -1)):
            ours, theirs = (np.array(table.values[name][metric]) for name in (f"{dense}-keypoints", other))
            assert (sign * (ours - theirs)).mean() > 0


def test_the_flow_alone_does_too(pairs):
    with torch.inference_mode():
        warped = load_reference("spatial_transformation")(pairs).warped
    assert on_body(warped, pairs.target) < 0.8 * on_body(pairs.source.image, pairs.target)


@pytest.mark.parametrize("name", NAMES)
def test_the_log_of_the_training_is_beside_them(name):
    log = reference_log(name)
    steps = [entry["total_step"] for entry in log]
    assert steps == sorted(set(steps))
    assert all({"stage", "losses", "seconds"} <= entry.keys() for entry in log)


def test_their_kept_evaluations_can_be_read_and_compared():
    tables = [Evaluation.load(RESULTS / f"{name}-laptop.json") for name in NAMES]
    together = functools.reduce(lambda a, b: a.beside(b), tables)  # refuses other pairs, or another protocol
    copied = together.row("source copied", "ssim")
    assert copied.mean == pytest.approx(tables[-1].row("source copied", "ssim").mean, abs=1e-6)
    assert all(together.row(name, "ssim").low > copied.high for name in NAMES)


def test_the_page_of_measurements_says_how_far_ahead_the_coordinate_based_system_is():
    """Pair by pair, over people, of the kept evaluation."""
    table = Evaluation.load(RESULTS / "coordinate_inpainting-laptop.json")
    page = " ".join((ROOT / "docs" / "measurements.md").read_text(encoding="utf-8").split())
    minutes = round(logged_minutes(reference_log()))
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"The reference weights took {minutes} minutes of one processor core" in page
    assert f"They took {minutes} minutes of one processor core" in readme
    assert f"on {len(table.names)} pairs of {len(set(table.people))} other held-out people" in page
    ahead = {}
    signs = {"ssim": 1, "ms_ssim": 1, "l1": -1, "perceptual": -1, "sliced_wasserstein": -1, "gradient_energy_ratio": 1}
    for metric, sign in signs.items():
        ours, copied = (np.array(table.values[name][metric]) for name in ("coordinate_inpainting", "nearest texel"))
        gain = sign * (ours - copied)
        low, high = interval_over_people(gain, table.people, table.protocol)
        ahead[metric] = (low, f"{gain.mean():.3f} [{low:.3f}, {high:.3f}] in")
    assert f"{ahead['ssim'][1]} SSIM" in page
    assert f"{ahead['ms_ssim'][1]} MS-SSIM" in page
    assert f"{ahead['l1'][1]} l1" in page
    assert f"{ahead['perceptual'][1]} the perceptual distance" in page
    assert f"{ahead['sliced_wasserstein'][1]} the sliced Wasserstein distance" in page
    shown = [f"{table.row(name, f'{region}.l1').mean:.3f}".lstrip("0") for region in ("seen", "unseen", "head", "hands")
             for name in ("coordinate_inpainting", "nearest texel")]  # fmt: skip
    assert (
        "where the source shows the texel (l1 {} against {}), where it hides it ({} and {}), on the head ({} and {}) "
        "and on the hands ({} and {})".format(*shown)
    ) in page
    assert all(ahead[metric][0] > 0 for metric in signs if metric != "gradient_energy_ratio")
    assert ahead["gradient_energy_ratio"][0] < 0  # "in sharpness the two cannot be told apart"
