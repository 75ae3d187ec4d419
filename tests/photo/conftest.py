"""Two photographs in the public domain that other packages bring along."""

from importlib.resources import files

import pytest

from posekit.data.photo import read_photo


@pytest.fixture(scope="session")
def astronaut_file():
    """Eileen Collins (NASA), head to waist; scikit-image's data."""
    return files("skimage") / "data" / "astronaut.png"


@pytest.fixture(scope="session")
def hopper_file():
    """Grace Hopper (US Navy), head and shoulders; matplotlib's data."""
    return files("matplotlib") / "mpl-data" / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def astronaut(astronaut_file):
    return read_photo(astronaut_file)


@pytest.fixture(scope="session")
def hopper(hopper_file):
    return read_photo(hopper_file)
