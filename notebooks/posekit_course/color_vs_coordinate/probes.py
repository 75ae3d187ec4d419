"""What goes on inside the inpainting network f, measured: gates, receptive field, where texels look, tears, and mends.

A coordinate texture D (b 2 t t) holds a position (x, y) of the source photograph for every texel.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor, nn

from posekit.nets.gated_conv import GatedConv
from posekit.ops.fill import fill_nearest
from posekit.ops.grids import identity_grid, norm_to_index
from posekit.ops.sample import sample
from posekit.ops.surface import MIRROR_PARTS
from posekit.person import Person
from posekit.studio.body.atlas import load_atlas
from posekit.studio.body.surface_tables import mirror_table, part_labels
from posekit.systems.coordinate_inpainting import UNKNOWN

LEFT_ARM, RIGHT_ARM = (15, 17, 19, 21), (16, 18, 20, 22)  # DensePose parts: upper and lower arm, front and back


def f_input(partial: Tensor, known: Tensor) -> Tensor:
    """What f sees: b c t t with -10 in unknown texels, the mask, and the (u, v) of every texel; c + 3 channels."""
    b, _, t, _ = partial.shape
    grid = identity_grid(t, t).expand(b, 2, t, t)
    return torch.cat([torch.where(known > 0, partial, UNKNOWN), known, grid], 1)


# ------------------------------------------------------------------------------------------------------ gates, fields


def gate_openings(net: nn.Module, x: Tensor) -> list[Tensor]:
    """The gates sigma(conv_g) of every gated layer in order, b c h w each, for the input x."""
    openings: list[Tensor] = []
    layers = [module for module in net.modules() if isinstance(module, GatedConv)]
    hooks = [m.gate.register_forward_hook(lambda _m, _i, out: openings.append(torch.sigmoid(out))) for m in layers]
    try:
        with torch.no_grad():
            net(x)
    finally:
        for hook in hooks:
            hook.remove()
    return openings


def receptive_field(net: nn.Module, x: Tensor, place: tuple[int, int]) -> Tensor:
    """h w: how much every input texel moves the output at ``place`` (row, column), |d output / d input| over channels.

    x: 1 c h w.  The net is used in evaluation mode, where BatchNorm does not mix texels.
    """
    x = x.clone().requires_grad_()
    was_training = net.training
    net.eval()
    (gradient,) = torch.autograd.grad(net(x)[..., place[0], place[1]].sum(), x)
    net.train(was_training)
    return gradient.abs().sum((0, 1))


def extent(field: Tensor) -> int:
    """Side of the smallest centred-or-not box of rows and columns that holds everything but zeros (the larger one)."""
    rows, columns = (field.sum(1) > 0).nonzero()[:, 0], (field.sum(0) > 0).nonzero()[:, 0]
    return 1 + max(int(rows[-1] - rows[0]), int(columns[-1] - columns[0]))


def without_dilation(net: nn.Module) -> nn.Module:
    """A copy with the same weights whose convolutions all touch neighbouring texels."""
    net = copy.deepcopy(net)
    for layer in net.modules():
        if isinstance(layer, GatedConv):
            layer.padding = layer.features.kernel_size[0] // 2
            layer.features.dilation = layer.gate.dilation = (1, 1)
    return net


def twin_steps(atlas: int) -> Tensor:
    """For every texel with a twin on the body's other side: how many texels away it is, along the longer axis (n)."""
    table = mirror_table(atlas)
    away = (table - identity_grid(atlas, atlas)).abs().amax(0) * atlas / 2
    return away[away.isfinite()]


# ------------------------------------------------------------------------------------------------- where texels look


def _pixels_of(D: Tensor, size: tuple[int, int]) -> Tensor:
    """The pixel (row * w + column) of a photograph of size (h, w) nearest to each position: b 2 t t -> b t t."""
    h, w = size
    x, y = norm_to_index(D[:, 0], w).round().clamp(0, w - 1), norm_to_index(D[:, 1], h).round().clamp(0, h - 1)
    return (w * y + x).long()


def looked_up(D: Tensor, values: Tensor) -> Tensor:
    """A map (b c h w: labels, a mask) at the pixel nearest to each position of D (b 2 t t): b c t t."""
    index = _pixels_of(D, tuple(values.shape[-2:])).flatten(1)[:, None].expand(-1, values.shape[1], -1)
    return values.flatten(2).gather(2, index).reshape(len(D), values.shape[1], *D.shape[2:])


def texel_parts(atlas: int) -> Tensor:
    """1 1 t t: the DensePose part of every texel, 0 where there is no skin."""
    return torch.from_numpy(part_labels(atlas).astype("int64"))[None, None]


