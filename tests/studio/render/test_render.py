"""The photograph: shading beside a slow twin, shadow, hollows, anti-aliasing."""

import numpy as np
import pytest

from posekit.studio.base.layers import Figure, Layer, Texture
from posekit.studio.base.mesh import vertex_normals
from posekit.studio.base.raster import Buffers, interpolate, rasterize
from posekit.studio.body.body import load_body
from posekit.studio.render.ambient_occlusion import ambient_occlusion
from posekit.studio.render.camera import frame
from posekit.studio.render.light import Background, Light, random_background, random_light, vary_light
from posekit.studio.render.render import photograph, pose_figure
from posekit.studio.render.shade import Mesh, _level, as_material, shade
from posekit.studio.render.shadow import ShadowMap, shadow_map

WHITE = Background(grey=0.9, tint=np.ones(3, np.float32), vignette=0.0, gradient=0.0, horizon=None)
NO_SHADOW = ShadowMap(np.zeros((4, 4), np.float32), np.zeros((3, 4), np.float32))


def texture(kind="cloth", size=8, bump=None, color=None):
    rng = np.random.default_rng(2)
    return Texture(
        color=rng.uniform(0.1, 0.6, (size, size, 3)).astype(np.float32) if color is None else color,
        specular=np.full((size, size), 0.6, np.float32),
        bump=np.zeros((size, size), np.float32) if bump is None else bump,
        gloss=12.0,
        kind=kind,
    )


def square(z=0.0, half=1.0):
    """A square in the plane z that faces +z, its uv the square of the texture."""
    corners = np.array([[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]], np.float32)
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)[triangles]
    return corners, triangles, uv


def seen_square(material, normals=None, size=24):
    """The square on a screen of size x size, with a camera straight in front, 20 dm away."""
    vertices, triangles, uv = square()
    screen = np.stack([vertices[:, 0] * 10 + size / 2, size / 2 - vertices[:, 1] * 10, np.full(4, 1 / 20)], 1)
    screen = screen.astype(np.float32)
    buffers = Buffers.empty(size, size)
    rasterize(screen, triangles, buffers, cull=True)
    if normals is None:
        normals = vertex_normals(vertices, triangles)
    return buffers, Mesh(vertices, normals.astype(np.float32), screen, triangles, uv, 0, material, False)


def naive_shade(position, normal, color, specular, kind, gloss, camera, light):
    """The equations of `posekit.studio.render.shade`, for one point."""
    unit = lambda a: a / np.linalg.norm(a)  # noqa: E731
    view = unit(camera - position)
    wrap = 0.30 if kind == "skin" else 0.12
    diffuse = [np.clip((normal @ d + wrap) / (1 + wrap), 0, 1) for d in light.directions]
    facing = normal @ light.directions[0]
    half = unit(light.directions[0] + view)
    if kind == "hair":
        down = unit(np.array([0, -1, 0]) + normal * normal[1])
        shine = 0.35 * np.sqrt(max(0, 1 - (down @ half) ** 2)) ** 60
    else:
        shine = max(0, normal @ half) ** gloss
    shine *= 0.35 * specular * np.clip(3 * facing, 0, 1)
    warm = np.exp(-(((facing - 0.05) / 0.25) ** 2)) if kind == "skin" else 0
    tint = 1 + warm * np.array([0.16, -0.02, -0.05])
    lamps = diffuse[0] * tint * light.colors[0] + diffuse[1] * light.colors[1] + diffuse[2] * light.colors[2]
    sky = light.ambient * (0.72 + 0.28 * normal[1])
    edge = 0.05 * (1 - np.clip(normal @ view, 0, 1)) ** 4 * light.ambient
    value = (color * (lamps + sky) + shine * light.colors[0] + edge) * light.exposure
    return np.clip(value / (1 + 0.12 * value), 0, 1)


