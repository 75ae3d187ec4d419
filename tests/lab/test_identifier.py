"""The small re-identification network: what it learns, from whom, and that it is the library's."""

import pytest
import torch
from posekit_lab.identifier import (
    BACKBONES,
    Identifier,
    _draw,
    _jitter,
    features_of,
    train_identifier,
    verification_loss,
)

from posekit.reid.ranking import Labels, feature_distances, rank_gallery
from posekit.util.errors import InputError
from posekit.util.torchvision import ensure_torchvision


def people(identities, views, seed=0):
    """Pictures 32 x 16 of people who wear two colours, differently lit in every view; and who is on them."""
    generator = torch.Generator().manual_seed(seed)
    colours = torch.rand(identities, 3, 2, generator=generator)
    images = colours.repeat_interleave(16, 2)[:, None, :, :, None].expand(-1, views, -1, -1, 16)
    light = 0.8 + 0.2 * torch.rand(identities, views, 1, 1, 1, generator=generator)
    return (images * light).flatten(0, 1), torch.arange(identities).repeat_interleave(views)


QUICK = {"steps": 40, "batch_size": 16, "lr": 2e-3}


def test_it_finds_people_it_has_never_seen():
    network, history = train_identifier(*people(8, 4), **QUICK)
    assert sum(history[-5:]) < 0.7 * sum(history[:5])
    images, identity = people(10, 4, seed=1)
    camera = torch.arange(4).repeat(10)
    first = camera == 0
    features = features_of(network, images)
    distances = feature_distances(features[first], features[~first])
    query, gallery = Labels(identity[first], camera[first]), Labels(identity[~first], camera[~first])
    assert rank_gallery(distances, query, gallery).mAP > 0.5  # chance: about 0.17


def test_the_seed_decides_everything():
    images, labels = people(4, 2)
    runs = [train_identifier(images, labels, steps=3, batch_size=8, seed=s) for s in (0, 0, 1)]
    assert runs[0][1] == runs[1][1] != runs[2][1]
    torch.manual_seed(1)
    before = torch.rand(1)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    train_identifier(images, labels, steps=1, batch_size=8)
    assert torch.rand(1) == expected != before


def test_a_trained_network_is_trained_on():
    images, labels = people(4, 2)
    begun, history = train_identifier(images, labels, **QUICK)
    before = {name: value.clone() for name, value in begun.named_parameters()}
    tuned, later = train_identifier(images, labels, steps=2, batch_size=16, lr=1e-4, begun=begun)
    assert tuned is begun
    assert later[0] < history[0] / 1.5  # it goes on from where it was
    assert any(not torch.equal(before[name], value) for name, value in tuned.named_parameters())


def test_verification_by_hand():
    """Of each two photographs, place by place: the softmax of a linear layer over the squared differences."""
    network = Identifier(3, verifies=True).eval()
    features, labels = torch.rand(4, network.verify.in_features), torch.tensor([0, 1, 0, 2])
    logits = torch.stack([network.verify((features[i] - features[i + 2]) ** 2) for i in range(2)])
    by_hand = -(logits[0].log_softmax(0)[1] + logits[1].log_softmax(0)[0]) / 2
    torch.testing.assert_close(verification_loss(network, features, labels), by_hand)


def test_every_second_batch_shows_people_twice():
    images, labels = people(5, 3)
    torch.manual_seed(0)
    _, drawn = _draw(images, labels, 12, twins=True)
    assert drawn[:6].tolist() == drawn[6:].tolist()
    assert len(set(drawn.tolist())) > 1
    network, history = train_identifier(images, labels, verification=1.0, **QUICK)
    assert sum(history[-5:]) < 0.8 * sum(history[:5])
    assert network.verify.weight.grad is not None


def test_the_share_of_generated_pictures():
    """Generated pictures are of identity 1 alone: the share decides how much of it the network sees."""
    images, labels = people(2, 2)
    made, made_labels = images[labels == 1], labels[labels == 1]
    only = {"images": images[labels == 0], "labels": labels[labels == 0], "smoothing": 0.0, **QUICK}
    given = {"generated": made, "generated_labels": made_labels}
    with pytest.raises((IndexError, RuntimeError)):  # identity 1 has no photograph, so no place in the last layer
        train_identifier(**only, **given, generated_share=1.0)
    mixed = {"images": images, "labels": torch.zeros_like(labels) + (labels > 5), "smoothing": 0.0, **QUICK}
    mixed["labels"][-1] = 1
    all_made, _ = train_identifier(**mixed, **given, generated_share=1.0)
    none_made, _ = train_identifier(**mixed, **given, generated_share=0.0)
    said = [network(images[:1]).softmax(1)[0, 1].item() for network in (all_made, none_made)]
    assert said[0] > 0.9 > 0.5 > said[1]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_network_is_the_librarys(backbone):
    network = Identifier(10, backbone)
    theirs = getattr(ensure_torchvision().models, backbone)(weights=None, num_classes=10)
    count = lambda m: sum(p.numel() for p in m.parameters())  # noqa: E731
    assert count(network) == count(theirs)
    network.eval()
    images = torch.rand(2, 3, 32, 16)
    assert network(images).shape == (2, 10)
    assert torch.allclose(network(images), network.classify(network.features(images)))


def test_jitter_moves_and_mirrors():
    torch.manual_seed(0)
    image = torch.zeros(1, 3, 20, 20)
    image[..., 8, 5] = 1
    places = {tuple(x[0].nonzero()[0].tolist()) for x in _jitter(image.expand(4000, 3, 20, 20))}
    assert places == {(y, x) for y in range(4, 13) for x in (*range(1, 10), *range(10, 19))}


def test_features_do_not_know_left_from_right():
    network = Identifier(3).eval()
    images = torch.rand(5, 3, 32, 16)
    assert torch.allclose(features_of(network, images, 2), features_of(network, images.flip(-1)), atol=1e-5)


def test_bad_input():
    images, labels = people(2, 2)
    with pytest.raises(InputError, match="4 photographs and 3 labels"):
        train_identifier(images, labels[:3])
    with pytest.raises(InputError, match="Generated pictures need labels"):
        train_identifier(images, labels, generated=images)
    with pytest.raises(InputError, match="did you mean 'resnet18'"):
        Identifier(3, "resnet81")
