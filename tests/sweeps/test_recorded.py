"""Numbers recorded in a notebook come back as they were."""

import math

import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook, new_output

from posekit.sweeps.recorded import _scalar, record, record_bundle, recorded_values
from posekit.util.errors import InputError


def notebook_with(**recorded):
    outputs = [new_output("display_data", record_bundle(name, value)) for name, value in recorded.items()]
    return new_notebook(cells=[new_code_cell("", outputs=outputs)])


@pytest.mark.parametrize("value", [3, 0.1, True, False, "nearest", math.inf, -math.inf, 1e-300])
def test_round_trip(value):
    (name, found) = next(iter(recorded_values(notebook_with(x=value)).items()))
    assert name == "x"
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("value", "shown"), [(0.06909999996423721, "x = 0.0691"), (3, "x = 3"), ("a", "x = 'a'")])
def test_readers_see_as_many_digits_as_say_something(value, shown):
    bundle = record_bundle("x", value)
    assert bundle["text/plain"] == shown
    assert recorded_values(notebook_with(x=value))["x"] == value


def test_nan_comes_back_and_is_valid_json():
    import json

    text = json.dumps(record_bundle("x", math.nan), allow_nan=False)
    assert "nan" in text
    assert math.isnan(recorded_values(notebook_with(x=math.nan))["x"])


def test_last_value_of_a_name_counts():
    notebook = notebook_with(x=1)
    notebook.cells += notebook_with(x=2, y=3).cells
    assert recorded_values(notebook) == {"x": 2, "y": 3}


@pytest.mark.parametrize("value", [torch.tensor(2.5), np.float32(2.5), torch.tensor([[2.5]]), np.array([2.5])])
def test_one_element_arrays_are_numbers(value):
    assert _scalar("x", value) == 2.5
    assert type(_scalar("x", value)) is float


def test_other_values_are_refused():
    with pytest.raises(InputError, match=r"one number for x, got an array of shape \(3,\)"):
        record(x=torch.zeros(3))
    with pytest.raises(InputError, match="got list"):
        record(x=[1])
