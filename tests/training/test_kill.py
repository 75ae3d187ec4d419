"""SIGKILL at several moments: what is on the disk can be read, and the run goes on bit for bit."""

import json
import shutil
import signal
import subprocess
import sys

import pytest
import torch

from posekit.training import checkpoint
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.util.tensors import read_tensors
from tests.training.killed import DATA, MOMENTS, OPTIONS, tiny
from tests.training.test_fit import ROOT, one_thread, same_state  # noqa: F401

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The uninterrupted run: its system, and its losses."""
    torch.set_num_threads(1)
    system = tiny()
    return system, losses(fit(system, DATA, tmp_path_factory.mktemp("whole"), TrainingOptions(**OPTIONS)))


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folders of the runs that were killed, by moment."""
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.killed", folder], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def losses(log):
    return [(record["total_step"], record["losses"]) for record in log]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_it_goes_on_bit_for_bit(moment, killed, whole, tmp_path):
    system, log = whole
    folder = shutil.copytree(killed / moment, tmp_path / "run")
    found = checkpoint.read_latest(folder / "checkpoints")
    assert (found[0]["total_step"] if found else None) == MOMENTS[moment][-1]
    resumed = tiny(seed=0 if found is None else 1)  # other initial weights: all comes from the checkpoint
    assert losses(fit(resumed, DATA, folder, TrainingOptions(**OPTIONS))) == log
    assert same_state(system, resumed)
    written = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()][1:]
    assert losses(written) == log
    shipped, parts = read_tensors(folder / "weights.safetensors")[0], system.state_dict()
    assert all(torch.equal(parts[name], tensor) for name, tensor in shipped.items())
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["step-00000006", "step-00000008"]


@pytest.mark.parametrize("damaged", ["model.safetensors", "card.json"])
def test_a_corrupt_newest_checkpoint_is_skipped_with_a_word(damaged, killed, whole, tmp_path):
    """From the one before, bit for bit too, over the end of a stage."""
    system, log = whole
    folder = shutil.copytree(killed / "critic updated, generator not", tmp_path / "run")
    newest = max((folder / "checkpoints").glob("step-*"))
    content = bytearray((newest / damaged).read_bytes())
    content[len(content) // 2] ^= 255
    (newest / damaged).write_bytes(content)
    resumed = tiny(seed=1)
    with pytest.warns(UserWarning, match=f"Skipped: .*{newest.name}"):
        assert losses(fit(resumed, DATA, folder, TrainingOptions(**OPTIONS))) == log
    assert same_state(system, resumed)
