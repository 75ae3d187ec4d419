"""Rendered people on disk: the same for any number of processes, whole or not there, and found again."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import posekit
from posekit.studio import folder
from posekit.studio.folder import render_folder
from posekit.studio.folder_files import RECIPE, folder_card, is_complete, read_folder_card, read_shots
from posekit.studio.generate import Shot, make_shot
from posekit.util.errors import InputError

SIZE, VIEWS = 32, 2
CARD = folder_card(VIEWS, SIZE, 0, "body", "legs")


def fake_shot(seed, person, view, size, kind, skirts, room=None):
    """A photograph of noise, in no time."""
    rng = np.random.default_rng([seed, person, view])
    h, w = size
    part = rng.integers(0, 25, (h, w)).astype(np.uint8)
    uv = np.where(part[..., None] > 0, rng.integers(0, 65536, (h, w, 2)), 0).astype(np.uint16)
    return Shot(
        rng.integers(0, 256, (h, w, 3)).astype(np.uint8),
        uv,
        part,
        *(rng.random((3, h, w)) > 0.5),
        rng.uniform(0, h, (18, 2)).astype(np.float32),
        rng.integers(0, 3, 18).astype(np.uint8),
    )


@pytest.fixture
def quick(monkeypatch):
    """Replace the camera by noise; counts the photographs taken."""
    taken = []

    class Nobody:
        class figure:
            meta = {"hair": "none", "row": np.int64(3)}

    def take(*arguments):
        taken.append(arguments[1:3])
        return fake_shot(*arguments)

    monkeypatch.setattr(folder, "make_shot", take)
    monkeypatch.setattr(folder, "sitter", lambda *a: Nobody)
    return taken


def render(root, people=3, **changes):
    arguments = {"views": VIEWS, "size": SIZE, "jobs": 1, "progress": False} | changes
    return render_folder(root, people, **arguments)


def same(a: Shot, b: Shot) -> bool:
    return all(np.array_equal(getattr(a, k), getattr(b, k)) for k in Shot.__dataclass_fields__)


@pytest.mark.parametrize("size", [32, (20, 27)])
def test_what_is_written_is_read(tmp_path, quick, size):
    assert render(tmp_path / "a", size=size) == [0, 1, 2]
    card = read_folder_card(tmp_path / "a")
    assert card == folder_card(VIEWS, size, 0, "body", "legs")
    for person in range(3):
        for view, shot in enumerate(read_shots(tmp_path / "a", person, card)):
            assert same(shot, fake_shot(0, person, view, card.size, "body", "legs"))
    names = {p.relative_to(tmp_path / "a").as_posix() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    documented = {f"people/0000{n}/{f}" for n in range(3) for f in ("0.png", "1.png", "maps.npz", "person.json")}
    assert names - {".lock"} == documented | {"card.json"}
    assert json.loads((tmp_path / "a/people/00001/person.json").read_text())["drawn"] == {"hair": "none", "row": 3}


def test_a_second_run_renders_only_what_is_missing(tmp_path, quick):
    render(tmp_path, 2)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npz")}
    quick.clear()
    render(tmp_path, 4)
    assert {n for n, _ in quick} == {2, 3}
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())


def test_only_the_people_of_the_split(tmp_path, quick):
    assert render(tmp_path, 30, split="val") == [8, 18, 28]
    assert sorted(p.name for p in (tmp_path / "people").iterdir()) == ["00008", "00018", "00028"]
    with pytest.raises(InputError, match="no person of the split 'test'"):
        render(tmp_path, 5, split="test")


def test_an_interruption_leaves_whole_people_and_the_next_run_goes_on(tmp_path, quick, monkeypatch):
    def interrupted(*arguments):
        if arguments[1:3] == (1, 1):
            raise KeyboardInterrupt
        return fake_shot(*arguments)

    with monkeypatch.context() as m:
        m.setattr(folder, "make_shot", interrupted)
        with pytest.raises(KeyboardInterrupt):
            render(tmp_path)
    assert [p.name for p in (tmp_path / "people").iterdir()] == ["00000"]
    render(tmp_path)
    assert {n for n, _ in quick} == {1, 2}
    assert all(is_complete(tmp_path, n, CARD) for n in range(3))


def test_leftovers_of_a_killed_run_are_removed(tmp_path, quick):
    stale = tmp_path / "people" / ".unfinished-00007"
    stale.mkdir(parents=True)
    (stale / "0.png").write_bytes(b"half")
    (tmp_path / "card.json").write_text(json.dumps({"seed": 0, "size": [32, 32], "set": "body", "skirts": "legs",
                                                    "views": 2, "format": 1, "recipe": RECIPE}))  # fmt: skip
    render(tmp_path, 1)
    assert not stale.exists()
    assert is_complete(tmp_path, 0, CARD)


def test_a_full_disk_is_one_sentence_and_no_half_person(tmp_path, quick, monkeypatch):
    def full(*arguments, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(np, "savez_compressed", full)
        with pytest.raises(InputError, match="No space left on device.*make room"):
            render(tmp_path)
    assert list((tmp_path / "people").iterdir()) == []
    render(tmp_path)
    assert all(is_complete(tmp_path, n, CARD) for n in range(3))


@pytest.mark.parametrize("name", ["0.png", "maps.npz", "person.json"])
def test_a_damaged_person_is_noticed(tmp_path, quick, name):
    render(tmp_path, 1)
    path = tmp_path / "people/00000" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)  # same length: only reading notices
    with pytest.raises(InputError, match=r"Person 0 .* damaged .*delete that directory"):
        read_shots(tmp_path, 0, CARD)
    path.write_bytes(data[: len(data) // 2])  # shorter: rendering again notices, and mends it
    assert not is_complete(tmp_path, 0, CARD)
    render(tmp_path, 1)
    assert same(read_shots(tmp_path, 0, CARD)[1], fake_shot(0, 0, 1, (SIZE, SIZE), "body", "legs"))


def test_a_missing_person_is_one_sentence(tmp_path, quick):
    render(tmp_path, 1)
    with pytest.raises(InputError, match=r"Person 5 .* missing"):
        read_shots(tmp_path, 5, CARD)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "rendered with seed 0, now asked for seed 1"),
        ({"size": 48}, r"rendered with size \(32, 32\), now asked for size \(48, 48\)"),
        ({"views": 3}, "views 2, now asked for views 3"),
        ({"skirts": "cloth"}, "skirts legs"),
        ({"views": 0}, "views is a whole number from 1 to"),
        ({"split": "dev"}, "split must be one of train, val, test"),
        ({"people": 0}, "people asked for no person"),
        ({"kind": "feet"}, "kind must be one of body, face"),
    ],
)
def test_folders_that_disagree(tmp_path, quick, changes, message):
    render(tmp_path, 1)
    with pytest.raises(InputError, match=message):
        render(tmp_path, **({"people": 1} | changes))
    assert is_complete(tmp_path, 0, CARD)


def test_other_bad_folders(tmp_path, quick):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be a data folder"):
        render(tmp_path / "file")
    (tmp_path / "a/people/00000").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no card\.json"):
        render(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/card.json").write_text("{")
    with pytest.raises(InputError, match="is not the card of a posekit data folder"):
        render(tmp_path / "b")


def test_two_processes_give_the_same_people_as_one(tmp_path):
    """Really rendered: in the same process and in two others, and asked for one by one."""
    render(tmp_path / "one", [0, 1], jobs=1)
    render(tmp_path / "two", [1, 0], jobs=2)
    for person in (0, 1):
        one, two = (read_shots(tmp_path / d, person, CARD) for d in ("one", "two"))
        assert all(same(a, b) for a, b in zip(one, two, strict=True))
        for name in ("0.png", "1.png", "maps.npz"):
            assert (tmp_path / "one/people" / f"0000{person}" / name).stat().st_size > 500
    assert same(one[1], make_shot(0, 1, 1, SIZE))


def living(group: int) -> list[int]:
    """Processes of a group that still run (a zombie has ended and waits for its parent to notice)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(int(path.parent.name))
    return found


