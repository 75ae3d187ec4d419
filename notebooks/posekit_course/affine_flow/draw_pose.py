"""Draw your own pose: drag the joints of the target, and see the photograph that the systems make of it.

A pose is written as text, 18 joints in the order of `posekit.ops.keypoints.JOINTS`, "x y" in [-1, 1] or "-" for none:

    0.02 -0.71; 0.01 -0.52; ... ; -

The drawing function is pure: a pose and a system in, a picture out.  The shell is a small canvas on which joints are
dragged (an SVG whose own handlers write the pose into a text field; nothing is loaded from anywhere), and beside it
controls that do the same by keyboard: key poses of the studio, a joint with sliders, mirror, undo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from html import escape
from types import SimpleNamespace

import ipywidgets as W
import numpy as np
import torch
from posekit_lab.pictures import Picture
from torch import Tensor

from posekit.ops.grids import points_to_norm, resize_grid
from posekit.ops.keypoints import BONES, JOINTS, flip_keypoints, heat_maps
from posekit.ops.part_affine import part_maps, warp_by_parts
from posekit.ops.sample import sample
from posekit.person import Pair, Person
from posekit.reference import load_reference
from posekit.studio.body.body import load_body
from posekit.studio.body.joint_angles import pose_rotations
from posekit.studio.body.key_poses import KEY_POSES
from posekit.studio.body.skinning import bone_transforms, posed_joints, skin
from posekit.studio.render.camera import frame, project
from posekit.studio.render.joints import joint_positions
from posekit.systems.base import System
from posekit.util.errors import InputError
from posekit_course.affine_flow import figures
from posekit_course.affine_flow.probes import small_pair
from posekit_course.live import Live

PRESETS = ("stand", "wave", "hands_on_hips", "arms_out", "arms_up", "walk_long", "step_up", "half_seated")
SHIPPED = {  # name to show -> system, preset, variant
    "Deformable GAN, long training": ("deformable_gan", "laptop", "full"),
    "one flow and refinement, long training": ("spatial_transformation", "laptop", "full"),
    "a map read from the joints, then coordinates": ("coordinate_inpainting", "laptop", "keypoints"),
}
STEP = 0.02  # of the sliders; a pixel of 100
Transfer = Callable[[Pair], Tensor]  # a batch of one -> the new photograph, 1 3 h w

# ------------------------------------------------------------------------------------------------------ poses as text


def write_pose(keypoints: Tensor, visibility: Tensor) -> str:
    """18 2 and 18 -> text, in steps of 1/1000."""
    points = keypoints.tolist()
    return "; ".join(f"{x:.3f} {y:.3f}" if v else "-" for (x, y), v in zip(points, visibility.tolist(), strict=True))


def read_pose(text: str) -> tuple[Tensor, Tensor]:
    """Text -> keypoints 18 2 and visibility 18 (2 or 0); InputError for anything else."""
    joints = [part.split() for part in text.split(";")]
    try:
        points = [[float(v) for v in joint] if joint != ["-"] else [0.0, 0.0] for joint in joints]
        keypoints = torch.tensor(points)
    except ValueError:
        keypoints = torch.empty(0)
    if keypoints.shape != (len(JOINTS), 2) or not keypoints.isfinite().all():
        raise InputError(f"A pose is 18 joints, 'x y' or '-', with ';' between them; got {text[:60]!r}.")
    return keypoints, torch.tensor([0 if joint == ["-"] else 2 for joint in joints])


def pose_with_joint(text: str, joint: str, x: float, y: float) -> str:
    """The pose with one joint at another place; a missing joint appears there."""
    keypoints, visibility = read_pose(text)
    n = JOINTS.index(joint)
    keypoints[n], visibility[n] = torch.tensor([float(x), float(y)]), 2
    return write_pose(keypoints, visibility)


def mirrored(text: str) -> str:
    """The pose of the mirrored picture."""
    return write_pose(*flip_keypoints(*read_pose(text)))


@lru_cache(maxsize=len(KEY_POSES))
def key_pose(name: str) -> str:
    """A key pose of the studio, of the mean body, seen from the front and framed whole."""
    if name not in KEY_POSES:
        raise InputError(f"The pose {name!r} is not known; there are: {', '.join(KEY_POSES)}.")
    body, size = load_body(), (128, 128)
    rest = body.rest(np.zeros(0))
    transforms = bone_transforms(body, rest.joints, pose_rotations(KEY_POSES[name], rest.joints, body))
    posed = SimpleNamespace(
        body=skin(rest.vertices, body.weights, transforms), joints=posed_joints(rest.joints, transforms)
    )
    camera = frame(body, posed.body, posed.joints, size, "full")
    points = torch.from_numpy(project(joint_positions(body, posed), camera)[:, :2]) - 0.5  # studio: centres at i + 0.5
    return write_pose(points_to_norm(points, size), torch.full((18,), 2))


# ---------------------------------------------------------------------------------------------------------- transfers


def by_ten_parts(pair: Pair) -> Tensor:
    """The source moved by ten affine maps from joints (notebook 04): no network.

    Of all parts that reach a pixel the darkest wins, and what no part reaches is white: walls are bright.
    """
    s, t = pair.source, pair.target
    maps = part_maps(s.keypoints, s.visibility, t.keypoints, t.visibility, s.size)
    return 1 - warp_by_parts(1 - s.image, maps)


def by_flow(system: System, pair: Pair) -> Tensor:
    """The source sampled directly with the flow of a system that may be built for smaller photographs."""
    system.eval()
    with torch.no_grad():
        flow = system(small_pair(pair, system.config.image_size)).flow
    return sample(pair.source.image, resize_grid(flow, pair.source.size), padding="border")


def by_photograph(system: System, pair: Pair) -> Tensor:
    """The photograph that a keypoint-conditioned system makes, at the size it is built for.

    A source of another size comes without its map, which not every system can do without: InputError.
    """
    system.eval()
    fits = pair.source.size == system.size
    with torch.no_grad():
        return system(pair if fits else small_pair(pair, system.config.image_size)).image


def shipped() -> dict[str, Transfer]:
    """The keypoint-conditioned systems whose reference weights are in the package; empty where there are none."""
    transfers: dict[str, Transfer] = {}
    for title, which in SHIPPED.items():
        try:
            transfers[title] = partial(by_photograph, load_reference(*which))
        except InputError:
            continue
    return transfers


def drawn_pair(pose: str, source: Person) -> Pair:
    """The source (a batch of one), and a target of which only the drawn joints are known."""
    keypoints, visibility = read_pose(pose)
    target = Person(torch.ones_like(source.image), keypoints=keypoints[None], visibility=visibility[None],
                    identity=source.identity, name=("drawn",))  # fmt: skip
    return Pair(source, target)


def render_drawn_pose(pose: str, system: str, *, source: Person, systems: Mapping[str, Transfer]) -> Picture:
    """The source, the drawn pose as heat maps, and what the system makes of it."""
    pair = drawn_pair(pose, source)
    made = systems[system](pair)
    maps = heat_maps(pair.target.keypoints, pair.target.visibility, source.size, source.size[0] / 32)
    figure, ((left, middle, right),) = figures.new_figure(10.2, 3.7, 1, 3)
    figures.draw_person(left, source, "source")
    figures.show(middle, figures.heat_picture(maps[0]), "the pose you drew")
    figures.draw_skeleton(middle, pair.target.keypoints[0], pair.target.visibility[0], source.size)
    middle.spines[:].set_visible(True)
    figures.show(right, figures.picture(made), system)
    return figure


# ---------------------------------------------------------------------------------------------------------- the shell

# The handlers of the canvas.  Moving draws in the browser alone; letting go writes the whole pose into the text field,
# which is how the kernel hears of it.
_DOWN = "const c = event.target.closest('circle'); if (c) { this.held = c; this.setPointerCapture(event.pointerId); }"
_MOVE = """if (this.held) {
  const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.getScreenCTM().inverse());
  const x = Math.min(1, Math.max(-1, p.x)), y = Math.min(1, Math.max(-1, p.y)), n = this.held.dataset.joint;
  this.held.setAttribute('cx', x); this.held.setAttribute('cy', y);
  for (const k of ['1', '2']) for (const line of this.querySelectorAll(`line[data-j${k}='${n}']`)) {
    line.setAttribute('x' + k, x); line.setAttribute('y' + k, y); }
}"""
_UP = """if (this.held) {
  this.held = null;
  const at = c => Number(c.getAttribute('cx')).toFixed(3) + ' ' + Number(c.getAttribute('cy')).toFixed(3);
  const pose = [...this.querySelectorAll('circle')].map(c => 'missing' in c.dataset ? '-' : at(c)).join('; ');
  const field = this.closest('.posekit-pad').querySelector('.posekit-pose input');
  field.value = pose;
  for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, {bubbles: true}));
}"""


def canvas(pose: str) -> str:
    """The SVG of a pose: a line for each bone, a circle for each joint that can be dragged."""
    keypoints, visibility = read_pose(pose)
    points, there = keypoints.tolist(), (visibility > 0).tolist()
    lines = [
        f'<line data-j1="{a}" data-j2="{b}" x1="{points[a][0]:.3f}" y1="{points[a][1]:.3f}" x2="{points[b][0]:.3f}" '
        f'y2="{points[b][1]:.3f}" stroke="#777" stroke-width="0.02"/>'
        for a, b in BONES
        if there[a] and there[b]
    ]
    circles = []
    for n, (name, (x, y)) in enumerate(zip(JOINTS, points, strict=True)):
        colour = "#{:02x}{:02x}{:02x}".format(*(int(255 * c) for c in figures.HUES[n]))
        state = f'style="cursor: grab; fill: {colour}"' if there[n] else 'data-missing style="display: none"'
        title = f"<title>{name.replace('_', ' ')}</title>"
        circles.append(f'<circle data-joint="{n}" cx="{x:.3f}" cy="{y:.3f}" r="0.045" {state}>{title}</circle>')
    handlers = {"onpointerdown": _DOWN, "onpointermove": _MOVE, "onpointerup": _UP}
    attributes = " ".join(f'{name}="{escape(code)}"' for name, code in handlers.items())
    style = "width: 300px; height: 300px; border: 1px solid #999; background: white; touch-action: none"
    return f'<svg viewBox="-1 -1 2 2" style="{style}" {attributes}>{"".join(lines + circles)}</svg>'


class PosePad(Live):
    """`render_drawn_pose` with a canvas to drag joints on, and controls that do the same by keyboard."""

    def __init__(self, source: Person, systems: Mapping[str, Transfer], pose: str) -> None:
        text, slow = W.Text(pose, description="pose", layout=W.Layout(width="95%")), {"continuous_update": False}
        controls = {"pose": text, "system": W.ToggleButtons(options=list(systems), description="made by")}
        self.start, self.history, self._quiet = pose, [pose], False
        text.observe(self._drawn, "value")  # first: the canvas must not wait for the photograph
        draw = partial(render_drawn_pose, source=source, systems=systems)
        super().__init__(lambda **values: draw(**values).as_image(smallest=True), controls)
        self.canvas = W.HTML(canvas(pose))
        names = [("your own", "")] + [(name.replace("_", " "), name) for name in PRESETS]
        self.preset = W.Dropdown(options=names, description="key pose")
        self.joint = W.Dropdown(options=[(j.replace("_", " "), j) for j in JOINTS], value="right_wrist",
                                description="joint")  # fmt: skip
        self.x = W.FloatSlider(0, min=-1, max=1, step=STEP, description="x", **slow)
        self.y = W.FloatSlider(0, min=-1, max=1, step=STEP, description="y", **slow)
        buttons = {name: W.Button(description=name) for name in ("mirror", "undo", "start again")}
        self.buttons = buttons
        text.add_class("posekit-pose")
        self.add_class("posekit-pad")
        side = W.VBox([self.preset, self.joint, self.x, self.y, W.HBox(list(buttons.values())), controls["system"]])
        self.children = [W.HBox([self.canvas, side]), self.message, self.image, text]
        self.preset.observe(self._chosen, "value")
        self.joint.observe(self._show_joint, "value")
        for slider in (self.x, self.y):
            slider.observe(self._slid, "value")
        buttons["mirror"].on_click(lambda _: self._put(mirrored(self.pose)))
        buttons["undo"].on_click(lambda _: self.undo())
        buttons["start again"].on_click(lambda _: self._put(self.start))
        self._show_joint()

    @property
    def pose(self) -> str:
        """The pose as it is now."""
        return self.controls["pose"].value

    def undo(self) -> None:
        """Back to the pose before; nothing happens at the first one."""
        if len(self.history) > 1:
            self.history.pop()
            self._put(self.history[-1])

    def move(self) -> None:
        """Use every control as a reader would; raise if drawing fails or if a control changes nothing."""
        start = self.values()
        actions = {
            "key pose": lambda: setattr(self.preset, "value", PRESETS[-1]),
            "x": lambda: setattr(self.x, "value", 0.5),
            "y": lambda: setattr(self.y, "value", -0.5),
            "mirror": self.buttons["mirror"].click,
            "canvas": lambda: self._put(pose_with_joint(self.pose, "left_wrist", -0.6, -0.4)),
            "undo": self.buttons["undo"].click,
        }
        for system in self.controls["system"].options:
            self.controls["system"].value = system
            for name, act in actions.items():
                before = (self.image.value, self.canvas.value)
                act()
                if before[0] == self.image.value or before[1] == self.canvas.value:
                    raise AssertionError(f"The control {name!r} changes nothing in the figure.")
            self._put(self.start)
        self.set(**start)
        self.history = [self.start]

    def _put(self, pose: str) -> None:
        self.controls["pose"].value = pose

    def _drawn(self, _change=None) -> None:
        """The text has changed, by whatever control: canvas, sliders and history follow, where it is a pose."""
        try:
            read_pose(self.pose)
        except InputError:  # shown in place, and raised, when the photograph is drawn
            return
        if self.pose != self.history[-1]:
            self.history.append(self.pose)
        self.canvas.value = canvas(self.pose)
        self._show_joint()
        if self.preset.value and self.pose != key_pose(self.preset.value):
            self.preset.value = ""

    def _chosen(self, _change=None) -> None:
        if self.preset.value:
            self._put(key_pose(self.preset.value))

    def _show_joint(self, _change=None) -> None:
        """The sliders stand where the chosen joint is, without moving it."""
        place = read_pose(self.pose)[0][JOINTS.index(self.joint.value)].clamp(-1, 1).tolist()
        self._quiet = True
        self.x.value, self.y.value = place
        self._quiet = False

    def _slid(self, _change=None) -> None:
        if not self._quiet:
            self._put(pose_with_joint(self.pose, self.joint.value, self.x.value, self.y.value))


def draw_pose(source: Person, systems: Mapping[str, Transfer], pose: str | None = None) -> PosePad:
    """Drag joints, see the transfer.

    source: a batch of one with joints.  systems: name -> what makes the photograph.  pose: the first one; a wave if
    not given.
    """
    source.require("keypoints", "visibility", by="draw_pose")
    return PosePad(source, systems, key_pose("wave") if pose is None else pose)
