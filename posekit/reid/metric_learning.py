"""Distances that are learnt from labelled features: KISSME and XQDA.

Both compare the differences of features of one person, Sigma_I, with those of different people, Sigma_E:

    Sigma_I = mean over pairs of one person of (x_i - x_j) (x_i - x_j)^T,  Sigma_E the same over pairs of two people
    KISSME:  M = Sigma_I^-1 - Sigma_E^-1
    XQDA:    W = eigenvectors of Sigma_I^-1 Sigma_E with eigenvalue above 1;
             M = W ((W^T Sigma_I W)^-1 - (W^T Sigma_E W)^-1) W^T

and measure d(x, y) = (x - y)^T M (x - y).  It is a log-likelihood ratio of two Gaussians, so M may have negative
eigenvalues; KISSME cuts them off, so that d is a distance (squared).

Sources: Köstinger et al., Large scale metric learning from equivalence constraints, CVPR 2012, equations (12) to (16);
Liao et al., Person re-identification by local maximal occurrence representation and metric learning, CVPR 2015,
section 4, with its regulariser.  Table 1 of the supplementary of *Deformable GANs* uses both.
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from posekit.util.errors import InputError

RIDGE = 0.001  # added to the diagonal of Sigma_I, as XQDA's authors do, here in units of its mean


def kissme(
    features: Float[Tensor, "n d"],
    identity: Integer[Tensor, " n"],
    camera: Integer[Tensor, " n"] | None = None,
    *,
    components: int | None = None,
) -> Float[Tensor, "d d"]:
    """The matrix M of KISSME, positive semidefinite.

    camera: only pairs of different cameras count, where it is given.  components: the features are first reduced to
    so many principal components (None: to as many as there are pairs of one person, at most); Sigma_I must be
    invertible.  Raises InputError where no two features are of one person, or all are.
    """
    x = features.double()
    same, _ = pair_weights(identity, camera)
    most = min(len(x) - 1, x.shape[1], max(1, int(same.sum()) // 2))
    keep = min(most, components or most)
    _, _, directions = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    P = directions[:keep].T  # d k
    within, between = (_with_ridge(P.T @ s @ P) for s in scatters(x, identity, camera))
    M = torch.linalg.inv(within) - torch.linalg.inv(between)
    values, vectors = torch.linalg.eigh(M)
    M = vectors @ (values.clamp(min=0)[:, None] * vectors.T)
    return (P @ M @ P.T).to(features)


def xqda(
    features: Float[Tensor, "n d"], identity: Integer[Tensor, " n"], camera: Integer[Tensor, " n"] | None = None
) -> Float[Tensor, "d d"]:
    """The matrix M of XQDA; its subspace has as many dimensions as eigenvalues above 1, and at least one.

    Arguments and errors as of `kissme`.
    """
    within, between = scatters(features.double(), identity, camera)
    within = _with_ridge(within)
    root = torch.linalg.cholesky(within)  # Sigma_I = L L^T: a symmetric problem with the same eigenvalues
    inner = torch.linalg.solve_triangular(root, between, upper=False)
    inner = torch.linalg.solve_triangular(root, inner.mT, upper=False)
    values, vectors = torch.linalg.eigh((inner + inner.mT) / 2)
    chosen = values > 1
    chosen[-1] = True
    W = torch.linalg.solve_triangular(root.mT, vectors[:, chosen], upper=True)
    M = torch.linalg.inv(W.T @ within @ W) - torch.linalg.inv(W.T @ between @ W)
    return (W @ M @ W.T).to(features)


def mahalanobis(
    query: Float[Tensor, "q d"], gallery: Float[Tensor, "g d"], M: Float[Tensor, "d d"]
) -> Float[Tensor, "q g"]:
    """(x - y)^T M (x - y) for every two; M symmetric.  By XQDA it may be negative, which ranks as near."""
    own, other = ((x @ M * x).sum(1) for x in (query, gallery))
    return own[:, None] + other[None] - 2 * query @ M @ gallery.T


def scatters(
    features: Float[Tensor, "n d"], identity: Integer[Tensor, " n"], camera: Integer[Tensor, " n"] | None = None
) -> tuple[Float[Tensor, "d d"], Float[Tensor, "d d"]]:
    """Sigma_I and Sigma_E.  With weights A_ij of the pairs, the sum over i and j of A_ij (x_i - x_j) (x_i - x_j)^T is
    2 X^T (D - A) X, D diagonal with the sums of the rows of A: no pair is ever made."""
    made = []
    for weights in pair_weights(identity, camera):
        laplacian = torch.diag(weights.sum(1)) - weights
        made.append(2 * features.T @ laplacian.to(features) @ features / weights.sum())
    return made[0], made[1]


def pair_weights(
    identity: Integer[Tensor, " n"], camera: Integer[Tensor, " n"] | None = None
) -> tuple[Float[Tensor, "n n"], Float[Tensor, "n n"]]:
    """1 for every two features of one person, and of two people; only of different cameras where they are given."""
    same = identity[:, None] == identity[None]
    counted = ~torch.eye(len(identity), dtype=torch.bool) if camera is None else camera[:, None] != camera[None]
    weights = (same & counted).double(), (~same & counted).double()
    if not all(bool(one.any()) for one in weights):
        raise InputError(
            "A distance is learnt from features of one person and of different people, by different cameras where "
            "cameras are given; one of the two is missing."
        )
    return weights


def _with_ridge(scatter: Float[Tensor, "d d"]) -> Float[Tensor, "d d"]:
    return scatter + RIDGE * scatter.diagonal().mean() * torch.eye(len(scatter), dtype=scatter.dtype)
