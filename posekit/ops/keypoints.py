"""The 18 OpenPose COCO joints, and the pictures that networks are given of them.

Joints are ``*b 18 2``: (x, y) in [-1, 1] of the picture.  Visibility is ``*b 18``: 0 missing, 1 occluded, 2 visible.
A joint counts when its visibility is above 0 and its position is finite; whatever needs a joint that does not count
comes out as an empty map.  "Right" and "left" are the person's own.
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.ops.grids import identity_grid, norm_to_points, points_to_norm
from posekit.util.errors import InputError

# The order of the field's files.  Public label lists swap eyes and ears, which shows as soon as a picture is flipped.
JOINTS = (
    "nose",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_eye",
    "left_eye",
    "right_ear",
    "left_ear",
)


def _joint(name: str) -> int:
    return JOINTS.index(name)


# The 17 bones of the OpenPose skeleton as pairs of joint numbers.
BONES = tuple(
    (_joint(a), _joint(b))
    for a, b in (
        ("neck", "right_shoulder"),
        ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"),
        ("neck", "left_shoulder"),
        ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"),
        ("neck", "right_hip"),
        ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
        ("neck", "left_hip"),
        ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"),
        ("neck", "nose"),
        ("nose", "right_eye"),
        ("right_eye", "right_ear"),
        ("nose", "left_eye"),
        ("left_eye", "left_ear"),
    )
)


def _twin(name: str) -> str:
    """right_elbow <-> left_elbow; what has no side is its own twin."""
    side, _, rest = name.partition("_")
    return {"right": f"left_{rest}", "left": f"right_{rest}"}.get(side, name)


# Joint j of a mirrored picture is joint MIRROR_JOINTS[j] of the picture.
MIRROR_JOINTS = tuple(_joint(_twin(name)) for name in JOINTS)

# The 10 parts of Deformable GANs: the whole body, the head and 8 limbs.  A limb is the pair of joints at its ends and
# how far it reaches beyond the second: hands and feet belong to the lower limbs.
_LIMBS = {
    "right_upper_leg": ("right_hip", "right_knee", 0.1),
    "left_upper_leg": ("left_hip", "left_knee", 0.1),
    "right_lower_leg": ("right_knee", "right_ankle", 0.5),
    "left_lower_leg": ("left_knee", "left_ankle", 0.5),
    "right_upper_arm": ("right_shoulder", "right_elbow", 0.1),
    "left_upper_arm": ("left_shoulder", "left_elbow", 0.1),
    "right_lower_arm": ("right_elbow", "right_wrist", 0.5),
    "left_lower_arm": ("left_elbow", "left_wrist", 0.5),
}
BODY_PARTS = ("body", "head", *_LIMBS)
MIRROR_BODY_PARTS = tuple(BODY_PARTS.index(_twin(name)) for name in BODY_PARTS)
HEAD_JOINTS = tuple(_joint(name) for name in ("nose", "right_eye", "left_eye", "right_ear", "left_ear"))
SHOULDERS = (_joint("right_shoulder"), _joint("left_shoulder"))
_TORSO = tuple(_joint(name) for name in ("right_shoulder", "left_shoulder", "left_hip", "right_hip"))

# Sizes of the public release of Deformable GANs.
HEAD_HALF_SIDE = 0.4  # of the torso length
LIMB_HALF_WIDTH = 0.2  # of the torso length
LIMB_START = 0.1  # of the limb, before its first joint


def heat_maps(
    keypoints: Float[Tensor, "*b 18 2"], visibility: Integer[Tensor, "*b 18"], size: tuple[int, int], sigma: float = 6.0
) -> Float[Tensor, "*b 18 h w"]:
    """One Gaussian a joint, exp(-d^2 / (2 sigma^2)) with the distance d and ``sigma`` in pixels, 1 at the joint.

    ``size = (h, w)``.  The pose of Deformable GANs, whose release has sigma = 6 at 128 to 256 pixels.  A missing joint
    gives a map of zeros; a joint outside the picture still shows its tail.

    keypoints   visibility  size       result
    b 18 2      b 18        (64, 32)   b 18 64 32
    18 2        18          (64, 32)   18 64 32

    >>> maps = heat_maps(torch.zeros(18, 2), torch.full((18,), 2), (3, 3), sigma=1.0)
    >>> [f"{value:.2f}" for value in maps[0, 1]]  # through the joint in the middle: exp(-1/2) beside it
    ['0.61', '1.00', '0.61']
    """
    if not sigma > 0:
        raise InputError(f"heat_maps expected sigma above 0 pixels, got {sigma}.")
    points, present = _joints(keypoints, visibility, size)
    pixels = _pixels(points, size)  # h w 2
    distance2 = (pixels - points[..., None, None, :]).square().sum(-1)
    return torch.exp(-distance2 / (2 * sigma**2)) * present[..., None, None]


def skeleton_maps(
    keypoints: Float[Tensor, "*b 18 2"], visibility: Integer[Tensor, "*b 18"], size: tuple[int, int], width: float = 3.0
) -> Float[Tensor, "*b 17 h w"]:
    """One map a bone of `BONES`: an anti-aliased line ``width`` pixels wide with round ends, in [0, 1].

    A pixel at distance d from the bone takes clip(width / 2 + 1/2 - d, 0, 1), about the part of it that the line
    covers.  A bone with a missing end is an empty map.
    """
    if not width > 0:
        raise InputError(f"skeleton_maps expected a width above 0 pixels, got {width}.")
    points, present = _joints(keypoints, visibility, size)
    start, end = (points[..., [bone[k] for bone in BONES], :][..., None, None, :] for k in (0, 1))
    along = end - start
    offset = _pixels(points, size) - start
    # The nearest point of the bone: start + t along, t in [0, 1]; a bone of no length is a dot.
    length2 = along.square().sum(-1)
    t = ((offset * along).sum(-1) / length2.clamp(min=torch.finfo(points.dtype).tiny)).clamp(0, 1)
    distance2 = (offset - t[..., None] * along).square().sum(-1)
    distance = distance2.clamp(min=torch.finfo(points.dtype).tiny).sqrt()  # the root of 0 has no finite slope
    both = present[..., [a for a, _ in BONES]] * present[..., [b for _, b in BONES]]
    return (width / 2 + 0.5 - distance).clamp(0, 1) * both[..., None, None]


def body_part_corners(
    keypoints: Float[Tensor, "*b 18 2"], visibility: Integer[Tensor, "*b 18"], size: tuple[int, int]
) -> tuple[Float[Tensor, "*b 10 4 2"], Float[Tensor, "*b 10"]]:
    """Four corresponding points of each part of `BODY_PARTS`, (x, y) in [-1, 1], and 1 where the part is defined.

    As in the public release of Deformable GANs, with the torso length L, the root mean square of the distances in
    pixels from each shoulder to the hip of its side:

    - body: the shoulders and hips themselves (right shoulder, left shoulder, left hip, right hip);
    - head: the upright square of half-side 0.4 L around the mean of those of nose, eyes and ears that are there;
    - limb: the rectangle along the line between its joints, 0.2 L to each side, lengthened by 0.1 of itself before the
      first joint and then by 0.1 (upper limbs) or 0.5 (lower limbs) of itself beyond the second.

    The corners of body and limbs in two pictures determine the affine map between them; the head's map comes from the
    joints that both show (`posekit.ops.part_affine.part_maps`).  A part is undefined where a joint it needs is missing
    (supplementary, section 3), where neither side gives L, and where a limb has no length; its corners are then 0.
    Taking over the twin of a missing limb is for the caller: `MIRROR_BODY_PARTS`.
    """
    points, present = _joints(keypoints, visibility, size)
    corner = {name: points[..., _joint(name), :] for name in JOINTS}
    has = {name: present[..., _joint(name)] for name in JOINTS}

    # Torso length, over the sides that are there.
    sides = [(f"{s}_shoulder", f"{s}_hip") for s in ("right", "left")]
    there = torch.stack([has[a] * has[b] for a, b in sides])
    length2 = torch.stack([(corner[a] - corner[b]).square().sum(-1) for a, b in sides])
    torso2 = (length2 * there).sum(0) / there.sum(0).clamp(min=1)
    torso = torch.where(torso2 > 0, torso2, 1).sqrt()
    measured = (torso2 > 0).to(points.dtype)

    quads = [points[..., _TORSO, :]]
    defined = [present[..., _TORSO].prod(-1)]

    seen = present[..., HEAD_JOINTS]
    centre = (points[..., HEAD_JOINTS, :] * seen[..., None]).sum(-2) / seen.sum(-1, keepdim=True).clamp(min=1)
    square = points.new_tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    quads.append(centre[..., None, :] + HEAD_HALF_SIDE * torso[..., None, None] * square)
    defined.append(seen.amax(-1) * measured)

    for a, b, beyond in _LIMBS.values():
        along = corner[b] - corner[a]
        length = along.norm(dim=-1, keepdim=True)
        across = torch.stack((-along[..., 1], along[..., 0]), -1) / length.clamp(min=torch.finfo(points.dtype).tiny)
        side = LIMB_HALF_WIDTH * torso[..., None] * across
        start = corner[a] - LIMB_START * along
        end = corner[b] + beyond * (corner[b] - start)
        quads.append(torch.stack((start + side, start - side, end - side, end + side), -2))
        defined.append(has[a] * has[b] * measured * (length[..., 0] > 0))

    quad, defined = torch.stack(quads, -3), torch.stack(defined, -1)
    return points_to_norm(quad, size) * defined[..., None, None], defined


def body_part_regions(
    keypoints: Float[Tensor, "*b 18 2"], visibility: Integer[Tensor, "*b 18"], size: tuple[int, int]
) -> tuple[Float[Tensor, "*b 10 h w"], Float[Tensor, "*b 10"]]:
    """Masks of the parts of `BODY_PARTS`, 1 inside, and 1 for each part that is defined.

    The body is the whole picture, as in the release of Deformable GANs: its affine map also moves the background.
    Head and limbs are the quadrilaterals of `body_part_corners`, a pixel being inside when its centre is.
    An undefined part is an empty mask.
    """
    h, w = size
    corners, defined = body_part_corners(keypoints, visibility, size)
    grid = identity_grid(h, w, dtype=corners.dtype, device=corners.device).movedim(0, -1)
    begin = corners[..., None, None, :]  # *b 10 4 1 1 2
    edge = (corners.roll(-1, dims=-2) - corners)[..., None, None, :]
    offset = grid - begin
    turn = edge[..., 0] * offset[..., 1] - edge[..., 1] * offset[..., 0]
    # Convex: a pixel is inside when it lies on the same side of all four edges.
    inside = (turn >= 0).all(-3) | (turn <= 0).all(-3)
    inside[..., 0, :, :] = True
    return inside.to(corners.dtype) * defined[..., None, None], defined


def flip_keypoints(
    keypoints: Float[Tensor, "*b 18 2"], visibility: Integer[Tensor, "*b 18"]
) -> tuple[Float[Tensor, "*b 18 2"], Integer[Tensor, "*b 18"]]:
    """The joints of the picture mirrored left to right: x becomes -x, and right joints become left ones.

    >>> points = torch.zeros(18, 2)
    >>> points[JOINTS.index("right_wrist"), 0] = 0.5
    >>> flip_keypoints(points, torch.full((18,), 2))[0][JOINTS.index("left_wrist")].tolist()
    [-0.5, 0.0]
    """
    _check_joints(keypoints, visibility)
    mirror = torch.tensor(MIRROR_JOINTS, device=keypoints.device)
    flipped = keypoints[..., mirror, :] * keypoints.new_tensor([-1.0, 1.0])
    return flipped, visibility[..., mirror]


def _check_joints(keypoints: Tensor, visibility: Tensor) -> None:
    if keypoints.shape[-2:] != (len(JOINTS), 2) or visibility.shape != keypoints.shape[:-1]:
        raise InputError(
            "Expected keypoints (..., 18, 2) and visibility (..., 18), "
            f"got {tuple(keypoints.shape)} and {tuple(visibility.shape)}."
        )
    if not keypoints.is_floating_point():
        raise InputError(
            f"Expected keypoints in [-1, 1] as floating point, got {keypoints.dtype}; "
            "turn pixel indices into coordinates with posekit.ops.grids.points_to_norm."
        )


def _joints(keypoints: Tensor, visibility: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Positions in pixel indices, 0 for missing joints, and 1 for joints that are there."""
    _check_joints(keypoints, visibility)
    present = (visibility > 0) & keypoints.isfinite().all(-1)
    points = norm_to_points(torch.where(present[..., None], keypoints, 0), size)
    return points, present.to(keypoints.dtype)


def _pixels(points: Tensor, size: tuple[int, int]) -> Tensor:
    """(x, y) index of every pixel, h w 2."""
    grid = identity_grid(*size, dtype=points.dtype, device=points.device).movedim(0, -1)
    return norm_to_points(grid, size)
