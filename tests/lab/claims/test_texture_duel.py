"""The claim of notebook 03, from the committed sweep: every seed, every budget."""

import pytest
from posekit_lab.results import read_results, values_of

COORDINATES, COLOURS = "coordinate_inpainting, black_background=True", "coordinate_inpainting, variant=rgb"
ROWS = read_results("texture_duel")


@pytest.mark.parametrize("steps", [300, 600])
@pytest.mark.parametrize("place", ["view.unseen", "atlas.unseen"])
def test_coordinates_keep_detail_and_colours_win_l1(place, steps):
    def both(metric):
        pairs = [values_of(ROWS, f"{place}.{metric}", arm=arm, steps=steps) for arm in (COORDINATES, COLOURS)]
        assert [len(side) for side in pairs] == [3, 3]
        return zip(*pairs, strict=True)

    assert all(a > 2.5 * b for a, b in both("gradient_energy_ratio"))
    assert all(a < 0.85 * b for a, b in both("sliced_wasserstein_fine"))
    assert all(a > b + 0.03 for a, b in both("l1"))  # l1 rewards the blur: said, not hidden