RENDER = (
    "import signal, sys; sys.path.insert(0, sys.argv[2]); from posekit.studio.folder import render_folder\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs begin without it
    "render_folder(sys.argv[1], 400, 2, 32, jobs=2, progress=False)"
)


@pytest.fixture
def rendering(tmp_path, request, tmp_path_factory):
    """A program that renders with two workers, in a group of its own; nothing of it outlives the test.

    Its parameter: seconds that a worker needs to start beside what it needs anyway.
    """
    slow = tmp_path_factory.mktemp("slow")
    (slow / "sitecustomize.py").write_text(
        "import sys, time\n"
        f"time.sleep({getattr(request, 'param', 0)} if any('popen_loky' in word for word in sys.orig_argv) else 0)\n"
    )
    library = str(Path(posekit.__file__).parents[1])
    run = subprocess.Popen(
        [sys.executable, "-c", RENDER, str(tmp_path), library],
        start_new_session=True, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(slow)},
    )  # fmt: skip
    yield run
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def wait_for(run, happened) -> None:
    deadline = time.monotonic() + 300
    while not happened():
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ends(run) -> bytes:
    """What the program said; fails where one of its processes lives on."""
    _, said = run.communicate(timeout=60)  # a second on an idle machine; workers hold the pipe open too
    deadline = time.monotonic() + 60
    while left := living(run.pid):
        assert time.monotonic() < deadline, f"processes {left} are left behind"
        time.sleep(0.1)
    return said


