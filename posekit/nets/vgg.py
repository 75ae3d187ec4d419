"""Feature maps of VGG-16 or VGG-19: shipped and fine-tuned for edges, pretrained on ImageNet, or random weights."""

import math
import urllib.error
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from posekit.nets.edge_vgg import edge_weights
from posekit.util.errors import InputError
from posekit.util.torchvision import ensure_torchvision

FEATURES = ("edge_vgg16", "vgg16", "vgg19", "random")
LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")  # the supplementary's content and style layers
_DEPTHS = dict.fromkeys(FEATURES, (2, 2, 3, 3, 3)) | {"vgg19": (2, 2, 4, 4, 4)}  # convolutions per scale
_SEED = 20190616
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


class VGGFeatures(nn.Module):
    """Image ``b 3 h w`` in [0, 1] to a dictionary of feature maps, one per name in ``layers``.

    A layer ``reluI_J`` is the output of the J-th convolution of scale I after its ReLU; each scale halves the side.
    The weights are fixed and are not part of ``parameters()`` or of a state dict.

    Args:
        features: "edge_vgg16" for the VGG-16 of the package, fine-tuned from ImageNet for edges, which needs no
            download (`posekit.nets.edge_vgg`); "vgg16" or "vgg19" with torchvision's ImageNet weights, downloaded at
            first use; "random" for VGG-16 with weights drawn from N(0, 2 / fan-in), the same everywhere.
        layers: which maps to return; nothing deeper is computed.
        width: channels of the first scale; other than 64 for "random" only.

    Raises InputError when the pretrained weights are neither in torch hub's cache nor can be downloaded.
    """

    @torch.inference_mode(False)  # weights made while evaluating could not be saved for a backward pass later
    def __init__(self, features: str = "vgg16", layers: tuple[str, ...] = LAYERS, width: int = 64):
        super().__init__()
        if features not in FEATURES:
            raise InputError(f"features must be one of {', '.join(FEATURES)}, got {features!r}.")
        if features != "random" and width != 64:
            raise InputError(f"Pretrained {features} features are 64 wide; width {width} needs features='random'.")
        self.features, self.layers = features, tuple(layers)
        self.plan = _plan(features, self.layers)
        weights = _random_weights(self.plan, width) if features == "random" else _trained_weights(features)
        for name, (weight, bias) in zip(self.plan, weights, strict=False):  # the pretrained list may be deeper
            self.register_buffer(f"{name}_weight", weight, persistent=False)
            self.register_buffer(f"{name}_bias", bias, persistent=False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> dict[str, Float[Tensor, "b _ _ _"]]:
        x = (image - self.mean) / self.std
        features = {}
        for i, name in enumerate(self.plan):
            if i and name.endswith("_1"):  # the first convolution of a scale
                x = F.max_pool2d(x, 2)
            x = F.relu(F.conv2d(x, getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias"), padding=1))
            if name in self.layers:
                features[name] = x
        return features


class LossFeatures:
    """Feature maps for the losses of a system: built at the first call, and no part of the system or of its state.

    kind: of `VGGFeatures`.  width: channels of the first scale where they are random; pretrained ones are 64 wide.
    """

    def __init__(self, kind: str, width: int = 64):
        self.kind, self.width = kind, width if kind == "random" else 64
        self._nets: dict[tuple[str, ...], VGGFeatures] = {}

    def __call__(
        self, image: Float[Tensor, "b 3 h w"], layers: tuple[str, ...] = LAYERS
    ) -> dict[str, Float[Tensor, "b _ _ _"]]:
        """As `VGGFeatures` with these layers, on the device of ``image``."""
        if layers not in self._nets:
            self._nets[layers] = VGGFeatures(self.kind, layers, self.width)
        return self._nets[layers].to(image.device)(image)

    def __str__(self) -> str:
        """For a card: what the losses were computed with."""
        trained = "ImageNet, then edges" if self.kind == "edge_vgg16" else "ImageNet"
        return f"random weights, width {self.width}" if self.kind == "random" else f"{self.kind}, {trained}"


def _plan(features: str, layers: tuple[str, ...]) -> list[str]:
    """Names of the convolutions up to the deepest wanted layer, in order."""
    names = [f"relu{i + 1}_{j + 1}" for i, depth in enumerate(_DEPTHS[features]) for j in range(depth)]
    unknown = [layer for layer in layers if layer not in names]
    if unknown or not layers:
        raise InputError(f"{features} features have the layers {', '.join(names)}; got {', '.join(unknown) or 'none'}.")
    return names[: max(names.index(layer) for layer in layers) + 1]


def _random_weights(plan: list[str], width: int) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(_SEED)
    weights, channels = [], 3
    for name in plan:
        scale = int(name[4])
        out = width * min(2 ** (scale - 1), 8)
        std = math.sqrt(2 / (9 * channels))  # He et al. 2015: keeps the variance through ReLU layers
        weights.append((torch.randn(out, channels, 3, 3, generator=generator) * std, torch.zeros(out)))
        channels = out
    return weights


def _trained_weights(features: str) -> Sequence[tuple[Tensor, Tensor]]:
    if features == "edge_vgg16":
        return edge_weights()
    models = ensure_torchvision().models
    chosen = {"vgg16": models.VGG16_Weights, "vgg19": models.VGG19_Weights}[features].IMAGENET1K_V1
    try:
        state = chosen.get_state_dict(progress=True, check_hash=True)
    except (urllib.error.URLError, OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"The {features} weights could not be loaded ({error}): choose features='edge_vgg16', which is in "
            f"the package, or download {chosen.url} into {torch.hub.get_dir()}/checkpoints."
        ) from error
    names = [
        name.removesuffix(".weight") for name in state if name.startswith("features.") and name.endswith(".weight")
    ]
    return [(state[f"{name}.weight"], state[f"{name}.bias"]) for name in names]
