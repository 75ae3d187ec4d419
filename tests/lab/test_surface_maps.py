"""The command that measures maps read from joints."""

import json

import numpy as np
import pytest
import torch
from posekit_lab import surface_maps

from posekit.data.studio import StudioPeople
from posekit.metrics.surface_map import MapErrors
from posekit.systems import build
from posekit.training.weights import save_weights
from tests.synthetic import TINY


@pytest.mark.usefixtures("people_cache")
def test_it_measures_and_keeps(tmp_path, capsys):
    torch.manual_seed(0)
    system = build("coordinate_inpainting", variant="keypoints", **TINY)
    weights = save_weights(system, tmp_path / "tiny.safetensors", half=False)
    table = surface_maps.main(
        ["--weights", str(weights), "--people", "20", "--views", "2", "--out", f"{tmp_path}/a.json"]
    )
    assert set(table) == set(surface_maps.SHOWN)
    kept = json.loads((tmp_path / "a.json").read_text())
    assert kept["shown"] == table
    assert (kept["photographs"], kept["people"]) == (4, 2)
    assert "part_accuracy" in capsys.readouterr().out
    people = StudioPeople(20, 2, 40, 0, split="test", progress=False)
    exact = surface_maps.map_errors_of(system.eval(), people, False, None)
    assert surface_maps.summary(exact) == table["joints"]
    assert table["joints"] != table["joints and silhouette"]


class Knows:
    """Reads the map that a rendered person has anyway."""

    def read_pose(self, person, outline):
        return person


@pytest.mark.usefixtures("people_cache")
def test_who_knows_the_map_has_no_error():
    people = StudioPeople(20, 2, 40, 0, split="test", progress=False)
    table = surface_maps.summary(surface_maps.map_errors_of(Knows(), people, False, None))
    assert [table[name]["mean"] for name in MapErrors._fields] == [1, 1, 0, 0]


def test_summary_against_numpy():
    generator = torch.Generator().manual_seed(0)
    errors = [MapErrors(*torch.rand(4, 3, generator=generator)) for _ in range(5)]
    table = surface_maps.summary(errors)
    for k, name in enumerate(MapErrors._fields):
        values = np.stack([e[k].numpy() for e in errors])
        assert table[name]["mean"] == pytest.approx(values.mean(), rel=1e-6)
        means = values.mean(1)
        assert means.min() < table[name]["low"] < table[name]["mean"] < table[name]["high"] < means.max()
