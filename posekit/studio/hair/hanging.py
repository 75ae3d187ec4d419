"""What all hanging hair shares: heights on the head, the bones it follows, the look of its strands."""

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from posekit.studio.base.ramps import smoothstep
from posekit.studio.body.wearer import Wearer

EYE_HEIGHT = 8.914  # of the mean body, dm
GLOSS = 24.0  # exponent of the highlight on strands


class HeadFrame:
    """Where the mean head's heights lie on this person's head.  depth: z of the vertical axis through the skull."""

    def __init__(self, wearer: Wearer) -> None:
        eyes = wearer.eyes
        mean_top = wearer.atlas.vertices.y.max()
        tail = wearer.tails[wearer.body.bone_index["head"]][1]
        self.scale = float(tail - wearer.joint("neck_01")[1]) / float(mean_top - 7.43)
        self.eye, self.depth = float(eyes[:, 1].mean()), float(eyes[:, 2].mean()) - 0.88

    def height(self, mean_height):
        """Height on this person, dm."""
        return self.eye + (mean_height - EYE_HEIGHT) * self.scale

    def mean_height(self, height):
        """Inverse of `height`."""
        return EYE_HEIGHT + (height - self.eye) / self.scale


def hanging_weights(wearer: Wearer, head: HeadFrame, height: np.ndarray) -> np.ndarray:
    """Hair follows the head, further down the neck, and on the back the upper spine; (n, bones) float32."""
    weights = np.zeros((len(height), len(wearer.body.bones)), np.float32)
    bone = wearer.body.bone_index
    on_head = smoothstep(height, head.height(6.6), head.height(8.2))
    on_neck = (1 - on_head) * smoothstep(height, head.height(5.8), head.height(7.4))
    weights[:, bone["head"]], weights[:, bone["neck_01"]] = on_head, on_neck
    weights[:, bone["spine_03"]] = 1 - on_head - on_neck
    return weights


def lengthwise_strands(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Brightness of strands running down a texture, about 0.5 in the mean, locks and single hairs together."""
    hairs = gaussian_filter(rng.random((8, columns)), (0, 0.7), mode="wrap") - 0.5
    locks = gaussian_filter(rng.random((8, columns)), (0, 4), mode="wrap") - 0.5
    return zoom(0.5 + 1.6 * hairs + 4 * locks, (rows / 8, 1), order=1).astype(np.float32)
