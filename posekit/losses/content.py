"""Content loss: distance between feature maps.

Source: Coordinate-based Texture Inpainting, supplementary material, section 1.1.4.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.losses.float32 import as_float32
from posekit.util.errors import InputError

WEIGHTS = (1 / 8, 1 / 4, 1 / 2, 1.0)  # relu1_2, relu2_2, relu3_3, relu4_3
Features = dict[str, Float[Tensor, "b _ _ _"]]


def content_loss(
    generated: Features, target: Features, weights: tuple[float, ...] = WEIGHTS, *, mean: bool = False
) -> Float[Tensor, ""]:
    """Weighted distance of feature maps, one weight per layer in the order of ``generated``.

    L = sum_k w_k || generated_k - target_k ||_2          per image, as printed (mean=False)
    L = sum_k w_k mean |generated_k - target_k|           the same at every image size (mean=True)
    """
    if len(weights) != len(generated):
        raise InputError(f"content_loss got {len(generated)} feature maps and {len(weights)} weights; give one each.")
    loss = 0.0
    for weight, (name, a) in zip(weights, generated.items(), strict=True):
        difference = (as_float32(a) - as_float32(target[name])).flatten(1)
        distance = difference.abs().mean(1) if mean else torch.linalg.vector_norm(difference, dim=1)
        loss = loss + weight * distance.mean()
    return loss
