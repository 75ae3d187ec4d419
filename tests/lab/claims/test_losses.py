"""What each loss of the coordinate-based system does, from the committed sweep: every seed."""

from posekit_lab.experiments import figure_of
from posekit_lab.results import read_results, values_of

ENTRY = figure_of("losses")
ROWS = read_results(*ENTRY["tables"])
ARMS = {name: arm for arm, name in ENTRY["arms"].items()}


def of(metric):
    found = {name: values_of(ROWS, metric, arm=arm) for name, arm in ARMS.items()}
    assert {len(seeds) for seeds in found.values()} == {3}
    return found


def test_the_adversarial_loss_brings_sharpness_and_ssim_does_not_notice():
    sharpness, ssim = of("gradient_energy_ratio"), of("ssim")
    assert min(sharpness["all losses"]) > max(sharpness["no adversarial loss"])
    assert max(ssim["all losses"]) - min(ssim["no adversarial loss"]) < 0.01


def test_reconstruction_losses_smooth():
    """Without either of them the adversarial loss weighs more: sharper, and not nearer to the truth by SSIM."""
    sharpness, ssim = of("gradient_energy_ratio"), of("ssim")
    assert min(sharpness["no l1"]) > max(sharpness["no nearest neighbours"])
    assert min(sharpness["no nearest neighbours"]) > max(sharpness["all losses"])
    assert max(ssim["no l1"]) < min(ssim["no nearest neighbours"]) < max(ssim["no nearest neighbours"])
    assert max(ssim["no nearest neighbours"]) < min(ssim["all losses"])


def test_without_the_identity_loss_the_texture_looks_at_wrong_places():
    found = of("l1")
    assert min(found["no identity loss in stage 1"]) > max(found["all losses"])
