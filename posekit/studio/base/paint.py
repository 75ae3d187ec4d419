"""Paint: the colour, shine and relief of a surface while it is being made, before it becomes a texture."""

import numpy as np

from posekit.studio.base.layers import Texture
from posekit.studio.base.palette import to_linear


class Paint:
    """Fields over a list or a picture of texels, changed in place by the strokes below.

    color: (..., 3) float32, sRGB.  specular: (...) float32, strength of the highlight.  bump: (...) float32, dm.
    """

    def __init__(self, color: np.ndarray, specular: float | np.ndarray = 0.0, bump: np.ndarray | float = 0.0) -> None:
        shape = color.shape[:-1]
        self.color = np.array(color, dtype=np.float32)
        self.specular = np.broadcast_to(np.float32(specular), shape).copy()
        self.bump = np.broadcast_to(np.float32(bump), shape).copy()

    def cover(self, amount: np.ndarray, color: np.ndarray | tuple) -> None:
        """Lay ``color`` over the surface with opacity ``amount`` (...) in [0, 1]."""
        amount = np.asarray(amount, np.float32)[..., None]
        self.color += amount * (np.asarray(color, np.float32) - self.color)

    def darken(self, amount: np.ndarray, strength: float) -> None:
        """Multiply the colour by 1 - ``strength`` * ``amount``; a negative strength brightens."""
        self.color *= (1 - np.float32(strength) * np.asarray(amount, np.float32))[..., None]

    def stain(self, amount: np.ndarray, loss: tuple[float, float, float]) -> None:
        """Take the share ``loss`` of red, green and blue away, ``amount`` (...) of it."""
        self.color *= 1 - np.asarray(amount, np.float32)[..., None] * np.asarray(loss, np.float32)

    def raise_by(self, height: np.ndarray) -> None:
        """Add ``height`` (...) dm to the relief."""
        self.bump += np.asarray(height, np.float32)

    def texture(self, kind: str, gloss: float, spread=None, wrap: bool = False) -> Texture:
        """The finished texture; ``spread`` turns lists of texels into pictures (`Atlas.image`)."""
        spread = spread or (lambda values: values)
        return Texture(
            color=spread(to_linear(self.color)),
            specular=spread(self.specular),
            bump=spread(self.bump),
            gloss=float(gloss),
            kind=kind,
            wrap=wrap,
        )