def test_a_worker_that_leaves_the_pool_is_replaced_even_where_warnings_are_errors(tmp_path):
    """joblib's workers leave when their memory has grown by 300 MB; here by a byte, after the second person."""
    grown = tmp_path / "grown"
    grown.mkdir()
    (grown / "sitecustomize.py").write_text(
        "import sys\n"
        "if any('popen_loky' in word for word in sys.orig_argv):\n"
        "    from joblib.externals.loky import process_executor\n"
        "    process_executor._MAX_MEMORY_LEAK_SIZE = -(10**12)\n"
        "    process_executor._MEMORY_LEAK_CHECK_DELAY = -1\n"
    )
    people = tmp_path / "people"
    render = (
        "import sys, warnings; sys.path.insert(0, sys.argv[2]); warnings.simplefilter('error')\n"
        "from posekit.studio.folder import render_folder\n"
        "render_folder(sys.argv[1], 8, 1, 32, jobs=2, progress=False)"
    )
    run = subprocess.run(
        [sys.executable, "-c", render, str(people), str(Path(posekit.__file__).parents[1])],
        capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": str(grown)},
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert len(list((people / "people").iterdir())) == 8


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in Linux's /proc")
@pytest.mark.parametrize("rendering", [4], indirect=True)
def test_killed_before_its_workers_are_up_it_leaves_none(tmp_path, rendering):
    """As on a busy machine: their tasks wait for them already, and nobody will ask for the people."""
    wait_for(rendering, lambda: len(living(rendering.pid)) >= 4)  # the program, joblib's tracker, two workers
    time.sleep(1)
    os.kill(rendering.pid, signal.SIGKILL)
    ends(rendering)
    assert not list((tmp_path / "people").iterdir())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in Linux's /proc")
@pytest.mark.parametrize(
    ("stop", "send", "expected", "words"),
    [
        (signal.SIGINT, os.killpg, {-signal.SIGINT, 1}, b"KeyboardInterrupt"),  # Ctrl-C reaches the whole group
        (signal.SIGTERM, os.kill, {128 + signal.SIGTERM}, b""),  # of a scheduler, say: the program alone
        (signal.SIGKILL, os.kill, {-signal.SIGKILL}, b""),  # of the kernel where memory is short: no program can answer
    ],
)
def test_stopped_it_ends_all_processes_and_leaves_whole_people(tmp_path, rendering, stop, send, expected, words):
    wait_for(rendering, lambda: list(tmp_path.glob("people/0*")))
    send(rendering.pid, stop)
    assert words in ends(rendering)
    assert rendering.returncode in expected
    people = {path.name for path in (tmp_path / "people").iterdir()}
    unfinished = {name for name in people if name.startswith(".unfinished-")}
    assert not unfinished or stop == signal.SIGKILL, "Half a person is left."
    assert people - unfinished
    assert all(is_complete(tmp_path, int(name), CARD) for name in people - unfinished)
