"""torchvision can be imported beside any torch, and is left alone where it works."""

import subprocess
import sys

import pytest

from posekit.util import torchvision as _torchvision


def test_imports_in_a_fresh_process():
    code = (
        "from posekit.util.torchvision import ensure_torchvision; ensure_torchvision();"
        "import torchvision, lpips, torchmetrics.image; torchvision.models.vgg16"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)


def test_does_nothing_where_torchvision_works(monkeypatch):
    _torchvision.ensure_torchvision()  # now it works, whatever the machine

    def never():
        raise AssertionError("declared operators that exist")

    monkeypatch.setattr(_torchvision, "_declare_operators", never)
    assert _torchvision.ensure_torchvision().models.vgg16


def test_other_failures_are_not_hidden(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ImportError):
        _torchvision.ensure_torchvision()
