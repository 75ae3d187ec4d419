"""The log as it is read again, and the share of the time that a run waits for data."""

import json
import math
import time

import pytest

from posekit.systems import build
from posekit.training.fit import fit
from posekit.training.options import TrainingOptions
from posekit.training.runlog import RunLog, read_log, waited_share
from posekit.util.errors import InputError
from tests.synthetic import TINY, SyntheticPairs

OPTIONS = {"device": "cpu", "progress": False, "stages": ["inpainting"]}


class Slow(SyntheticPairs):
    """Pairs that take a twentieth of a second to load, without work for the processor."""

    def __getitem__(self, i):
        time.sleep(0.05)
        return super().__getitem__(i)


def record(waited, seconds, **more):
    return {"waited": waited, "seconds": seconds, **more}


def test_the_share_is_that_of_the_whole_time():
    """A record stands for all the steps since the one before it."""
    assert waited_share([record(0.5, 1.0, steps=1), record(0.0, 1.0, steps=9)]) == pytest.approx(0.05)
    assert waited_share([record(0.5, 3.0, steps=2), record(0.0, 1.0, steps=4)]) == pytest.approx(0.3)
    assert waited_share([record(0.2, 1.0), record(0.4, 3.0)]) == pytest.approx(0.35)  # of an older version
    assert math.isnan(waited_share([]))


def test_the_log_counts_what_it_is_told_to(tmp_path):
    log = RunLog(tmp_path, None, {})
    for _ in range(3):
        with log.waiting():
            time.sleep(0.03)
        time.sleep(0.01)
        log.steps += 1
    log.write("one", 3, 3, {"l1": 1.0})
    (found,) = log.records
    assert found["steps"] == 3
    assert found["seconds"] * found["waited"] == pytest.approx(0.03, rel=0.5)
    assert 0.4 < found["waited"] < 1


def test_slow_data_are_waited_for_unless_others_load_them():
    """The steps take longer than the data: loaded ahead in another process, they are there when they are needed."""

    def work(system, stage, step):
        time.sleep(0.5)  # beside the step itself; a batch of two takes 0.1 s to load, more on a busy machine

    def log_of(workers):
        options = TrainingOptions(steps=5, workers=workers, log_every=1, **OPTIONS)
        return fit(build("coordinate_inpainting", **TINY), Slow(6, 40), options=options, on_step=work)

    alone, helped = log_of(0), log_of(1)
    assert all(r["waited"] * r["seconds"] >= 0.099 for r in alone)
    assert waited_share(alone) > 0.05
    assert waited_share(helped[1:]) < 0.5 * waited_share(alone[1:])  # the first batch has to be waited for
    assert [r["losses"] for r in alone] == [r["losses"] for r in helped]


def test_a_log_is_read_while_it_is_written(tmp_path):
    log = fit(
        build("coordinate_inpainting", **TINY),
        SyntheticPairs(4, 40),
        tmp_path,
        TrainingOptions(steps=4, log_every=2, **OPTIONS),
    )
    card, records = read_log(tmp_path)
    assert (card["system"], card["seed"]) == ("coordinate_inpainting", 0)
    assert records == log
    assert [r["steps"] for r in records] == [2, 2]
    file = tmp_path / "log.jsonl"
    with open(file, "a") as half:
        half.write(json.dumps(log[-1])[:30])
    assert read_log(file)[1] == log
    file.write_bytes(b"\xff\xfe\x00\n5\n{}\n" + file.read_bytes())
    assert read_log(file)[1] == log
    with pytest.raises(InputError, match="There is no log .*nowhere"):
        read_log(tmp_path / "nowhere")
