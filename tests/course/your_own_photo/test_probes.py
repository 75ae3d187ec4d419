"""What notebook 10 computes: changed photographs, strangers and their exact maps in the square, errors."""

import numpy as np
import pytest
import torch
from posekit_course.your_own_photo import figures, probes

from posekit.data.photo import write_photo
from posekit.evaluation.page_pictures import png_address
from posekit.ops.grids import identity_grid, norm_to_points
from posekit.photo.photographed import GROUND, Window
from posekit.systems.rough_pose import silhouette


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    return probes.strangers(2, tmp_path_factory.mktemp("album"), 128)


def test_the_readers_own_photographs_come_first(tmp_path):
    image = torch.rand(3, 10, 8)
    write_photo(tmp_path / "me.png", image)
    mine = str(tmp_path / "me.png")
    assert probes.chosen("", "") == ("Eileen Collins", "Grace Hopper")
    assert probes.chosen(mine, "") == (mine, "Grace Hopper")
    torch.testing.assert_close(probes.album_photo(mine), image, atol=0.5 / 255, rtol=0)


def test_changed_photographs():
    image = torch.zeros(3, 40, 60)
    image[0, :20] = 1  # the upper half is red
    assert probes.changed(image).shape == (3, 40, 60)
    assert probes.changed(image, kept=0.5).shape == (3, 20, 60)
    assert probes.changed(image, height=20).shape == (3, 20, 30)
    turned = probes.changed(image, turn=90)
    assert turned.shape == (3, 60, 60)
    left, right = turned[0, 20:40, :25].mean(), turned[0, 20:40, 35:].mean()
    assert (left, right) == (1, 0), "what was on the right is on top, what was on top is on the left"


def test_strangers_are_nothing_but_photographs(strangers):
    folder = strangers[0][0].file.parent
    assert sorted(path.suffix for path in folder.iterdir()) == [".jpg"] * 4
    for pair in strangers:
        for one in pair:
            off = (probes.album_photo(str(one.file)) - one.truth.image[0]).abs().mean()
            assert 0 < off < 0.02, "JPEG, and the same photograph"


def test_the_whole_photograph_as_a_window_is_itself(strangers):
    truth = strangers[0][0].truth
    whole = probes.in_window(truth, Window(torch.zeros(2), torch.ones(2), 128.0), 128)
    shown = silhouette(truth)
    torch.testing.assert_close(whole.image, truth.image * shown + GROUND * (1 - shown), atol=1e-5, rtol=0)
    for name in ("uv", "mask", "part", "head", "hands"):
        assert torch.equal(getattr(whole, name), getattr(truth, name)), name
    torch.testing.assert_close(whole.keypoints, truth.keypoints)


def test_a_window_moves_everything_alike(strangers):
    """Half of the photograph, twice as large: colours, maps and joints are where they were."""
    truth = strangers[0][0].truth
    window = Window(torch.tensor([0.1, -0.2]), torch.tensor([0.5, 0.5]), 64.0)
    half = probes.in_window(truth, window, 128)
    place = window.grid(128)
    points = norm_to_points(place.movedim(0, -1), (128, 128)).round().long().clamp(0, 127)
    read = truth.uv[0][:, points[..., 1], points[..., 0]]
    same = ((half.uv[0] - read).abs().amax(0) < 1e-6) & (
        half.part[0, 0] == truth.part[0, 0, points[..., 1], points[..., 0]]
    )
    assert same.float().mean() > 0.97
    joint = int(half.visibility[0].nonzero()[0])
    back = half.keypoints[0, joint] * window.half + window.middle
    torch.testing.assert_close(back, truth.keypoints[0, joint])
    assert (half.visibility <= truth.visibility).all()


def test_steps_and_ladder(strangers, system):
    pairs, refused = probes.all_steps(strangers, system)
    assert len(pairs) + len({one.file.name.partition("_")[0] for one in refused}) == 2
    source, target = pairs[0]
    for steps in (source, target):
        sizes = {one.size for one in (steps.cut, steps.read, steps.pose, steps.exact)}
        assert sizes == {system.size}
        assert (steps.read.mask <= steps.pose.mask).all(), "a source loses its rim"
        assert probes.overlap(steps.cut.mask, silhouette(steps.exact)) > 0.8
    rows = probes.ladder(source, target)
    assert rows["everything exact"] == (source.exact, target.exact)
    cut, _ = rows["silhouette of the source found"]
    assert torch.equal(cut.image, source.cut.image)
    assert torch.equal(cut.uv, source.exact.uv)
    assert list(rows.values())[-1] == (source.read, target.pose)


def test_distances_are_in_torsos(strangers, system):
    pairs, _ = probes.all_steps(strangers[:1], system)
    steps = pairs[0][0]
    moved = steps._replace(detected=steps.detected._replace(keypoints=steps.truth.keypoints[0]))
    distances = probes.joint_distances(moved)
    seen = (steps.truth.visibility[0] > 0) & (steps.detected.visibility > 0)
    assert torch.equal(distances.isfinite(), seen)
    assert distances[seen].max() == 0
    neck, hips = steps.truth.keypoints[0, 1], steps.truth.keypoints[0, [8, 11]].mean(0)
    off = steps.detected._replace(keypoints=steps.truth.keypoints[0] + (neck - hips))
    torch.testing.assert_close(probes.joint_distances(steps._replace(detected=off))[seen], torch.ones(int(seen.sum())))


def test_errors_and_overlaps(strangers):
    truth = strangers[0][0].truth
    assert probes.error_inside(truth.image, truth) == 0
    assert probes.error_inside(truth.image + 0.5 * (1 - silhouette(truth)), truth) == 0
    assert probes.error_inside(truth.image + 0.25, truth) == pytest.approx(0.25, rel=1e-4)
    one, other = torch.tensor([1.0, 1, 0, 0]), torch.tensor([0.0, 1, 1, 0])
    assert probes.overlap(one, other) == pytest.approx(1 / 3)


def test_a_note_is_lost_when_a_picture_is_saved_again(tmp_path):
    image = torch.rand(3, 6, 5)
    write_photo(tmp_path / "a.png", image, note="made")
    write_photo(tmp_path / "b.png", probes.album_photo(str(tmp_path / "a.png")))
    assert [probes.note_in(tmp_path / name) for name in ("a.png", "b.png")] == ["made", ""]


def test_pictures_of_pages_are_read_back():
    image = (identity_grid(5, 6)[:1].expand(3, 5, 6) + 1) / 2
    back = probes.decoded(png_address(image))
    np.testing.assert_allclose(back, image.permute(1, 2, 0).numpy(), atol=0.5 / 255 + 1e-6)


def test_figures(strangers, system):
    pairs, _ = probes.all_steps(strangers[:1], system)
    assert len(figures.draw_joints(list(pairs[0])).axes) == 6
    rows = {"one": np.array([0.1, 0.2]), "two": np.array([0.3])}
    assert [text.get_text() for text in figures.draw_ladder(rows, 0.4).axes[0].get_yticklabels()] == ["one", "two"]
    album = {"nobody": torch.zeros(3, 50, 40), "Grace Hopper": probes.album_photo("Grace Hopper")}
    words = [text.get_text() for axis in figures.draw_attempts(album).axes for text in axis.texts]
    assert len(words) == 1
    assert words[0].replace("\n", " ").startswith("Nobody was found in the photograph")
