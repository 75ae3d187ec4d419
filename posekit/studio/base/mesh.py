"""Two operations on a triangle mesh: normals, and the mean of the neighbours (a step of Laplacian smoothing)."""

import math

import numpy as np
from numba import njit
from scipy.sparse import coo_matrix, csr_matrix, diags


@njit(cache=True)
def vertex_normals(vertices, triangles):
    """Unit normals (n, 3) float32: the sum over the triangles around a vertex, weighted by their area."""
    normals = np.zeros((len(vertices), 3), np.float32)
    for f in range(len(triangles)):
        i, j, k = triangles[f]
        ax, ay, az = vertices[j, 0] - vertices[i, 0], vertices[j, 1] - vertices[i, 1], vertices[j, 2] - vertices[i, 2]
        bx, by, bz = vertices[k, 0] - vertices[i, 0], vertices[k, 1] - vertices[i, 1], vertices[k, 2] - vertices[i, 2]
        x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx  # cross product: twice the area long
        for v in (i, j, k):
            normals[v, 0] += x
            normals[v, 1] += y
            normals[v, 2] += z
    for v in range(len(vertices)):
        length = math.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2) + 1e-12
        for c in range(3):
            normals[v, c] /= length
    return normals


def neighbour_mean(triangles: np.ndarray, n: int) -> csr_matrix:
    """The (n, n) float32 matrix that replaces every vertex by the mean of the vertices it shares an edge with."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    ones = np.ones(2 * len(edges), np.float32)
    rows, columns = np.r_[edges[:, 0], edges[:, 1]], np.r_[edges[:, 1], edges[:, 0]]
    adjacency = coo_matrix((ones, (rows, columns)), shape=(n, n)).tocsr()
    degree = np.maximum(np.asarray(adjacency.sum(1)).ravel(), 1)
    return (diags(1 / degree) @ adjacency).astype(np.float32).tocsr()


def smooth(neighbours: csr_matrix, vertices: np.ndarray, steps: int, amount: float | np.ndarray) -> np.ndarray:
    """Move every vertex ``steps`` times towards the mean of its neighbours by the share ``amount`` ((n, 1) or one)."""
    for _ in range(steps):
        vertices = vertices + amount * (neighbours @ vertices - vertices)
    return vertices
