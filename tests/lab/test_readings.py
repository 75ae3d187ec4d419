"""Numbers that the pages and notebooks quote from kept results, typed into sentences: they are what was kept."""

import json

import pytest
from posekit_lab.differences import difference
from posekit_lab.experiments import figure_of
from posekit_lab.headline import FOLDER
from posekit_lab.results import EXPERIMENTS, read_results, values_of
from posekit_lab.source import ROOT

FULL = "coordinate_inpainting, image_size=64, atlas_size=64, g_width=32"


def short(number):
    """0.0213 -> .021; -0.0021 -> -.002."""
    return f"{number:.3f}".replace("0.", ".", 1)


def page(path):
    return " ".join((ROOT / path).read_text(encoding="utf-8").replace("\n# ", " ").split())


def mean(table, metric, arm):
    values = values_of(read_results(table), metric, arm=arm)
    return sum(values) / len(values)


@pytest.mark.parametrize("variant", ["rgb", "no_textures", "no_deform"])
def test_refinement_by_the_perceptual_distance(variant):
    """Notebook 04 says by how much the whole system is ahead of each variant."""
    arm = FULL.replace("coordinate_inpainting,", f"coordinate_inpainting, variant={variant},")
    d = difference(read_results("refinement_variants"), "perceptual", arm, FULL)
    words = f"{variant} by {short(d.mean)} [{short(d.low)}, {short(d.high)}]"
    assert words in page("notebooks/src/04_deformable_skips.py")


def test_readings_of_the_experiments():
    text = page("experiments/README.md")
    by_l2, by_four = (
        {m: mean("four_sides", m, arm) for m in ("ssim", "perceptual", "gradient_energy_ratio")}
        for arm in (
            "dense_pose_transfer, image_size=64, chart_size=32, losses=l2, kind=sides",
            "dense_pose_transfer, image_size=64, chart_size=32, kind=sides",
        )
    )
    assert f"({short(by_l2['ssim'])} and {short(by_four['ssim'])})" in text
    assert f"perceptual distance ({short(by_l2['perceptual'])} and {short(by_four['perceptual'])})" in text
    sharp = [f"{one['gradient_energy_ratio']:.2f}".lstrip("0") for one in (by_l2, by_four)]
    assert f"({sharp[0]} of the truth's sharpness and {sharp[1]})" in text
    faces = ["", "variant=no_deform, ", "variant=rgb, ", "variant=no_textures, "]
    ssim = [short(mean("faces", "ssim", f"coordinate_inpainting, {variant}kind=face")) for variant in faces]
    assert "by SSIM {}, {} and {}. Without textures, whose row is not printed, it is {}".format(*ssim) in text
    poses = read_results("unseen_poses")
    predictive = "dense_pose_transfer, variant=predictive, image_size=64, chart_size=32, losses=l1, poses="
    d = difference(poses, "unseen_poses.l1", f"{predictive}usual", f"{predictive}all")
    assert f"the interval, {short(d.low)} to {short(d.high)}" in text


def points(d):
    """Points of a hundred, as the page rounds them: mean, and the interval."""
    return [f"{100 * x:.0f}" for x in (d.mean, d.low, d.high)]


def test_readings_of_re_identification():
    text = " ".join(page("experiments/README.md").split())
    gain = {m: points(difference(read_results("reid_deformable"), m, "deformable_gan-laptop", "none"))
            for m in ("rank_1", "mAP", "kissme_rank_1", "kissme_mAP", "xqda_rank_1", "xqda_mAP")}  # fmt: skip
    said = (
        "rank-1 rises by {} points ({} to {}) and mAP by {} ({} to {}) by Euclidean distance, by {} ({} to {}) and {} "
        "({} to {}) by KISSME, by {} ({} to {}) and {} ({} to {}) by XQDA"
    )
    assert said.format(*(number for one in gain.values() for number in one)) in text
    flow = {m: points(difference(read_results("reid_flow"), m, "spatial_transformation-laptop", "none"))
            for m in ("mAP", "rank_1")}  # fmt: skip
    said = "rises by {} points ({} to {}) and rank-1 by {} ({} to {})"
    assert said.format(*(number for one in flow.values() for number in one)) in text


def test_readings_of_the_poses():
    """Mask, parts and one-hot IUV are ahead of IUV, and by how much: the arms are those of the figure."""
    arms = {shown: arm for arm, shown in figure_of("dense_pose_transfer_poses")["arms"].items()}
    runs = read_results("dense_pose_transfer_poses")
    ahead = [difference(runs, "ms_ssim", arms[name], arms["IUV"]) for name in ("mask", "parts", "one-hot IUV")]
    assert all(one.reading == "higher" for one in ahead)
    low, high = (short(pick(one.mean for one in ahead)) for pick in (min, max))
    assert f"are ahead of it by {low} to {high} of MS-SSIM" in page("experiments/README.md")
    assert (ahead[0].seeds, ahead[0].people) == (6, 20)


def test_the_note_on_the_nearest_neighbour_loss():
    arms = (f"{FULL}, without={name}" for name in ("l1", "nearest_neighbour"))
    d = difference(read_results("losses"), "ssim", *arms)
    words = f"behind l1 by {short(-d.mean)} [{short(-d.high)}, {short(-d.low)}]"
    assert words in (EXPERIMENTS / "claims.yaml").read_text(encoding="utf-8")


def test_what_the_judge_of_the_pose_says_of_true_photographs():
    notes = json.loads((FOLDER / "evaluation.json").read_text(encoding="utf-8"))["notes"]
    said = next(note for note in notes if note.startswith("pose_found of the 40 true pictures"))
    share, error = (float(part.split(": ")[1]) for part in said.split("; "))
    assert f"Of the true photographs it says {share:.2f} and {error:.1f}" in page("docs/measurements.md")
    assert f"({error:.1f} in the true photographs)" in page("README.md")
