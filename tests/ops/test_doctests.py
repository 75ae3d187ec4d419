"""The worked examples in the docstrings of the operations are true."""

import doctest
import importlib
import pkgutil

import pytest
import torch

import posekit.data.iuv
import posekit.data.names
import posekit.data.result_names
import posekit.evaluation.study_answers
import posekit.ops

OPERATIONS = [n for _, n, _ in pkgutil.iter_modules(posekit.ops.__path__) if not n.endswith("_kernel")]
OTHERS = ["posekit.data.iuv", "posekit.data.names", "posekit.data.result_names", "posekit.evaluation.study_answers"]


@pytest.mark.parametrize("name", [*(f"posekit.ops.{n}" for n in OPERATIONS), *OTHERS])
def test_examples(name):
    ran = doctest.testmod(importlib.import_module(name), extraglobs={"torch": torch})
    assert ran.attempted > 0, f"{name} shows no example"
    assert ran.failed == 0
