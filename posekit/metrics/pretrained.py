"""Metrics that look through a pretrained network: LPIPS, Inception score, detection score.

Each network is found in torch hub's folder and *never fetched*: a demonstration must not wait for hundreds of
megabytes or for a closed network.  Where one is missing its metric is None, and `problem` says in one line what to
do; another network is never put in its place.
"""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posekit.metrics.image import Images, check_images
from posekit.util.errors import InputError
from posekit.util.torchvision import ensure_torchvision

PERSON = 1  # the class of people among COCO's
INCEPTION_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
)
PROTOCOL = {
    "lpips": "package lpips 0.1, AlexNet, images scaled to [-1, 1]",
    "lpips_vgg": "package lpips 0.1, VGG-16, images scaled to [-1, 1]",
    "inception_score": "torchmetrics with torch-fidelity's Inception v3 of 2015, images resized to 299, one split",
    "detection_score": "torchvision's SSD300 VGG-16 trained on COCO, highest score of the class person in an image",
}


def lpips(image: Images, truth: Images, backbone: str = "alex") -> Float[Tensor, " b"] | None:
    """Learned perceptual distance (Zhang et al. 2018), 0 for equal images; ``backbone``: "alex" or "vgg"."""
    check_images(image, truth)
    model = _model(_lpips_name(backbone))
    if model is None:
        return None
    with torch.no_grad():
        return model.to(image.device)(image, truth, normalize=True).reshape(-1)


def detection_score(image: Images) -> Float[Tensor, " b"] | None:
    """How sure a detector is that there is a person (Siarohin et al. 2018), in [0, 1].

    The published numbers come from another SSD (Caffe, PASCAL VOC): they are not comparable with these.
    """
    model = _model("detection_score")
    if model is None:
        return None
    with torch.no_grad():
        detections = model.to(image.device)(list(image))
    scores = [one["scores"][one["labels"] == PERSON] for one in detections]
    return torch.stack([s.max() if len(s) else s.new_zeros(()) for s in scores])


def inception_features(image: Images) -> Float[Tensor, "b k"] | None:
    """Class scores of Inception v3 (2015), before its softmax; `inception_score` makes one number of all images'."""
    model = _model("inception_score")
    if model is None:
        return None
    with torch.no_grad():
        return model.to(image.device)((image * 255).round().byte())


def inception_score(features: Float[Tensor, "n k"]) -> float:
    """exp of the mean over images of KL(p(y | image) || p(y)) (Salimans et al. 2016), from 1 to the number of classes.

    Of few images it is far too low: compare numbers of equal counts only.
    """
    ensure_torchvision()
    from torchmetrics.image.inception import InceptionScore

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that all features are kept in memory; and the deviation of one split is NaN
        metric = InceptionScore(feature=nn.Identity(), splits=1)
        metric.update(features)
        return float(metric.compute()[0])


def problem(metric: str) -> str | None:
    """Why a metric of `PROTOCOL` cannot be computed here and how to mend it; None when it can."""
    if metric not in PROTOCOL:
        raise InputError(f"Pretrained metrics are {', '.join(PROTOCOL)}; got {metric!r}.")
    return _load(metric)[1]


@dataclass(frozen=True)
class _Backbone:
    """url: of its file, whose name ends in -HASH.pth.  build: the metric's network from the checked file."""

    title: str
    url: str
    build: Callable[[Path], nn.Module]
    package: str | None = None  # that has to be installed

    @property
    def file(self) -> Path:
        return Path(torch.hub.get_dir()) / "checkpoints" / self.url.rsplit("/", 1)[-1]


def _backbones() -> dict[str, _Backbone]:
    models = ensure_torchvision().models
    return {
        "lpips": _Backbone("LPIPS", models.AlexNet_Weights.IMAGENET1K_V1.url, lambda _: _lpips_model("alex")),
        "lpips_vgg": _Backbone("LPIPS (VGG)", models.VGG16_Weights.IMAGENET1K_V1.url, lambda _: _lpips_model("vgg")),
        "inception_score": _Backbone("The Inception score", INCEPTION_URL, _inception_model, "torch-fidelity"),
        "detection_score": _Backbone(
            "The detection score", models.detection.SSD300_VGG16_Weights.COCO_V1.url, _detection_model
        ),
    }


@lru_cache(maxsize=4)
def _load(metric: str) -> tuple[nn.Module | None, str | None]:
    """The network of a metric, or why there is none."""
    backbone = _backbones()[metric]
    if backbone.package and find_spec(backbone.package.replace("-", "_")) is None:
        return None, f"{backbone.title} is missing: run `pip install {backbone.package}`, and see what it needs then."
    where = _at_home(backbone.file)
    if not backbone.file.is_file():
        return None, f"{backbone.title} is missing: its backbone is not here; download {backbone.url} to {where}."
    if not _intact(backbone.file):
        return None, f"{backbone.title} is missing: {where} is damaged; download {backbone.url} again."
    try:
        return backbone.build(backbone.file).requires_grad_(False).eval(), None
    except (NotImplementedError, RuntimeError) as error:
        return None, f"{backbone.title} is missing: its network does not run here ({' '.join(str(error).split())})."


def _model(metric: str) -> Any:
    return _load(metric)[0]


def _intact(file: Path) -> bool:
    """Whether the file begins with the hash that its name ends with, as torch hub's files do."""
    return hashlib.sha256(file.read_bytes()).hexdigest().startswith(file.stem.rsplit("-", 1)[-1])


def _lpips_name(backbone: str) -> str:
    names = {"alex": "lpips", "vgg": "lpips_vgg"}
    if backbone not in names:
        raise InputError(f"LPIPS has the backbones {', '.join(names)} here, got {backbone!r}.")
    return names[backbone]


def _lpips_model(backbone: str) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lpips calls torchvision with arguments of its older releases
        import lpips as package

        return package.LPIPS(net=backbone, verbose=False)


def _inception_model(file: Path) -> nn.Module:
    from torchmetrics.image.fid import NoTrainInceptionV3

    return NoTrainInceptionV3("inception-v3-compat", ["logits_unbiased"], str(file))


def _detection_model(file: Path) -> nn.Module:
    detection = ensure_torchvision().models.detection
    model = detection.ssd300_vgg16(weights=None, weights_backbone=None)
    model.load_state_dict(torch.load(file, weights_only=True))
    model.eval()([torch.zeros(3, 300, 300)])  # where torchvision's compiled operators are missing, it fails here
    return model


def _at_home(path: Path) -> str:
    """A path as its owner writes it, so that stored results name nobody's home folder."""
    return f"~/{path.relative_to(Path.home()).as_posix()}" if path.is_relative_to(Path.home()) else str(path)
