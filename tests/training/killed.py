"""A small training that SIGKILL ends at a chosen moment; for `test_kill`.

python -m tests.training.killed FOLDER        into FOLDER/MOMENT, once for each of `MOMENTS`, in a process each
"""

import os
import shutil
import signal
import sys
from pathlib import Path

import torch

from posekit.systems import build
from posekit.systems.coordinate_inpainting import CoordinateInpainting
from posekit.training import checkpoint, runlog, step
from posekit.training import fit as loop
from posekit.training.options import TrainingOptions
from posekit.util import tensors as files
from tests.synthetic import TINY, SyntheticPairs

STEPS = 4  # of each of the two stages; a checkpoint after every second step
OPTIONS = {"steps": STEPS, "ema": 0.9, "checkpoint_every": 2, "log_every": 1, "device": "cpu", "progress": False}
DATA = SyntheticPairs(5, 40)


def tiny(**overrides):
    return build("coordinate_inpainting", **{**TINY, **overrides})


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def half_a_file(tensors, path, metadata=None):
    save_file(tensors, path, metadata)
    os.truncate(path, os.path.getsize(path) // 2)


def half_a_folder(path, **_):
    (Path(path) / "card.json").unlink()


def half_a_line(log, *record):
    write(log, *record)
    os.truncate(log.path, os.path.getsize(log.path) - 40)


save_file, write = files.save_file, runlog.RunLog.write

# moment: (whose function, its name, which call is the last, what is left of that call, total step of the newest whole
# checkpoint).  Checkpoints are written after 2, 4 (end of stage 1), 6 and 8 steps, two files of tensors each.
MOMENTS = {
    "the first checkpoint half written": (files, "save_file", 1, half_a_file, None),
    "within a step": (CoordinateInpainting, "losses", 3, None, 2),
    "a file of tensors half written": (files, "save_file", 4, half_a_file, 2),
    "a whole checkpoint under its first name": (checkpoint, "write_json", 2, checkpoint.write_json, 2),
    "between the stages": (loop, "freeze_and_optimize", 2, None, 4),
    "critic updated, generator not": (step, "_update", STEPS + 6, None, 6),  # stage 2 makes two updates a step
    "an old checkpoint half removed": (shutil, "rmtree", 1, half_a_folder, 6),
    "a line of the log half written": (runlog.RunLog, "write", 7, half_a_line, 6),
    "the weights half written": (files, "save_file", 9, half_a_file, 8),
}


def die_at(owner, name, call, last):
    """The ``call``-th time that owner.name is called, ``last`` runs in its place, and then nothing."""
    original, count = getattr(owner, name), [0]

    def counted(*args, **kwargs):
        if name == "rmtree" and not Path(args[0]).name.startswith("step-"):  # not the empty remains
            return original(*args, **kwargs)
        count[0] += 1
        if count[0] < call:
            return original(*args, **kwargs)
        if last is not None:
            last(*args, **kwargs)
        die()

    setattr(owner, name, counted)


def main(folder):
    torch.set_num_threads(1)
    for moment, (owner, name, call, last, _) in MOMENTS.items():
        child = os.fork()  # before any work of torch, which would start threads
        if child == 0:
            die_at(owner, name, call, last)
            loop.fit(tiny(), DATA, Path(folder) / moment, TrainingOptions(**OPTIONS))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, moment


if __name__ == "__main__":
    main(sys.argv[1])
