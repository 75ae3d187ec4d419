"""What can the published loss weights of coordinate-based inpainting mean?  Sizes of the terms, read as sums or means.

    python benchmarks/loss_scales.py [--people 3] [--size 256] [--features random]

The supplementary (section 1.1.4) sums distances in its nearest-neighbour term, writes norms in its content and style
terms, and weighs them 0.5, 0.1 and 1e5 beside an adversarial term of weight 1 that is at most 1.  The table shows
every term times its weight, for imperfect pictures of studio people: the truth blurred, moved by one pixel, or seen
from another side, and grey.  "random" features are `VGGFeatures("random")`, whose activations have about unit size.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from posekit.losses.content import content_loss
from posekit.losses.nearest_neighbour import nearest_neighbour_loss
from posekit.losses.style import style_loss
from posekit.nets.vgg import FEATURES, VGGFeatures
from posekit.studio.generate import make_person
from posekit.systems.coordinate_settings import TABLE_5

Features = dict[str, Tensor]


def nearest(mean: bool) -> Callable[[Features, Features], Tensor]:
    return lambda a, b: nearest_neighbour_loss(a["relu1_2"], b["relu1_2"], 3, mean=mean)


TERMS = {  # loss, sum or norm as printed, mean
    "nearest_neighbour": (nearest(False), nearest(True)),
    "content": (content_loss, lambda a, b: content_loss(a, b, mean=True)),
    "style": (style_loss, lambda a, b: style_loss(a, b, mean=True)),
}


def blurred(image: Tensor, factor: int) -> Tensor:
    small = interpolate(image, scale_factor=1 / factor, mode="area")
    return interpolate(small, size=image.shape[-2:], mode="bilinear")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--features", choices=FEATURES, default="random")
    args = parser.parse_args()
    views = [[make_person(0, person, view, args.size).image for view in (0, 1)] for person in range(args.people)]
    other, truth = (torch.stack(images) for images in zip(*views, strict=True))
    pictures = {
        "blurred 2 x": blurred(truth, 2),
        "blurred 8 x": blurred(truth, 8),
        "moved 1 pixel": truth.roll(1, 3),
        "another view": other,
        "grey": torch.full_like(truth, 0.5),
    }
    vgg = VGGFeatures(args.features)
    with torch.no_grad():
        theirs = vgg(truth)
        print(f"weight times loss, {args.people} people, {args.size} pixels, {args.features} features")
        print(f"{'':26}" + "".join(f"{name:>15}" for name in pictures))
        rows: dict[str, list[float]] = {f"{name}, {how}": [] for how in ("as printed", "mean") for name in TERMS}
        for picture in pictures.values():
            ours = vgg(picture)
            for name, losses in TERMS.items():
                for how, loss in zip(("as printed", "mean"), losses, strict=True):
                    rows[f"{name}, {how}"].append(TABLE_5[name] * loss(ours, theirs).item())
    for label, values in rows.items():
        print(f"{label:30}" + "".join(f"{value:15.3g}" for value in values)[4:])


if __name__ == "__main__":
    main()
