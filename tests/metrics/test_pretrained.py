"""Metrics through pretrained networks: missing ones are said, never replaced, never fetched."""

import hashlib
import math

import pytest
import torch

from posekit.metrics import pretrained
from posekit.util.errors import InputError


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """An empty torch hub folder, and no memory of networks."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    pretrained._load.cache_clear()
    yield tmp_path / "checkpoints"
    pretrained._load.cache_clear()


@pytest.fixture
def images():
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("metric", ["lpips", "lpips_vgg", "detection_score"])
def test_a_missing_network_is_none_with_a_remedy(metric, hub, images):
    compute = {
        "lpips": lambda: pretrained.lpips(images, images),
        "lpips_vgg": lambda: pretrained.lpips(images, images, "vgg"),
        "detection_score": lambda: pretrained.detection_score(images),
    }[metric]
    assert compute() is None
    assert "download https" in pretrained.problem(metric)
    assert str(hub) in pretrained.problem(metric)
    assert not list(hub.iterdir())  # nothing was fetched


def test_a_missing_package_is_said(hub, images, monkeypatch):
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)
    assert pretrained.inception_features(images) is None
    assert "pip install torch-fidelity" in pretrained.problem("inception_score")


def test_a_missing_inception_network_is_said(hub, images, monkeypatch):
    monkeypatch.setattr(pretrained, "find_spec", lambda name: object())
    assert pretrained.inception_features(images) is None
    assert "weights-inception-2015-12-05" in pretrained.problem("inception_score")


def test_a_damaged_file_is_said(hub):
    (hub / "alexnet-owt-7be5be79.pth").write_bytes(b"half a file")
    assert "damaged" in pretrained.problem("lpips")


def test_a_file_is_intact_when_it_has_the_hash_of_its_name(tmp_path):
    good = tmp_path / f"net-{hashlib.sha256(b'weights').hexdigest()[:8]}.pth"
    good.write_bytes(b"weights")
    assert pretrained._intact(good)
    good.write_bytes(b"weight")
    assert not pretrained._intact(good)


def test_lpips_runs_the_package_when_its_network_is_there(monkeypatch, hub, images):
    """With a stand-in network in torch hub's layout, so the number itself means nothing here."""
    models = pretrained.ensure_torchvision().models
    torch.manual_seed(0)
    model = models.alexnet(weights=None)
    (hub / "alexnet-owt-7be5be79.pth").touch()
    monkeypatch.setattr(pretrained, "_intact", lambda file: True)
    monkeypatch.setattr(models.AlexNet_Weights, "get_state_dict", lambda self, *args, **kwargs: model.state_dict())
    assert pretrained.problem("lpips") is None
    value = pretrained.lpips(images, images.flip(0))
    assert value.shape == (3,)
    assert value[0] > 0
    assert pretrained.lpips(images, images).abs().max() == 0


def test_inception_score_is_the_written_one():
    features = torch.randn(20, 6, generator=torch.Generator().manual_seed(0))
    p = features.double().softmax(1)
    divergence = [sum(float(q * math.log(q / m)) for q, m in zip(row, p.mean(0), strict=True)) for row in p]
    assert pretrained.inception_score(features) == pytest.approx(math.exp(sum(divergence) / 20), rel=1e-5)
    assert pretrained.inception_score(torch.zeros(5, 6)) == pytest.approx(1)  # the classifier has no opinion
    assert pretrained.inception_score(100 * torch.eye(6)) == pytest.approx(6, rel=1e-4)  # sure, and every class


def test_the_detection_score_is_the_best_person(monkeypatch, images):
    class Detector(torch.nn.Module):
        def forward(self, pictures):
            answers = [([0.9, 0.4, 0.6], [3, 1, 1]), ([0.8], [2]), ([], [])]
            return [{"scores": torch.tensor(s), "labels": torch.tensor(c)} for s, c in answers]

    monkeypatch.setattr(pretrained, "_load", lambda name: (Detector(), None))
    assert pretrained.detection_score(images).tolist() == pytest.approx([0.6, 0, 0])


def test_bad_input(unchecked, images):
    with pytest.raises(InputError, match="backbones alex, vgg here, got 'resnet'"):
        pretrained.lpips(images, images, "resnet")
    with pytest.raises(InputError, match="of one shape, got"):
        pretrained.lpips(images, images[..., 1:])
    with pytest.raises(InputError, match="Pretrained metrics are lpips"):
        pretrained.problem("fid")
