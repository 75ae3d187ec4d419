"""A small network for person re-identification: an identity classifier whose features are compared at test time.

The "ID-discriminative embedding" of Zheng et al. (arXiv:1610.02984): a classification network of a library is trained
with cross-entropy over the identities of the training set; at test time its last layer is dropped, and photographs of
people that it has never seen are compared by the distance of the features below it.

With ``verification`` it is the "discriminative embedding" of Zheng et al. (arXiv:1611.05666): the network also says of
two photographs whether they show one person, from the squares of the differences of their features.
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from posekit.systems.base import choose
from posekit.util.errors import InputError
from posekit.util.torchvision import ensure_torchvision

BACKBONES = ("resnet18", "shufflenet_v2_x0_5")  # of torchvision, both end in a linear layer called fc
PAD = 4  # pixels by which a training picture is shifted at most


class Identifier(nn.Module):
    """torchvision's network with random weights, and a linear layer over the identities.

    backbone: one of `BACKBONES`.  identities: number of them.  verifies: with a layer that compares two photographs.
    """

    def __init__(self, identities: int, backbone: str = "shufflenet_v2_x0_5", *, verifies: bool = False):
        super().__init__()
        models = ensure_torchvision().models
        self.net = getattr(models, choose("backbone", backbone, BACKBONES))(weights=None)
        self.classify = nn.Linear(self.net.fc.in_features, identities)
        self.verify = nn.Linear(self.net.fc.in_features, 2) if verifies else None
        self.net.fc = nn.Identity()

    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """What photographs (RGB in [0, 1]) are compared by."""
        return self.net(2 * images - 1)

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b identities"]:
        """Logits of the identities of the training set."""
        return self.classify(self.features(images))


def train_identifier(
    images: Float[Tensor, "n 3 h w"],
    labels: Integer[Tensor, " n"],
    *,
    generated: Float[Tensor, "m 3 h w"] | None = None,
    generated_labels: Integer[Tensor, " m"] | None = None,
    generated_share: float = 0.5,
    backbone: str = "shufflenet_v2_x0_5",
    steps: int = 400,
    batch_size: int = 32,
    lr: float = 1e-3,
    smoothing: float = 0.1,
    verification: float = 0.0,
    seed: int = 0,
    begun: Identifier | None = None,
    progress: bool = False,
) -> tuple[Identifier, list[float]]:
    """Train on photographs of identities 0 ... k - 1; the network in evaluation mode, and the loss of every step.

    - begun: a trained network of these identities, which is trained on (and changed); a new one if not given.
    - generated: pictures made by `posekit.reid.augment`, with the labels of the photographs they came from; each
      place in a batch is filled from them with probability ``generated_share``.
    - Every picture is mirrored with probability 1/2 and shifted by up to 4 pixels, generated or not.
    - lr: of Adam, falling to 0 along half a cosine.  smoothing: of the labels.
    - verification: weight of the question whether two photographs show one person; every second batch is drawn so that
      its halves do, place by place.  0: it is not asked.

    The number of steps and the size of the batches decide the cost; generated pictures do not add to it.
    """
    if len(images) != len(labels) or len(images) == 0:
        raise InputError(f"Each photograph needs one label; got {len(images)} photographs and {len(labels)} labels.")
    if (generated is None) != (generated_labels is None) or not 0 <= generated_share <= 1:
        raise InputError(f"Generated pictures need labels and a share from 0 to 1, got the share {generated_share}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = (
            Identifier(int(labels.max()) + 1, backbone, verifies=verification > 0) if begun is None else begun
        ).train()
        optimizer = torch.optim.Adam(network.parameters(), lr)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        history = []
        for step in tqdm(range(steps), desc="identify", disable=not progress):
            batch, wanted = _draw(images, labels, batch_size, twins=verification > 0 and step % 2 == 1)
            if generated is not None:
                other, other_wanted = _draw(generated, generated_labels, batch_size)
                take = torch.rand(batch_size) < generated_share
                batch = torch.where(take[:, None, None, None], other, batch)
                wanted = torch.where(take, other_wanted, wanted)
            features = network.features(_jitter(batch))
            loss = F.cross_entropy(network.classify(features), wanted, label_smoothing=smoothing)
            if verification:
                loss = loss + verification * verification_loss(network, features, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            history.append(loss.item())
    return network.eval(), history


@torch.no_grad()
def features_of(network: Identifier, images: Float[Tensor, "n 3 h w"], batch_size: int = 64) -> Float[Tensor, "n d"]:
    """Features of photographs, the mean of those of each and of its mirror image."""
    network.eval()
    return torch.cat([(network.features(x) + network.features(x.flip(-1))) / 2 for x in images.split(batch_size)])


def verification_loss(
    network: Identifier, features: Float[Tensor, "b d"], labels: Integer[Tensor, " b"]
) -> Float[Tensor, ""]:
    """Cross-entropy of "one person" against "two", for the first half of a batch beside the second (section 3.3)."""
    half = len(features) // 2
    apart = (features[:half] - features[half : 2 * half]).square()
    same = (labels[:half] == labels[half : 2 * half]).long()
    return F.cross_entropy(network.verify(apart), same)


def _draw(images: Tensor, labels: Tensor, count: int, *, twins: bool = False) -> tuple[Tensor, Tensor]:
    """Random pictures; twins: the second half shows the people of the first, in their order."""
    index = torch.randint(len(images), (count,))
    if twins:
        half = count // 2
        same = (labels[index[:half], None] == labels[None]).float()  # every picture of the person alike
        index[half : 2 * half] = torch.multinomial(same, 1)[:, 0]
    return images[index], labels[index]


def _jitter(images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """Mirror every other picture, shift each by up to `PAD` pixels; the border continues."""
    h, w = images.shape[-2:]
    images = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images.flip(-1), images)
    wide = F.pad(images, (PAD,) * 4, mode="replicate")
    corners = torch.randint(0, 2 * PAD + 1, (len(images), 2)).tolist()
    return torch.stack([x[:, top : top + h, left : left + w] for x, (top, left) in zip(wide, corners, strict=True)])
