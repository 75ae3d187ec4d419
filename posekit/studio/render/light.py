"""Light and background of the photo studio.

The lamps stand still in front of the camera's axis (the camera looks along -z, the person turns): a key lamp
that casts the shadow, a weak fill from the other side, a rim light from behind, and light from everywhere.
"""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Light:
    """directions: (3, 3) unit vectors towards the key, fill and rim lamp; colors: (3, 3) their linear RGB;
    ambient: (3,) linear RGB; exposure: factor before the tone curve; softness: radius of the key lamp's
    shadow, in texels of a 256 x 256 shadow map."""

    directions: np.ndarray
    colors: np.ndarray
    ambient: np.ndarray
    exposure: float
    softness: float


def random_light(rng: np.random.Generator) -> Light:
    """A studio light: the key lamp within 60 degrees of the camera's side and 25 to 60 degrees up."""
    azimuth, elevation = np.deg2rad(rng.uniform(-60, 60)), np.deg2rad(rng.uniform(25, 60))
    warmth = rng.normal(0, 0.03)
    key = rng.uniform(0.50, 0.75) * np.array([1 + warmth, 1, 1 - warmth])
    directions = np.array(
        [
            [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)],
            [-0.8 * np.sin(azimuth), 0.2, 0.7],
            [-0.9 * np.sin(azimuth), 0.5, -0.6],
        ]
    )
    colors = np.array([key, np.array([0.28, 0.29, 0.31]) * rng.uniform(0.6, 1.2), [0.25, 0.25, 0.25]])
    return Light(
        directions=(directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32),
        colors=colors.astype(np.float32),
        ambient=(np.array([0.50, 0.50, 0.52]) * rng.uniform(1.2, 1.45)).astype(np.float32),
        exposure=float(rng.uniform(0.92, 1.07)),
        softness=float(rng.uniform(1.2, 3.0)),
    )


def vary_light(light: Light, rng: np.random.Generator) -> Light:
    """The same light a moment later: the photographer moved the key lamp a little (4 degrees, 3 % power)."""
    a, b = np.deg2rad(rng.normal(0, 4, 2))
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    directions = np.concatenate([light.directions[:1] @ (turn @ tilt).T, light.directions[1:]])
    colors = light.colors * np.array([[1 + rng.normal(0, 0.03)], [1], [1]])
    return replace(
        light,
        directions=directions.astype(np.float32),
        colors=colors.astype(np.float32),
        exposure=light.exposure * float(1 + rng.normal(0, 0.015)),
    )


@dataclass(frozen=True)
class Background:
    """A paper backdrop: grey level and tint (3,), vignette, vertical gradient, and the floor line's height in
    the picture (fraction from the top) or None."""

    grey: float
    tint: np.ndarray
    vignette: float
    gradient: float
    horizon: float | None

    def picture(self, h: int, w: int) -> np.ndarray:
        """(h, w, 3) float32 sRGB in [0, 1]; the same scene at every resolution."""
        y = (np.arange(h, dtype=np.float32)[:, None] + 0.5) / h
        x = (np.arange(w, dtype=np.float32)[None] + 0.5) / w
        shade = 1 - self.vignette * 4 * ((x - 0.5) ** 2 + (y - 0.45) ** 2) + self.gradient * (y - 0.5)
        if self.horizon is not None:
            shade = shade * (
                1 - 0.05 * _step(y, self.horizon - 0.01, self.horizon + 0.02) * (1 - 0.6 * _step(y, self.horizon, 1))
            )
        return np.clip(self.grey * shade[..., None] * self.tint, 0, 1).astype(np.float32)


def random_background(rng: np.random.Generator) -> Background:
    """Four of five backdrops are nearly white, as in catalogue photographs, the rest mid-grey."""
    return Background(
        grey=float(rng.uniform(0.92, 0.995) if rng.random() < 0.8 else rng.uniform(0.66, 0.88)),
        tint=(1 + rng.normal(0, 0.012, 3)).astype(np.float32),
        vignette=float(0.10 * rng.random()),
        gradient=float(0.03 * rng.normal()),
        horizon=float(rng.uniform(0.80, 0.92)) if rng.random() < 0.35 else None,
    )


def _step(x, low: float, high: float):
    """Smooth step from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
