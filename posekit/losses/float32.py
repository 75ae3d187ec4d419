"""Enough digits to add up many small differences."""

import torch
from jaxtyping import Float
from torch import Tensor


def as_float32(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Half-precision tensors as float32, others as they are: sums over a feature map need more than 8 bits."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
