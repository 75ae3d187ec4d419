"""Pictures by the flow alone: the moved pixels where they are the person's, grey elsewhere."""

import pytest
import torch
from posekit_lab.flow_pictures import GREY, FlowAlone

from posekit.data.studio import StudioPeople
from posekit.ops.grids import resize_grid
from posekit.ops.sample import sample
from posekit.reference import load_system
from posekit.systems import build
from posekit.util.errors import InputError

SMALL = {"image_size": 32, "pose_width": 4, "flow_width": 4, "refine_width": 4, "sigma": 2.0, "scales": 2}


def test_moved_pixels_of_the_body_and_grey_beside_them():
    system = load_system("spatial_transformation-laptop").eval()  # without training the flow looks at one place
    pair = StudioPeople([9], views=2, size=128, split="test", progress=False)[0].batched()
    with torch.no_grad():
        made, result = FlowAlone(system)(pair).image, system(pair)
    flow = resize_grid(result.flow, (128, 128))
    body = (sample(pair.source.mask, flow) > 0.5).expand_as(made)
    assert body.any()
    assert not body.all()
    torch.testing.assert_close(made[body], sample(pair.source.image, flow, padding="border")[body])
    assert (made[~body] == GREY).all()


def test_it_needs_a_flow_and_the_silhouette_of_the_source_alone():
    system = FlowAlone(build("spatial_transformation", seed=0, **SMALL))
    assert "mask" in system.needs
    assert "mask" not in system.needs_of_target
    assert system.size == (32, 32)
    with pytest.raises(InputError, match="copy_source has no flow of its own"):
        FlowAlone(build("copy_source"))
