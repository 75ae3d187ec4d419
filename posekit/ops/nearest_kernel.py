"""The loops of the nearest-neighbour loss on the CPU, compiled by numba: one item of a batch, some rows or channels.

Everything here is numpy, float32 or float64, and contiguous.  The kernels release the GIL, and calls on other rows
(search) or other channels (slopes) write other memory, so the caller may run them in threads.
"""

import numpy as np
from numba import njit

OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**OPTIONS)
def search(generated, target, reach_y, reach_x, top, bottom, sums, best, offset):
    """Best match of every pixel in the rows ``top <= y < bottom``.

    generated, target: (c, h, w).  sums: scratch (2 reach_y + 1, 2 reach_x + 1, w), one row of S for every shift.
    Results: best (h, w), the smallest S, NaN where one is; offset (h, w), flat index of the winner less the pixel's
    own; of equal ones the first in reading order.

    Four channels at a time, because loading and storing the sums would otherwise take half of the time.
    """
    channels, h, w = generated.shape
    quads = channels - channels % 4
    for y in range(top, bottom):
        above, below = max(-reach_y, -y), min(reach_y, h - 1 - y)
        sums[:] = 0
        for c in range(0, quads, 4):
            g0, g1, g2, g3 = generated[c, y], generated[c + 1, y], generated[c + 2, y], generated[c + 3, y]
            for i in range(above, below + 1):
                t0, t1, t2, t3 = target[c, y + i], target[c + 1, y + i], target[c + 2, y + i], target[c + 3, y + i]
                for j in range(-reach_x, reach_x + 1):
                    s = sums[i + reach_y, j + reach_x]
                    for x in range(max(0, -j), w - max(0, j)):
                        first = abs(g0[x] - t0[x + j]) + abs(g1[x] - t1[x + j])
                        second = abs(g2[x] - t2[x + j]) + abs(g3[x] - t3[x + j])
                        s[x] += first + second
        for c in range(quads, channels):
            g0 = generated[c, y]
            for i in range(above, below + 1):
                t0 = target[c, y + i]
                for j in range(-reach_x, reach_x + 1):
                    s = sums[i + reach_y, j + reach_x]
                    for x in range(max(0, -j), w - max(0, j)):
                        s[x] += abs(g0[x] - t0[x + j])
        least, where = best[y], offset[y]
        least[:] = np.inf
        where[:] = 0
        for i in range(above, below + 1):
            for j in range(-reach_x, reach_x + 1):
                s = sums[i + reach_y, j + reach_x]
                for x in range(max(0, -j), w - max(0, j)):
                    if s[x] < least[x] or np.isnan(s[x]):
                        least[x] = s[x]
                        where[x] = i * w + j


@njit(**OPTIONS)
def slopes(generated, target, offset, first, last, by_generated, by_target):
    """Derivative of the sum of all minima, in the channels ``first <= c < last``.

    generated, target: (c, n), pixels flattened.  offset: (n,) of `search`.  Results: by_generated (c, n) int8, the
    sign of every difference to the winner; by_target (c, n) int32, what falls on the winners, or (0, 0) if unwanted.
    """
    for c in range(first, last):
        g, t, signs = generated[c], target[c], by_generated[c]
        for p in range(g.size):
            difference = g[p] - t[p + offset[p]]
            signs[p] = (difference > 0) - (difference < 0)  # without a branch, so that it can be vectorised
        if by_target.size:
            received = by_target[c]
            received[:] = 0
            for p in range(g.size):
                received[p + offset[p]] -= signs[p]
