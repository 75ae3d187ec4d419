"""Value noise: smooth random functions of a point in space.

A random number sits on every corner of a cubic lattice, and the noise between them is their smooth interpolation.
Summed over octaves (each finer and weaker) it gives clouds (`Noise.clouds`), and folded around its middle it gives
creases (`Noise.creases`).  Because it is a function of the point in space, it has no seams where the atlas has them.
"""

import numpy as np
from numba import njit

LATTICE = 32  # corners along each side before the noise repeats; a power of two


@njit(cache=True, fastmath=True)
def _value_noise(points, lattice, frequency, offset):
    """Noise at points (n, 3): trilinear interpolation with smoothed weights t^2 (3 - 2 t)."""
    n = points.shape[0]
    last = lattice.shape[0] - 1
    out = np.empty(n, np.float32)
    for i in range(n):
        x = points[i, 0] * frequency[0] + offset[0]
        y = points[i, 1] * frequency[1] + offset[1]
        z = points[i, 2] * frequency[2] + offset[2]
        fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
        x, y, z = x - fx, y - fy, z - fz
        x, y, z = x * x * (3 - 2 * x), y * y * (3 - 2 * y), z * z * (3 - 2 * z)
        a, b, c = int(fx) & last, int(fy) & last, int(fz) & last
        d, e, f = (a + 1) & last, (b + 1) & last, (c + 1) & last
        near = (lattice[a, b, c] * (1 - x) + lattice[d, b, c] * x) * (1 - y) + (
            lattice[a, e, c] * (1 - x) + lattice[d, e, c] * x
        ) * y
        far = (lattice[a, b, f] * (1 - x) + lattice[d, b, f] * x) * (1 - y) + (
            lattice[a, e, f] * (1 - x) + lattice[d, e, f] * x
        ) * y
        out[i] = near * (1 - z) + far * z
    return out


class Noise:
    """A family of random functions of space, fixed by the generator that made it.

    rng: draws the (32, 32, 32) lattice of uniform numbers once.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.lattice = rng.random((LATTICE,) * 3, dtype=np.float32)

    def __call__(self, points: np.ndarray, frequency: float | tuple[float, float, float], offset: float = 0.0):
        """Noise in [0, 1] at ``points`` (..., 3), with ``frequency`` lattice cells per unit, one for each axis.

        ``offset`` moves the window on the lattice, so that the same family gives unrelated functions.
        """
        frequency = np.broadcast_to(np.asarray(frequency, np.float32), (3,))
        shift = np.float32(offset) * np.array([7.13, 14.26, 21.39], np.float32)
        flat = np.ascontiguousarray(np.reshape(points, (-1, 3)), dtype=np.float32)
        return _value_noise(flat, self.lattice, np.ascontiguousarray(frequency), shift).reshape(points.shape[:-1])

    def clouds(self, points: np.ndarray, frequency, octaves: int = 3, offset: float = 0.0) -> np.ndarray:
        """Sum of octaves, each of twice the frequency and half the strength; values in [0, 1], mean 0.5."""
        return self._sum(points, frequency, octaves, offset, ratio=2.0, stride=1.7, fold=False)

    def creases(self, points: np.ndarray, frequency, octaves: int = 2, offset: float = 0.0) -> np.ndarray:
        """Ridges (1 - |2 n - 1|)^2: thin bright lines where the noise passes its middle; values in [0, 1]."""
        return self._sum(points, frequency, octaves, offset, ratio=1.9, stride=3.1, fold=True)

    def _sum(self, points, frequency, octaves, offset, ratio, stride, fold):
        frequency = np.broadcast_to(np.asarray(frequency, np.float32), (3,))
        total = np.zeros(points.shape[:-1], np.float32)
        strength, sum_of_strengths = 1.0, 0.0
        for octave in range(octaves):
            value = self(points, tuple(frequency * ratio**octave), offset + octave * stride)
            if fold:
                value = (1 - np.abs(2 * value - 1)) ** 2
            total += np.float32(strength) * value
            sum_of_strengths += strength
            strength *= 0.5
        return total / np.float32(sum_of_strengths)
