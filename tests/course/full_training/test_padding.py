"""White ground beside two photographs raises their SSIM, by as much as the count of pixels says."""

import pytest
import torch
from posekit_course.full_training.padding import diluted, ssim_by_margin
from posekit_course.full_training.padding_figures import draw_padding

from posekit.data.studio import StudioPeople
from posekit.metrics import image as metrics
from posekit.metrics.protocol import Protocol
from posekit.person import collate_pairs

CROP = (64, 44)  # as narrow as DeepFashion's 256 x 176


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """The source copied, and the truth, of six pairs of studio people."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSEKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        data = StudioPeople([9, 19, 29], views=2, size=64, split="test", jobs=1, progress=False)
        pairs = collate_pairs([data[i] for i in range(6)])
    return pairs.source.image, pairs.target.image


def test_every_studio_pair_gains_from_a_constant_margin(photographs):
    """Padded back to a square, as the field's files are, each pair has a higher SSIM; nothing in it is any better."""
    source, target = photographs
    cut, square, wide = ssim_by_margin(source, target, (0, 10, 42), protocol=Protocol(crop=CROP))
    assert (cut < 0.8).all()  # the poses are different
    assert (square > cut + 0.03).all()
    assert (wide > square + 0.05).all()
    assert (wide > 0.5 * (1 + cut)).all()  # two thirds of ground: more than half of what was missing is gone


def test_the_gain_is_the_count_of_pixels(photographs):
    source, target = photographs
    protocol = Protocol(crop=CROP)
    cut, far = ssim_by_margin(source, target, (0, 200), protocol=protocol)
    torch.testing.assert_close(far, diluted(cut, 400 / 444), atol=0.02, rtol=0)
    assert diluted(torch.tensor([0.5, 1.0]), 0.5).tolist() == [0.75, 1.0]


def test_away_from_the_seam_the_ground_is_perfect_and_the_photograph_as_before(photographs):
    """The mean of the padded pair, put together by hand from three parts: photograph, seam, ground."""
    source, target = (Protocol(crop=CROP).frame(x) for x in photographs)
    margin, edge, (h, w) = 30, 5, CROP
    outer = Protocol(padding=(h, w + 2 * margin))
    padded = ssim_by_margin(source, target, (margin,))[0]
    similar = metrics._ssim_map(outer.frame(source), outer.frame(target), outer).float()  # its columns begin at pixel 5
    ground, photograph = similar[..., : margin - 2 * edge], similar[..., margin : margin + w - 2 * edge]
    assert torch.allclose(ground, torch.ones(()), atol=1e-5)
    torch.testing.assert_close(photograph.mean((1, 2, 3)), metrics.ssim(source, target))
    torch.testing.assert_close(similar.mean((1, 2, 3)), padded)


def test_copying_the_source_with_ground_beats_a_better_picture_without(photographs):
    """Which of two systems is better can be a matter of who padded."""
    source, target = photographs
    protocol = Protocol(crop=CROP)
    better = 0.5 * (source + target)
    assert (ssim_by_margin(better, target, (0,), protocol=protocol) > ssim_by_margin(source, target, (0,),
            protocol=protocol)).all()  # fmt: skip
    padded = ssim_by_margin(source, target, (200,), protocol=protocol)
    assert padded.mean() > ssim_by_margin(better, target, (0,), protocol=protocol).mean()


def test_the_colour_of_the_ground_does_not_matter(photographs):
    source, target = photographs
    white, black = (
        ssim_by_margin(source, target, (100,), protocol=Protocol(crop=CROP, padding_value=v)) for v in (1.0, 0.0)
    )
    torch.testing.assert_close(white, black, atol=0.02, rtol=0)


def test_the_figure_shows_the_numbers(photographs):
    source, target = photographs
    figure = draw_padding({"copied": source, "truth": target}, target, margins=(0, 10, 42), crop=CROP)
    copied, expected, *_ = figure.axes[-1].get_lines()
    means = ssim_by_margin(source, target, (0, 10, 42), protocol=Protocol(crop=CROP)).mean(1)
    torch.testing.assert_close(torch.as_tensor(copied.get_ydata()), means)
    assert list(copied.get_xdata()) == pytest.approx([0, 100 * 20 / 64, 100 * 84 / 128])
    assert expected.get_ydata()[0] == pytest.approx(float(means[0]))
    assert "SSIM 1.000" in figure.axes[0].get_title()
    figure.canvas.draw()
