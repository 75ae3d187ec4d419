"""A photograph that is easy to judge: a red box of a person before a blue wall."""

import torch

from posekit.photo.find_person import FoundPerson


def standing(top=40, bottom=160, left=80, right=120, h=200, w=300):
    """A red box of a person on blue, with a joint in each corner."""
    image = torch.zeros(3, h, w)
    image[2] = 1
    silhouette = torch.zeros(1, h, w)
    silhouette[:, top:bottom, left:right] = 1
    image[:, silhouette[0] > 0] = torch.tensor([1.0, 0, 0])[:, None]
    keypoints, visibility = torch.zeros(18, 2), torch.zeros(18, dtype=torch.long)
    for joint, (x, y) in enumerate(((left, top), (right - 1, top), (left, bottom - 1), (right - 1, bottom - 1))):
        keypoints[joint] = torch.tensor([(2 * x + 1) / w - 1, (2 * y + 1) / h - 1])
        visibility[joint] = 2
    return image, FoundPerson(keypoints, visibility, silhouette, 1.0, 1)
