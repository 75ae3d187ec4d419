"""The plan of a training and its estimated time."""

import pytest
import torch

from posekit.systems import build
from posekit.training import dry_run as module
from posekit.training.dry_run import as_table, dry_run, duration
from posekit.training.options import TrainingOptions
from tests.synthetic import TINY, SyntheticPairs


def test_nothing_is_trained_and_the_time_is_that_of_the_measured_steps(monkeypatch):
    system = build("coordinate_inpainting", **TINY)
    before = {name: tensor.clone() for name, tensor in system.state_dict().items()}
    real, asked = module.fit, []

    def fit(copy, data, out, options):
        asked.append((out, options.steps, options.device))
        log = real(copy, data, out, options)
        for i, record in enumerate(log):
            record["seconds"] = 100.0 if record["step"] == 1 else 2.0 + i  # the first step compiles and caches
        return log

    monkeypatch.setattr(module, "fit", fit)
    f, g = dry_run(system, SyntheticPairs(3, 40), TrainingOptions(steps=1000, device="cpu"))
    assert asked == [(None, module.MEASURED, "cpu")]
    assert (f.stage.name, f.seconds, f.total) == ("inpainting", 4.0, 4000.0)
    assert (g.stage.name, g.seconds, g.total) == ("refinement", 8.0, 8000.0)
    assert all(torch.equal(before[name], tensor) for name, tensor in system.state_dict().items())
    table = as_table([f, g])
    assert "1,000 steps of 2 pairs" in table
    assert "in all 3.3 h" in table


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (90, "1.5 min"), (7200, "2.0 h"), (129600, "1.5 d")])
def test_durations(seconds, text):
    assert duration(seconds) == text
