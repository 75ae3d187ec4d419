# The public names and where they live; `posekit/__init__.py` reads this file and loads each name at its first use.
from .data.folder_pairs import load_people
from .data.load import load_person
from .data.photo import read_photo, write_photo
from .data.studio import StudioPeople, read_rendered_view
from .evaluation.evaluate import evaluate
from .evaluation.table import Evaluation
from .evaluation.transfer import transfer
from .metrics.image import ssim
from .metrics.protocol import Protocol
from .ops.affine import affine_flow, fit_affine
from .ops.correlation import matching
from .ops.fill import fill_mirror, fill_nearest
from .ops.grids import identity_grid, resize_grid, resize_mask
from .ops.keypoints import heat_maps
from .ops.part_affine import part_maps, warp_by_parts
from .ops.sample import sample
from .ops.splat import splat
from .ops.surface import ChartTable
from .person import Pair, Person, collate_pairs
from .plots import coordinate_colors, draw_panel, save_figure
from .reference import load_reference, load_system
from .reid.augment import augment
from .studio.folder import render_folder
from .studio.generate import make_person
from .sweeps.experiment import Experiment
from .sweeps.sweep import sweep
from .systems import build
from .systems.base import Result, Stage, System, describe
from .systems.baselines import baseline
from .training.fit import fit
from .training.options import TrainingOptions
from .training.weights import load_weights, save_weights
from .util.errors import InputError

__version__: str
__all__: list[str]
