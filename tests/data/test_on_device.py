"""Rendered people on the training device: the same pairs and batches, bit for bit."""

import dataclasses

import pytest
import torch

from posekit.data.estimator_noise import EstimatorNoise
from posekit.data.on_device import DevicePairs
from posekit.data.studio import StudioPeople
from posekit.person import Person, collate_pairs
from posekit.systems import build
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.errors import InputError
from tests.synthetic import TINY

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(scope="module", params=["all", "random", "same too", "faces"])
def data(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    how = {"kind": "face"} if request.param == "faces" else {"pairs": request.param}
    return StudioPeople([0, 1, 3], 3, 40, root=root, jobs=1, neighbours=1, progress=False, **how)


def equal(a: Person, b: Person) -> bool:
    for field in dataclasses.fields(Person):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, torch.Tensor):
            assert (one.dtype, one.shape) == (other.dtype, other.shape), field.name
            assert torch.equal(one, other.cpu()), field.name
        else:
            assert one == other, field.name
    return True


@pytest.mark.parametrize("device", DEVICES)
def test_every_pair_and_a_batch_are_the_same(data, device):
    kept = DevicePairs(data, device)
    assert len(kept) == len(data)
    assert kept.describe() == data.describe()
    for i in (0, 1, len(data) - 1, -1):
        assert equal(data[i].source, kept[i].source)
        assert equal(data[i].target, kept[i].target)
    indices = [2, 0, 2, len(data) - 1]
    batch, wanted = kept.device_batch(indices), collate_pairs([data[i] for i in indices])
    assert equal(wanted.source, batch.source)
    assert equal(wanted.target, batch.target)
    assert len(batch.neighbours) == 1
    assert equal(wanted.neighbours[0], batch.neighbours[0])
    with pytest.raises(IndexError):
        kept[len(data)]


def test_training_from_it_is_the_same_to_the_last_bit(data, tmp_path):
    logs, states = [], []
    for device_data in (True, False):
        system = build("coordinate_inpainting", "laptop", **TINY, seed=0, atlas=data[0].source.atlas)
        options = TrainingOptions(
            steps=3, batch_size=2, accumulate=2, device="cpu", device_data=device_data, log_every=1, progress=False
        )
        logs.append([record["losses"] for record in fit(system, data, None, options)])
        states.append(system.state_dict())
    assert logs[0] == logs[1]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_what_cannot_be_kept_there_stays_as_it_is(data, monkeypatch):
    cpu = torch.device("cpu")
    assert isinstance(data.on_device(cpu), DevicePairs)
    monkeypatch.setattr("posekit.data.on_device.MOST_OF_A_PROCESSOR", 1000)
    assert data.on_device(cpu) is data
    monkeypatch.undo()
    noisy = StudioPeople(
        [0, 1, 3], 3, 40, root=data.root, jobs=1, kind=data.card.set, noise=EstimatorNoise(), progress=False
    )
    assert noisy.on_device(cpu) is noisy
    with pytest.raises(InputError, match="with the noise of an estimator"):
        DevicePairs(noisy, cpu)