@pytest.mark.parametrize("kind", ["cloth", "skin", "hair", "eye", "teeth"])
def test_shading_equals_the_naive_twin(kind):
    light = random_light(np.random.default_rng(4))
    pattern = texture(kind)
    rng = np.random.default_rng(1)
    normals = np.array([0, 0, 1]) + rng.normal(0, 0.4, (4, 3))
    buffers, mesh = seen_square(as_material(pattern), normals)
    camera = np.array([0.3, 0.2, 20.0])
    image = np.zeros((24, 24, 3), np.float32)
    shade(image, buffers, mesh, camera, np.ones((24, 24), np.float32), NO_SHADOW, light)
    point = interpolate(buffers, mesh.vertices[mesh.triangles])
    normal = interpolate(buffers, mesh.normals[mesh.triangles])
    uv = interpolate(buffers, mesh.uv)
    checked = 0
    for y, x in np.argwhere(buffers.triangle >= 0)[::7]:
        n = normal[y, x] / np.linalg.norm(normal[y, x])
        color = np.zeros(3)
        for r in range(8):
            for c in range(8):
                tent_x = max(0, 1 - abs(np.clip(uv[y, x, 0] * 8 - 0.5, 0, 7) - c))
                tent_y = max(0, 1 - abs(np.clip(uv[y, x, 1] * 8 - 0.5, 0, 7) - r))
                color += tent_x * tent_y * pattern.color[r, c]
        expected = naive_shade(point[y, x], n, color, 0.6, kind, 12.0, camera, light)
        np.testing.assert_allclose(image[y, x], expected, atol=2e-4)
        checked += 1
    assert checked > 40


@pytest.mark.parametrize(("slope_u", "slope_v"), [(0.3, 0.0), (0.0, -0.2), (0.25, 0.4)])
def test_a_ramp_of_bump_shades_like_a_tilted_plane(slope_u, slope_v):
    """A height field h over a plane has the normal (-h_x, -h_y, 1); here u is x / 2 and v is -y / 2."""
    size = 16
    at = (np.arange(size) + 0.5) / size
    ramp = (slope_u * at[None] + slope_v * at[:, None]).astype(np.float32)
    flat_color = np.full((size, size, 3), 0.4, np.float32)
    light = random_light(np.random.default_rng(9))
    pictures = []
    tilted = np.array([-slope_u / 2, slope_v / 2, 1.0])
    for bump, normal in ((ramp, np.array([0, 0, 1.0])), (None, tilted / np.linalg.norm(tilted))):
        buffers, mesh = seen_square(
            as_material(texture(size=size, bump=bump, color=flat_color)), np.tile(normal, (4, 1))
        )
        image = np.zeros((24, 24, 3), np.float32)
        shade(image, buffers, mesh, np.array([0, 0, 20.0]), np.ones((24, 24), np.float32), NO_SHADOW, light)
        pictures.append(image)
    np.testing.assert_allclose(pictures[0], pictures[1], atol=1e-4)


def test_a_fine_pattern_seen_from_afar_becomes_its_mean():
    """Stripes one texel wide, 32 texels a sample apart, would flicker; the coarse copy is flat."""
    stripes = np.zeros((256, 256, 3), np.float32)
    stripes[:, ::2] = 0.8
    material = as_material(texture(size=256, color=stripes, bump=np.zeros((256, 256), np.float32)))
    _, mesh = seen_square(material)  # 20 samples across 256 texels
    level = _level(mesh, np.array([0, 1]))
    assert level.shape[0] == 32
    np.testing.assert_allclose(level[..., :3], 0.4, atol=1e-6)


def test_the_lamp_casts_a_shadow():
    light = np.array([0.0, 0.6, 0.8])
    wall, wall_triangles, uv = square(0.0, 3.0)
    plate, plate_triangles, _ = square(1.0, 0.5)
    layers = [
        Layer("wall", wall, wall_triangles, uv, texture(), np.ones((4, 1))),
        Layer("plate", plate, plate_triangles, uv, texture(), np.ones((4, 1))),
    ]
    shadow = shadow_map(layers, [wall, plate], light)

    def covered(point):
        column, row, nearness = shadow.frame @ np.append(point, 1)
        return shadow.nearness[int(row), int(column)] - nearness > 0.22

    behind = np.array([0, 0, 1.0]) - light / light[2]  # where the ray through the plate's middle meets the wall
    assert covered(behind)
    assert not covered(behind + [2, 0, 0])
    assert not covered(np.array([0, 0, 1.0]))  # the plate itself is lit
    image = np.zeros((24, 24, 3), np.float32)
    lit = np.zeros_like(image)
    buffers, mesh = seen_square(as_material(texture()))
    rig = random_light(np.random.default_rng(0))
    rig = Light(np.stack([light, *rig.directions[1:]]).astype(np.float32), rig.colors, rig.ambient, 1.0, 1.0)
    for picture, cast in ((image, shadow), (lit, NO_SHADOW)):
        shade(picture, buffers, mesh, np.array([0, 0, 20.0]), np.ones((24, 24), np.float32), cast, rig)
    darker = (image < lit - 0.02).any(-1)
    assert darker[-9:].any()  # the lamp is above, the shadow falls below the middle
    assert not darker[:9].any()


