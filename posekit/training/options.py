"""How a training runs: what a user may choose beside the system and its data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from posekit.util.errors import InputError


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """The choices of one run of `posekit.training.fit.fit`.

    | field        | meaning |
    |--------------|---------|
    | seed         | of the order of the data and of all random numbers |
    | stages       | names of the stages to run; all if not given |
    | steps        | steps of every stage, or of each by name; the preset's if not given |
    | batch_size   | pairs a step, over all processes; the preset's if not given |
    | device       | auto (a CUDA GPU where there is one), cpu or cuda |
    | devices, nodes | how many devices of each of how many machines share a batch: n processes take the steps that |
    |              | one takes, to rounding, where a system draws nothing at random as it trains |
    |              | (spatial_transformation draws its affine maps, other ones in each process) |
    | precision    | "32-true", or "bf16-mixed" for autocast; coordinates stay float32 |
    | accumulate   | micro-batches that a process cuts its share of the batch into, where memory is short; |
    |              | gradients are averaged, BatchNorm and means over masks see one micro-batch |
    | ema          | decay of a moving average of the weights (0.999, say; 0 for none), which takes the weights' place |
    |              | at the end of every stage |
    | channels_last, compiled | memory layout of the networks, and `torch.compile`: speed alone |
    | workers      | processes that load pairs ahead of the training |
    | device_data  | keep rendered people on the training device, where batches are made, if they fit: the same |
    |              | batches, bit for bit, and no wait for them; ``workers`` are not started then.  On GPUs if not |
    |              | given: a processor waits little, and would read everyone before its first step |
    | checkpoint_every, log_every | in steps |
    | checkpoint_minutes | a checkpoint at the latest after so many minutes too; by steps alone if not given |
    | tensorboard  | write the losses for TensorBoard too, into ``tensorboard/`` (needs the package tensorboardX) |
    | resume       | go on from the checkpoint of the same run in the folder; else start over |
    | progress     | show a bar |

    Raises InputError for a value outside its range; what depends on the system or the machine is checked by `fit`.
    """

    seed: int = 0
    stages: Sequence[str] | None = None
    steps: int | Mapping[str, int] | None = None
    batch_size: int | None = None
    device: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: str = "32-true"
    accumulate: int = 1
    ema: float = 0.0
    channels_last: bool = False
    compiled: bool = False
    workers: int = 0
    device_data: bool | None = None
    checkpoint_every: int = 500
    checkpoint_minutes: float | None = None
    log_every: int = 10
    tensorboard: bool = False
    resume: bool = True
    progress: bool = True

    def __post_init__(self):
        if self.seed < 0:
            raise InputError(f"A seed is a number from 0 up, got {self.seed}.")
        if self.checkpoint_every < 1 or self.log_every < 1 or self.workers < 0:
            raise InputError(
                "checkpoint_every and log_every are 1 or more and workers 0 or more, got "
                f"{self.checkpoint_every}, {self.log_every} and {self.workers}."
            )
        if self.checkpoint_minutes is not None and not self.checkpoint_minutes > 0:
            raise InputError(f"checkpoint_minutes is above 0, or not given, got {self.checkpoint_minutes}.")
        if self.accumulate < 1:
            raise InputError(f"accumulate is a number of micro-batches, 1 or more, got {self.accumulate}.")
        if not 0 <= self.ema < 1:
            raise InputError(f"The decay of the moving average lies from 0 (none) to below 1, got {self.ema}.")
