"""Style loss: distance between Gram matrices of features.

Source: Coordinate-based Texture Inpainting, supplementary material, section 1.1.4 (after Gatys et al. 2016).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.losses.float32 import as_float32
from posekit.util.errors import InputError

WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4)  # relu1_2, relu2_2, relu3_3, relu4_3
Features = dict[str, Float[Tensor, "b _ _ _"]]


def gram_matrix(features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c c"]:
    """G_ij: mean over all pixels of feature i times feature j; it forgets where things are."""
    with torch.autocast(features.device.type, enabled=False):  # small differences of large sums need float32
        flat = as_float32(features).flatten(2)
        return flat @ flat.transpose(1, 2) / flat.shape[2]


def style_loss(
    generated: Features, target: Features, weights: tuple[float, ...] = WEIGHTS, *, mean: bool = False
) -> Float[Tensor, ""]:
    """Weighted distance of Gram matrices, one weight per layer in the order of ``generated``.

        L = sum_k w_k || G(generated_k) / L_k - G(target_k) / L_k ||_2        per image, as printed (mean=False)
        L = sum_k w_k 1 / L_k || G(generated_k) / c_k - G(target_k) / c_k ||_2^2      the mean square (mean=True)

    with L_k = c_k^2 elements.  Taken literally, the text sums the elements inside the norm, which would leave one
    number a layer, the mean product of all pairs of features; here the norm runs over the elements.  Nor does it say
    how the Gram matrix is normalised; here it is a mean over pixels, so that the loss does not change with image size.
    Divided by c_k as well it is that of Johnson et al. (2016), who also square the norm.
    """
    if len(weights) != len(generated):
        raise InputError(f"style_loss got {len(generated)} feature maps and {len(weights)} weights; give one each.")
    loss = 0.0
    for weight, (name, a) in zip(weights, generated.items(), strict=True):
        difference = (gram_matrix(a) - gram_matrix(target[name])).flatten(1) / a.shape[1]
        root_mean_square = torch.linalg.vector_norm(difference, dim=1) / a.shape[1]
        loss = loss + weight * (root_mean_square.square() if mean else root_mean_square).mean()
    return loss
