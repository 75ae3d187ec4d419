"""Exactness of the maps: a pixel's (u, v), carried through the posed body, lands on the pixel's centre."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from posekit.ops.keypoints import JOINTS
from posekit.studio.base.layers import Figure, Layer, Texture
from posekit.studio.body.body import load_body
from posekit.studio.body.surface_tables import part_labels
from posekit.studio.render.camera import frame, project
from posekit.studio.render.joints import joint_positions, keypoints
from posekit.studio.render.render import pose_figure
from posekit.studio.render.surface_maps import UNDER_SKIRT, part_of, surface_maps
from posekit.util.errors import InputError


def plain(kind):
    grey = np.full((2, 2), 0.3, np.float32)
    return Texture(np.repeat(grey[..., None], 3, -1), grey, 0 * grey, 10.0, kind)


def tube(name, kind, radius, top, bottom, bone, body, columns=40):
    """A cylinder around the vertical axis, glued to one bone; not on the surface."""
    angle = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = np.stack([radius * np.sin(angle), 0 * angle, radius * np.cos(angle)], 1)
    vertices = np.concatenate([ring + [0, top, 0], ring + [0, bottom, 0]]).astype(np.float32)
    i, j = np.arange(columns), (np.arange(columns) + 1) % columns
    triangles = np.concatenate([np.stack([i, i + columns, j], 1), np.stack([j, i + columns, j + columns], 1)])
    weights = np.zeros((2 * columns, len(body.bones)), np.float32)
    weights[:, body.bone_index[bone]] = 1
    uv = np.zeros((len(triangles), 3, 2), np.float32)
    return Layer(name, vertices, triangles.astype(np.int32), uv, plain(kind), weights)


def skin_layer(body, **changes):
    layer = Layer(
        "skin", body.mean_vertices[: body.n_skin], body.triangles["skin"], body.corner_uv["skin"], plain("skin"),
        body.weights[: body.n_skin], on_surface=True, cull=True,
    )  # fmt: skip
    return dataclasses.replace(layer, **changes)


def maps_of(layers, pose=None, size=(96, 80), crop="full", skirts="legs"):
    body = load_body()
    posed = pose_figure(body, Figure(layers, body.mean_vertices, body.mean_joints), pose or {})
    camera = frame(body, posed.body, posed.joints, size, crop)
    return posed, camera, surface_maps(posed, camera, part_labels(), skirts)


POSES = {
    "front": {},
    "turned": {"yaw": 50.0, "left_elbow_flex": 80.0, "right_shoulder_abduct": 70.0, "left_knee_flex": 30.0},
    "back": {"yaw": 180.0, "spine_bend": 15.0},
}


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("crop", ["full", "head"])
def test_the_map_leads_back_to_the_pixel(pose, crop):
    """(u, v) -> triangle of the atlas that contains it -> same point of the posed body -> picture."""
    body = load_body()
    posed, camera, maps = maps_of([skin_layer(body)], POSES[pose], crop=crop)
    rows, columns = np.nonzero(maps.mask)
    uv = maps.uv[rows, columns].astype(np.float64)
    corners = body.corner_uv["skin"].astype(np.float64)
    _, near = cKDTree(corners.mean(1)).query(uv, 24)
    a, b = corners[near][:, :, 1] - corners[near][:, :, 0], corners[near][:, :, 2] - corners[near][:, :, 0]
    p = uv[:, None] - corners[near][:, :, 0]
    det = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    b1 = (p[..., 0] * b[..., 1] - p[..., 1] * b[..., 0]) / det
    b2 = (a[..., 0] * p[..., 1] - a[..., 1] * p[..., 0]) / det
    depth = np.stack([1 - b1 - b2, b1, b2], -1).min(-1)  # >= 0 inside
    best = depth.argmax(1)
    pick = np.arange(len(uv))
    inside = depth[pick, best] > -1e-3
    assert inside.mean() > 0.999
    weights = np.stack([1 - b1 - b2, b1, b2], -1)[pick, best]
    points = (posed.vertices[0][body.triangles["skin"][near[pick, best]]] * weights[..., None]).sum(1)
    found = project(points.astype(np.float32), camera)[:, :2]
    error = np.abs(found - np.stack([columns, rows], 1) - 0.5).max(1)[inside]
    assert len(error) > 300
    assert np.quantile(error, 0.999) < 0.02
    assert np.median(error) < 1e-3


def test_masks_agree_with_each_other():
    body = load_body()
    eye = Layer(
        "eye", body.mean_vertices, body.triangles["eye"], body.corner_uv["eye"], plain("eye"), body.weights, cull=True
    )  # fmt: skip
    _, _, maps = maps_of([skin_layer(body), eye], crop="head")
    assert (maps.mask == (maps.part > 0)).all()
    assert (maps.uv[~maps.mask] == 0).all()
    assert (maps.silhouette == (maps.nearness > 0)).all()
    assert (maps.mask <= maps.silhouette).all()
    assert (maps.mask < maps.silhouette).any()  # eyes carry no map
    assert (maps.head[maps.silhouette & ~maps.mask]).mean() > 0.9  # but they belong to the head
    assert set(np.unique(maps.part[maps.head & maps.mask])) == {23, 24}
    assert not maps.hair.any()


def test_parts_stand_where_they_should():
    body = load_body()
    _, _, front = maps_of([skin_layer(body)])
    _, _, back = maps_of([skin_layer(body)], {"yaw": 180.0})
    count = lambda m, p: int((m.part == p).sum())  # noqa: E731
    assert count(front, 2) > 20 * count(front, 1)  # 1 is the back of the torso, 2 its front
    assert count(back, 1) > 20 * count(back, 2)
    centre = lambda p: np.nonzero(front.part == p)[1].mean()  # noqa: E731
    for right, left in ((3, 4), (6, 5), (9, 10), (13, 14), (23, 24)):  # seen from the front, right is on the left
        assert centre(right) < centre(left)
    assert front.hands.sum() == count(front, 3) + count(front, 4) > 0


def test_the_inside_of_a_garment_has_no_map():
    body = load_body()
    _, _, plain_maps = maps_of([skin_layer(body)])
    inside_out = skin_layer(body, triangles=body.triangles["skin"][:, ::-1].copy(), cull=False)
    inside_out.uv = body.corner_uv["skin"][:, ::-1].copy()
    _, _, maps = maps_of([inside_out])
    assert (maps.silhouette == plain_maps.silhouette).all()
    assert maps.mask.sum() < 0.02 * plain_maps.mask.sum()


def test_hair_hides_the_map():
    body = load_body()
    hair = tube("hair", "hair", 1.1, 9.8, 7.0, "head", body)
    _, _, maps = maps_of([skin_layer(body), hair], {"yaw": 180.0})
    assert maps.hair.any()
    assert not maps.mask[maps.hair].any()
    assert maps.head[maps.hair].all()


def test_both_readings_of_a_skirt():
    body = load_body()
    layers = [skin_layer(body), tube("skirt", "cloth", 2.6, 1.0, -3.0, "pelvis", body)]
    pose = {"left_hip_flex": 20.0}
    _, _, bare = maps_of(layers[:1], pose)
    _, _, legs = maps_of(layers, pose, skirts="legs")
    _, _, cloth = maps_of(layers, pose, skirts="cloth")
    skirt = cloth.silhouette & ~cloth.mask
    assert skirt.sum() > 300
    differ = legs.mask != cloth.mask
    assert differ.sum() > 100
    assert (differ <= skirt).all()
    assert set(np.unique(legs.part[differ])) <= set(UNDER_SKIRT)
    assert (legs.uv[differ] == bare.uv[differ]).all()  # exactly the body without a skirt
    assert (legs.uv[~skirt] == cloth.uv[~skirt]).all()
    assert (legs.silhouette == cloth.silhouette).all()
    with pytest.raises(InputError, match="skirts must be one of legs, cloth"):
        maps_of(layers, skirts="trousers")


def test_part_lookup_takes_the_texel_that_contains_the_point():
    labels = np.array([[1, 2], [3, 4]], np.uint8)
    uv = np.array([[[0.0, 0.0], [0.499, 0.2], [0.5, 0.2], [1.0, 1.0]]], np.float32)
    mask = np.array([[True, True, True, False]])
    assert part_of(uv, mask, labels).tolist() == [[1, 1, 2, 0]]


@pytest.mark.parametrize("pose", POSES)
def test_visible_joints_lie_on_the_person(pose):
    body = load_body()
    posed, camera, maps = maps_of([skin_layer(body)], POSES[pose])
    points, visibility = keypoints(body, posed, camera, maps.nearness)
    assert (visibility > 0).all()  # a full view holds all joints
    assert (visibility == 2).sum() >= 9
    near = ndimage.binary_dilation(maps.silhouette)
    for (x, y), v in zip(points, visibility, strict=True):
        assert v < 2 or near[int(y), int(x)]


def test_the_face_is_occluded_from_behind_and_sides_are_right():
    body = load_body()
    posed, camera, maps = maps_of([skin_layer(body)], {"yaw": 180.0})
    _, behind = keypoints(body, posed, camera, maps.nearness)
    face = [JOINTS.index(n) for n in ("nose", "right_eye", "left_eye")]
    assert (behind[face] == 1).all()
    posed, camera, maps = maps_of([skin_layer(body)])
    points, front = keypoints(body, posed, camera, maps.nearness)
    assert (front[face] == 2).all()
    for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear"):
        assert points[JOINTS.index(f"right_{name}"), 0] < points[JOINTS.index(f"left_{name}"), 0]
    nose, neck, hip, ankle = (points[JOINTS.index(n), 1] for n in ("nose", "neck", "left_hip", "left_ankle"))
    assert nose < neck < hip < ankle
    assert np.isfinite(joint_positions(body, posed)).all()


def test_joints_outside_the_picture_are_missing():
    body = load_body()
    posed, camera, maps = maps_of([skin_layer(body)], crop="head")
    points, visibility = keypoints(body, posed, camera, maps.nearness)
    ankles = [JOINTS.index("left_ankle"), JOINTS.index("right_ankle")]
    assert (visibility[ankles] == 0).all()
    assert (points[ankles, 1] > camera.size[0]).all()
    assert visibility[0] == 2
