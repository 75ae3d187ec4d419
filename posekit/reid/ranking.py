"""Person re-identification: is the person of a query photograph found in a gallery?  Rank-k and mAP.

The protocol of Market-1501 (Zheng et al., ICCV 2015).  For each query the gallery is sorted by distance, without

- photographs of the query's identity from the query's own camera: finding them again is no re-identification;
- bad detections, identity -1.  Distractors, identity 0, stay and can only be wrong.

    rank-k = share of queries with a photograph of the right identity among the first k
    AP     = mean over the right photographs of (number of right ones up to it) / (its place)
    mAP    = mean of AP over queries

Queries that have nobody to be found are left out and counted.  The first Matlab evaluation of the data set took the
area under the precision-recall curve by trapezoids, which gives slightly other numbers than this mean.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn.functional import normalize

from posekit.util.errors import InputError
from posekit.util.torchvision import ensure_torchvision

JUNK = -1
DISTANCES = ("cosine", "euclidean")


class Labels(NamedTuple):
    """Who is on n photographs, and which camera took them."""

    identity: Integer[Tensor, " n"]
    camera: Integer[Tensor, " n"]


@dataclass(frozen=True)
class Ranking:
    """Values for each of the q queries that have somebody to be found; ``left_out`` others had nobody."""

    average_precision: Float[Tensor, " q"]
    hits: dict[int, Float[Tensor, " q"]]  # k -> 1 where one of the first k is right, else 0
    left_out: int

    @property
    def mAP(self) -> float:
        """Mean average precision, 0 to 1."""
        return float(self.average_precision.mean())

    def rank(self, k: int = 1) -> float:
        """Share of queries with a right photograph among the first k, 0 to 1."""
        if k not in self.hits:
            raise InputError(f"Rank {k} was not asked for; there are {', '.join(map(str, self.hits))}.")
        return float(self.hits[k].mean())


def rank_gallery(
    distances: Float[Tensor, "q g"], query: Labels, gallery: Labels, ranks: tuple[int, ...] = (1, 5, 10)
) -> Ranking:
    """Rank the gallery for each query, by torchmetrics' average precision and hit rate.

    Raises `InputError` where the numbers of labels and distances differ, for distances that are not numbers, and when
    no query has anybody to be found.
    """
    ensure_torchvision()
    from torchmetrics.functional.retrieval import retrieval_average_precision, retrieval_hit_rate

    wanted = (len(query.identity), len(gallery.identity))
    if tuple(distances.shape) != wanted or len(query.camera) != wanted[0] or len(gallery.camera) != wanted[1]:
        raise InputError(
            f"There are {wanted[0]} queries and {wanted[1]} photographs in the gallery, but distances of shape "
            f"{tuple(distances.shape)} and {len(query.camera)} and {len(gallery.camera)} cameras; give one of each."
        )
    if not bool(torch.isfinite(distances).all()):
        raise InputError("The distances hold NaN or infinite values; check the features.")
    precisions, hits = [], {k: [] for k in ranks}
    for row, identity, camera in zip(distances, query.identity, query.camera, strict=True):
        same = gallery.identity == identity
        seen = (gallery.identity != JUNK) & ~(same & (gallery.camera == camera))
        right = same[seen]
        if not bool(right.any()):
            continue
        # n, n - 1, ... 1 from the nearest on: to torchmetrics a score that is not positive means "not found"
        closeness = len(right) - row[seen].argsort(stable=True).argsort().float()
        precisions.append(retrieval_average_precision(closeness, right))
        for k, rates in hits.items():
            rates.append(retrieval_hit_rate(closeness, right, top_k=k))
    if not precisions:
        raise InputError("No query has a photograph of its identity from another camera in the gallery.")
    stacked = {k: torch.stack(rates) for k, rates in hits.items()}
    return Ranking(torch.stack(precisions), stacked, len(query.identity) - len(precisions))


def feature_distances(
    query: Float[Tensor, "q d"], gallery: Float[Tensor, "g d"], kind: str = "cosine"
) -> Float[Tensor, "q g"]:
    """Distances between features: "euclidean", or "cosine", 1 minus the cosine of the angle between them."""
    if kind not in DISTANCES:
        raise InputError(f"The distance is one of {', '.join(DISTANCES)}, got {kind!r}.")
    if kind == "euclidean":
        return torch.cdist(query, gallery)
    return 1 - normalize(query) @ normalize(gallery).T
