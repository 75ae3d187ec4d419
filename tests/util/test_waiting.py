"""Threads that wait sleep, in programs and in kernels, unless the user says otherwise."""

import os
import subprocess
import sys

import pytest

from posekit.sweeps.kernels import kernel_environment

SEEN = "import posekit, os, sys; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"


@pytest.mark.parametrize(("before", "after"), [(None, "passive"), ("active", "active")])
def test_it_is_set_before_torch_is_loaded_and_never_overruled(before, after):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    environment |= {} if before is None else {"OMP_WAIT_POLICY": before}
    done = subprocess.run([sys.executable, "-c", SEEN], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [after, "False"]


def test_kernels_have_it_too(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    with kernel_environment():
        assert os.environ["OMP_WAIT_POLICY"] == "passive"
    assert "OMP_WAIT_POLICY" not in os.environ