def are_parts(labels: Tensor, parts: Sequence[int]) -> Tensor:
    """1.0 where the label is one of the parts."""
    return torch.isin(labels, torch.tensor(parts)).float()


def twins(parts: Sequence[int]) -> tuple[int, ...]:
    """The parts of the body's other side."""
    return tuple(MIRROR_PARTS[part] for part in parts)


def hide(person: Person, parts: Sequence[int]) -> Person:
    """The photograph (a batch) as if some parts had not been found: no map there."""
    keep = person.mask * (1 - are_parts(person.part, parts))
    return replace(person, mask=keep, uv=person.uv * keep, part=(person.part * keep).long(), chart=None)


# ------------------------------------------------------------------------------------------------------ tears and mends


def jumps(E: Tensor, mask: Tensor) -> Tensor:
    """b 1 h w: how many source pixels lie between what a pixel and its right or lower neighbour look up (the larger).

    E: b 2 h w.  0 where a neighbour is off the mask.  A map without tears gives about 1.
    """
    h, w = E.shape[-2:]
    return _largest_step(E * torch.tensor([w, h])[:, None, None] / 2, mask)


def _largest_step(values: Tensor, mask: Tensor) -> Tensor:
    """b 1 h w: length of the longer step of values (b c h w) to the right or the lower neighbour; 0 off the mask."""
    result = torch.zeros_like(mask)
    for axis in (2, 3):
        n = mask.shape[axis] - 1
        step = (values.narrow(axis, 1, n) - values.narrow(axis, 0, n)).norm(dim=1, keepdim=True)
        both = mask.narrow(axis, 1, n) * mask.narrow(axis, 0, n)
        part = result.narrow(axis, 0, n)
        part.copy_(torch.maximum(part, step * both))
    return result


def seams(uv: Tensor, mask: Tensor, steps: float = 4, near: float = 0.6) -> tuple[Tensor, Tensor]:
    """b 1 h w each: pixels whose neighbour lies across a cut of the atlas, and pixels at a contour of the body.

    Both have a neighbour further away in the atlas than ``steps`` pixels' worth.  Across a cut the two are still the
    same place of the skin: at most ``near`` dm apart on the body at rest.  At a contour one part hides another.
    """
    atlas = load_atlas(512)
    rest = torch.from_numpy(atlas.image(atlas.texels.position).transpose(2, 0, 1).copy())[None]
    places = looked_up(uv, rest.expand(len(uv), 3, -1, -1))
    far = jumps(uv, mask) > steps
    moved = _largest_step(places, mask)
    return (far & (moved <= near)).float(), (moved > near).float()


def lost(D: Tensor, mask: Tensor) -> Tensor:
    """b 1 t t: 1 for the texels of D (b 2 t t) that look off the body, whose mask is b 1 h w."""
    return 1 - looked_up(D, mask)


def kinds(target: Person, known: Tensor) -> dict[str, Tensor]:
    """The body pixels of a target (a batch) by kind, b 1 h w each; known: b 1 t t, the texels that the source shows.

    Every body pixel is of one kind.
    """
    seam, contour = seams(target.uv, target.mask)
    shown = (sample(known, target.uv) > 0.5).float()
    edge = (_largest_step(shown, target.mask) > 0) * (1 - seam) * (1 - contour)
    rest = target.mask * (1 - seam) * (1 - contour) * (1 - edge)
    return {"cut of the atlas": seam, "contour": contour, "edge of what is seen": edge, "elsewhere": rest}


def snap_to_body(D: Tensor, mask: Tensor) -> Tensor:
    """Positions that fall off the body (mask b 1 h w) move to the body pixel nearest to them."""
    h, w = mask.shape[-2:]
    nearest = fill_nearest(identity_grid(h, w).expand(len(mask), 2, h, w), mask)
    return torch.where(looked_up(D, mask) > 0, D, looked_up(D, nearest))


def carry_over(D: Tensor, C: Tensor, known: Tensor, reach: float) -> Tensor:
    """D with its error on the known texels taken out, and that correction carried on beyond their border.

        D' = D + exp(-d / reach) (C - D)(nearest known texel),     d: distance to it in texels

    so D' = C on known texels, and there is no step at the border.  reach 0 pastes C in and changes nothing else.
    """
    correction = fill_nearest(C - D, known)
    away = torch.stack([torch.from_numpy(distance_transform_edt(k[0].numpy() == 0)) for k in known]).to(D)[:, None]
    return D + correction * torch.exp(-away / reach if reach else -1e9 * away)


def redraw(D: Tensor, image: Tensor, uv: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """T, W and E of a coordinate texture: ``image`` read at D, and both read at the map of the target."""
    T = sample(image, D, padding="border")
    return T, sample(T, uv, padding="border") * mask, sample(D, uv, padding="border") * mask