def test_hollows_are_darker_and_planes_are_not():
    depth = np.full((60, 60), 45.0)
    depth[20:40, 28:32] += 0.3  # a groove 4 pixels wide
    depth[:, :5] = np.inf
    share = ambient_occlusion((1 / depth).astype(np.float32), pixels_per_dm=20)
    assert share[30, 30] < 0.85
    assert share[5, 50] > 0.999
    assert (share[:, :5] == 1).all()
    assert (ambient_occlusion(np.zeros((8, 8), np.float32), 10.0) == 1).all()


def test_lights_and_backdrops_are_as_documented():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        light = vary_light(random_light(rng), rng)
        np.testing.assert_allclose(np.linalg.norm(light.directions, axis=1), 1, atol=1e-5)
        assert light.directions[0, 1] > 0.2  # from above
        backdrop = random_background(rng)
        small, large = backdrop.picture(16, 16), backdrop.picture(64, 64)
        assert 0 <= large.min() <= large.max() <= 1
        averaged = large.reshape(16, 4, 16, 4, 3).mean((1, 3))
        assert np.abs(small - averaged).mean() < 2e-3  # one scene at every resolution


@pytest.fixture(scope="module")
def bare():
    """The body without clothes for the figure's layers: one flat grey surface."""
    body = load_body()
    grey = texture("skin", color=np.full((8, 8, 3), 0.3, np.float32))
    vertices = body.mean_vertices
    skin = Layer(
        "skin", vertices[: body.n_skin], body.triangles["skin"], body.corner_uv["skin"], grey,
        body.weights[: body.n_skin], on_surface=True, cull=True,
    )  # fmt: skip
    return Figure([skin], vertices, body.mean_joints)


def test_photograph(bare):
    body = load_body()
    posed = pose_figure(body, bare, {"yaw": 20.0})
    camera = frame(body, posed.body, posed.joints, (96, 64), "full")
    light = random_light(np.random.default_rng(1))
    image = photograph(posed, camera, light, WHITE)
    assert image.shape == (96, 64, 3)
    assert image.dtype == np.uint8
    assert (image == photograph(posed, camera, light, WHITE)).all()
    background = np.round(255 * 0.9)
    assert (np.abs(image[:20, :8] - background) < 2).all()  # nothing but paper in the corner
    person = (image < 200).any(-1)
    assert 0.08 < person.mean() < 0.4
    rows = np.flatnonzero(person.any(1))
    assert rows[0] < 8
    assert rows[-1] > 88


def test_more_samples_change_little_but_the_contour(bare):
    """Twice as many samples give the same picture up to the contour: averaging is unbiased."""
    body = load_body()
    posed = pose_figure(body, bare, {})
    camera = frame(body, posed.body, posed.joints, (64, 64), "upper")
    light = random_light(np.random.default_rng(1))
    two, four = (photograph(posed, camera, light, WHITE, supersample=n).astype(float) for n in (2, 4))
    assert np.abs(two - four).mean() < 2.5
    assert abs((two - four).mean()) < 1.0


def test_expressions_move_the_face_only(bare):
    body = load_body()
    still = pose_figure(body, bare, {})
    smiling = pose_figure(body, bare, {}, expression_delta=body.expression_delta({"jawOpen": 1.0}))
    moved = np.linalg.norm(smiling.vertices[0] - still.vertices[0], axis=1)
    assert moved.max() > 0.1
    assert set(np.flatnonzero(moved > 1e-4)) <= set(body.head_vertices)
