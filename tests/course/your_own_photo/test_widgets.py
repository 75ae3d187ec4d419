"""The figures of notebook 10 over the whole grid of their controls."""

import numpy as np
from posekit_course.live import Live, settings
from posekit_course.your_own_photo import probes, widgets

NAMES = tuple(probes.PORTRAITS)


def pixels(figure):
    return np.asarray(figure.as_image().convert("RGB"))


def test_attempts_over_their_grid():
    """Nothing that is done to a photograph ends in a traceback; a sentence is a picture, too."""
    panel = widgets.attempts(NAMES)
    assert isinstance(panel, Live)
    drawn = [pixels(widgets.render_attempt(**values)).tobytes() for values in settings(**panel.controls)]
    assert len(set(drawn)) == len(drawn) == 2 * 5 * 3 * 3
    panel.move()


def test_new_poses_over_their_grid(system, poses):
    panel = widgets.new_poses(NAMES, system, poses)
    drawn = set()
    for values in settings(**panel.controls):
        drawn.add(pixels(widgets.render_new_pose(**values, system=system, poses=poses)).tobytes())
    assert len(drawn) == 2 * 2 * 2
    panel.move()


def test_files_are_shown_by_their_last_name(tmp_path):
    names = (str(tmp_path / "me.jpg"), "C:\\album\\you.jpg", "Grace Hopper")
    options = widgets._attempt_controls(names)["name"].options
    assert options == (("me.jpg", names[0]), ("you.jpg", names[1]), ("Grace Hopper", "Grace Hopper"))
