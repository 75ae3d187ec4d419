"""Weights of the VGG-16 that is shipped in the package: trained on ImageNet, then fine-tuned to find edges.

``asset/edge_vgg16.safetensors`` is made by ``data_scripts/build_edge_vgg.py``, which says where the weights come from;
LICENSE-ASSETS has their licences.  Of every convolution reluI_J it holds

| tensor         | type, shape     | meaning |
|----------------|-----------------|---------|
| reluI_J_weight | int8, o i 3 3   | q; float32 in the first layer, w itself |
| reluI_J_scale  | float32, o      | step of an output channel: w = step q; not in the first layer |
| reluI_J_bias   | float32, o      | |

Every layer is divided so that its mean activation over rendered photographs is 1.  That scale is ours: weights of
losses on these features belong to it.
"""

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from posekit.util.errors import InputError
from posekit.util.tensors import read_tensors

EDGE_FILE = Path(__file__).parent / "asset" / "edge_vgg16.safetensors"


@lru_cache(maxsize=1)
@torch.inference_mode(False)  # shared by losses: weights made while evaluating could not be saved for backward
def edge_weights(path: Path = EDGE_FILE) -> tuple[tuple[Tensor, Tensor], ...]:
    """(weight ``o i 3 3``, bias ``o``) of the thirteen convolutions in order, float32; read once, shared by all.

    Raises InputError where the file is missing or damaged.
    """
    tensors, _ = read_tensors(path)
    names = sorted(name.removesuffix("_bias") for name in tensors if name.endswith("_bias"))
    try:
        return tuple((dequantised(tensors, name), tensors[f"{name}_bias"]) for name in names)
    except KeyError as error:
        raise InputError(
            f"{path} lacks {error}; install posekit again, or run data_scripts/build_edge_vgg.py."
        ) from None


def dequantised(tensors: dict[str, Tensor], name: str) -> Tensor:
    """The weight ``o i 3 3`` of one convolution, float32, from the tensors of a file."""
    weight = tensors[f"{name}_weight"]
    if weight.dtype == torch.float32:
        return weight
    return weight.float() * tensors[f"{name}_scale"].view(-1, 1, 1, 1)
