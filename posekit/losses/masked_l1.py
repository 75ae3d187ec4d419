"""l1 over the known texels: the three texture losses."""

from jaxtyping import Float
from torch import Tensor

from posekit.util.distributed import mean_over_processes


def masked_l1(
    a: Float[Tensor, "b c h w"], b: Float[Tensor, "b c h w"], mask: Float[Tensor, "b 1 h w"], *, mean: bool = True
) -> Float[Tensor, ""]:
    """Absolute difference, averaged over the places that ``mask`` keeps; 0 when it keeps none.

        L = sum |mask (a - b)| / sum mask             summed over channels, as printed for "identity" (mean=False)
        L = sum |mask (a - b)| / (c sum mask)         the mean over channels as well (mean=True)

    Source: Coordinate-based Texture Inpainting, supplementary material, section 1.1.4.  "Identity" compares the
    coordinates C and D where C is known; "texture source" and "texture target" compare the completed colour texture
    T with the colours of the source and of the target, over the texels seen in each.
    """
    kept = mean_over_processes(mask.sum())
    return (mask * (a - b).abs()).sum() / (kept * (a.shape[1] if mean else 1)).clamp(min=1)
