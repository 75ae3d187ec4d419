"""Person and Pair, and the readers that make them from the field's files.

The rendered people are in `posekit.data.studio`, which loads the renderer and is therefore imported by name.
"""

from posekit.data.annotations import Annotations, read_annotations, read_pairs
from posekit.data.iuv import IUV, read_iuv
from posekit.data.load import load_person
from posekit.data.names import DeepFashionName, MarketName, parse_deepfashion, parse_market
from posekit.data.photo import read_photo, write_photo
from posekit.data.smpl_atlas import read_smpl_atlas
from posekit.person import Pair, Person, collate_pairs, stack_persons
from posekit.util.cache import cache_dir

__all__ = [
    "IUV",
    "Annotations",
    "DeepFashionName",
    "MarketName",
    "Pair",
    "Person",
    "cache_dir",
    "collate_pairs",
    "load_person",
    "parse_deepfashion",
    "parse_market",
    "read_annotations",
    "read_iuv",
    "read_pairs",
    "read_photo",
    "read_smpl_atlas",
    "stack_persons",
    "write_photo",
]
