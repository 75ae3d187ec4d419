"""A photograph small enough to be judged many times."""

import pytest
from posekit_course.losses_and_metrics import probes


@pytest.fixture(scope="module")
def person():
    return probes.photo_of(89, 0, 64)
