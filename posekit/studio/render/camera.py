"""A pinhole camera and how it frames a person.

A point p in the studio has camera coordinates q = R p + t (x right, y down, z into the picture) and lands on
the pixel coordinates

    (x, y) = focal (q_x, q_y) / q_z + centre                                                        (1)

Pixel i covers [i, i + 1], its centre is at i + 0.5.  Studio photographs are taken from afar with a long lens:
the camera stands 45 dm away and the focal length, not the distance, sets how large the person is.
"""

from dataclasses import dataclass

import numpy as np

from posekit.studio.body.body import Body
from posekit.util.errors import InputError

CROPS = ("full", "knee", "upper", "head")
CROP_SHARES = {"full": 0.40, "knee": 0.25, "upper": 0.35}  # how often a fashion photograph shows what
FILL = 0.92  # share of the picture's height that the framed part takes
ELEVATION = (-3.0, 6.0)  # degrees, range of camera heights in the people set
DISTANCE = 45.0  # dm


@dataclass(frozen=True)
class Camera:
    """Equation (1).  rotation: (3, 3).  translation: (3,).  focal: pixels.  centre: (2,) pixels, where the
    optical axis meets the picture.  size: (h, w) of the picture.  distance: dm to the framed part."""

    rotation: np.ndarray
    translation: np.ndarray
    focal: float
    centre: np.ndarray
    size: tuple[int, int]
    distance: float

    @property
    def position(self) -> np.ndarray:
        """Where the camera stands, (3,)."""
        return -self.rotation.T @ self.translation

    @property
    def pixels_per_dm(self) -> float:
        """How large a decimetre looks at the framed part."""
        return self.focal / self.distance


def project(points: np.ndarray, camera: Camera) -> np.ndarray:
    """(n, 3) points -> (n, 3) float32: x, y in pixels and 1 / depth (larger is nearer)."""
    q = points @ camera.rotation.T.astype(np.float32) + camera.translation.astype(np.float32)
    inverse_depth = 1 / q[:, 2]
    xy = camera.focal * q[:, :2] * inverse_depth[:, None] + camera.centre  # (1)
    return np.concatenate([xy, inverse_depth[:, None]], axis=1).astype(np.float32)


def frame(
    body: Body,
    vertices: np.ndarray,
    joints: np.ndarray,
    size: tuple[int, int],
    crop: str = "full",
    *,
    elevation: float = 0.0,
    fill: float = FILL,
    distance: float = DISTANCE,
) -> Camera:
    """A camera in front of the person (on the +z side) that frames a part of the body.

    vertices: (n, 3) posed vertices whose first `body.n_skin` are the skin.  joints: (bones, 3) posed joints.
    size: (h, w) of the picture.  elevation: degrees the camera stands above the horizontal through the part.

    crop    from             to                        across
    full    top of the head  lowest point of the body  everything inside the picture
    knee    top of the head  just above the knees      centred between the shoulders
    upper   top of the head  just below the hips       centred between the shoulders
    head    top of the head  bottom of the neck        centred on the head
    """
    if crop not in CROPS:
        raise InputError(f"crop must be one of {', '.join(CROPS)}; got {crop!r}")
    h, w = size
    skin = vertices[: body.n_skin]
    joint = {name: joints[i] for name, i in body.bone_index.items()}
    top = skin[skin[:, 1].argmax()]
    shoulders = (joint["upperarm_l"] + joint["upperarm_r"]) / 2
    if crop == "full":
        shown = skin
    elif crop == "head":
        shown = skin[body.head_vertices]
    else:
        if crop == "knee":
            bottom = (joint["calf_l"] + joint["calf_r"]) / 2 + (0.0, 0.3, 0.0)
        else:
            bottom = (joint["thigh_l"] + joint["thigh_r"]) / 2 - (0.0, 0.6, 0.0)
        shown = np.stack([top * (0, 1, 0) + shoulders * (1, 0, 1), bottom * (0, 1, 0) + shoulders * (1, 0, 1)])
    target = (shown.min(0) + shown.max(0)) / 2
    a = np.deg2rad(elevation)
    tilt = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    rotation = np.diag([1.0, -1.0, -1.0]) @ tilt  # studio axes -> right, down, into the picture
    translation = np.array([0, 0, distance]) - rotation @ target

    q = shown @ rotation.T + translation
    seen = q[:, :2] / q[:, 2:]  # the part on a picture of focal length 1
    low, high = seen.min(0), seen.max(0)
    extent = high - low
    focal = fill * h / extent[1]
    if crop in ("full", "head"):
        focal = min(focal, 0.98 * w / extent[0])
    centre = np.array([w, h]) / 2 - focal * (low + high) / 2  # shift the picture until the part is central
    return Camera(rotation, translation, float(focal), centre, (h, w), float(distance))
