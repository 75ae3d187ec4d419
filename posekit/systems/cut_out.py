"""What of a photograph is cut out: the whole person, or what stays theirs when they change clothes.

Source: Coordinate-based Texture Inpainting, section 4.1, garment transfer: "masked target image (with revealed face and
hair)", the face from DensePose coordinates; hands belong to it too, or their skin would be that of the clothes' owner.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from posekit.person import Person
from posekit.util.errors import InputError

_KEPT_PARTS = (3, 4, 23, 24)  # DensePose's hands and halves of the head


def silhouette(person: Person) -> Float[Tensor, "b 1 h w"]:
    """Where the person is: the body that the map covers, and hair, eyes and teeth, which it does not cover."""
    shown = person.mask
    for more in (person.head, person.hair):
        shown = shown if more is None else torch.maximum(shown, more)
    return shown


def laid_on_white(person: Person) -> Float[Tensor, "b 3 h w"]:
    """The person cut out and laid on white."""
    shown = silhouette(person)
    return person.image * shown + (1 - shown)


def kept_of(person: Person) -> Float[Tensor, "b 1 h w"]:
    """Mask of N': head, hair and hands; of a photograph without these masks, the parts of its map that they are.

    Raises InputError where neither is known.
    """
    if person.head is not None and person.hands is not None:
        shown = torch.maximum(person.head, person.hands)
        return shown if person.hair is None else torch.maximum(shown, person.hair)
    if person.part is None:
        raise InputError(
            "Garment transfer keeps head and hands of the target: give masks of them, or a map with parts."
        )
    return torch.isin(person.part, torch.tensor(_KEPT_PARTS, device=person.part.device)).to(person.image)
