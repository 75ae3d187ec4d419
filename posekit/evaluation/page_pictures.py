"""Pictures inside a page, and their fingerprints."""

import base64
import hashlib
import io

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor


def png_address(image: Float[Tensor, "3 h w"]) -> str:
    """A picture in [0, 1] as the address of its own bytes: an 8-bit PNG inside a ``data:`` address."""
    file = io.BytesIO()
    Image.fromarray(_pixels(image)).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def picture_hash(image: Float[Tensor, "3 h w"]) -> str:
    """16 hexadecimal digits of its size and 8-bit colours, whatever file they came from."""
    pixels = _pixels(image)
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()[:16]


def _pixels(image: Tensor) -> np.ndarray:
    return np.ascontiguousarray((image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy())
