"""What a reader does with the canvas for poses: drag a joint with the mouse, see the photograph change."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from posekit_course.affine_flow import draw_pose
from posekit_lab import notebooks

from posekit.ops.keypoints import JOINTS

CODE = """
import torch
from posekit.person import Person
from posekit_course.affine_flow import draw_pose

keypoints, visibility = draw_pose.read_pose(draw_pose.key_pose("stand"))
image = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
source = Person(image, keypoints=keypoints[None], visibility=visibility[None], identity=("a",), name=("a",))
pad = draw_pose.draw_pose(source, {"ten affine maps": draw_pose.by_ten_parts})
pad
"""
PICTURE = ".posekit-pad img"
FIELD = ".posekit-pad .posekit-pose input"


def circle(joint: str) -> str:
    return f".posekit-pad circle[data-joint='{JOINTS.index(joint)}']"


def drag(page, joint: str, to: tuple[float, float]) -> None:
    """With the mouse, to (x, y) of the canvas in [-1, 1]."""
    box, canvas = page.locator(circle(joint)).bounding_box(), page.locator(".posekit-pad svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    x, y = (
        (p + 1) / 2 * canvas[side] + canvas[axis] for p, side, axis in zip(to, ("width", "height"), "xy", strict=True)
    )
    page.mouse.move(x, y, steps=8)
    page.mouse.up()


def test_dragging_a_joint_changes_the_photograph(opened, lab):
    _, folder, _ = lab
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}  # else Lab asks
    (folder / "pad.ipynb").write_text(notebooks.dumps(new_notebook(cells=[new_code_cell(CODE)], metadata=kernel)))
    page, messages = opened("pad.ipynb", 60)
    picture, field = page.locator(PICTURE).first, page.locator(FIELD).first
    picture.scroll_into_view_if_needed()
    page.locator(".posekit-pad svg").scroll_into_view_if_needed()
    shown, before = picture.get_attribute("src"), field.input_value()

    drag(page, "right_wrist", (-0.5, -0.6))
    page.wait_for_function("([p, s]) => document.querySelector(p).src !== s", arg=[PICTURE, shown])
    (old, _), (new, visibility) = draw_pose.read_pose(before), draw_pose.read_pose(field.input_value())
    n = JOINTS.index("right_wrist")
    assert new[n].tolist() == pytest.approx([-0.5, -0.6], abs=0.03)
    others = [k for k in range(len(JOINTS)) if k != n]
    assert new[others].tolist() == old[others].tolist()
    assert (visibility == 2).all()
    assert float(page.locator(circle("right_wrist")).get_attribute("cx")) == pytest.approx(-0.5, abs=0.03)

    # The kernel has drawn the canvas again, in steps of 1/1000; on it the next joint is dragged.
    page.wait_for_function(
        "([c, x]) => document.querySelector(c).getAttribute('cx') === x",
        arg=[circle("right_wrist"), f"{new[n, 0]:.3f}"],
    )
    first = field.input_value()
    drag(page, "left_knee", (0.4, 0.1))
    page.wait_for_function("([f, v]) => document.querySelector(f).value !== v", arg=[FIELD, first])
    page.get_by_role("button", name="undo").click()
    page.wait_for_function("([f, v]) => document.querySelector(f).value === v", arg=[FIELD, first])
    assert messages == []
