"""docs/your_own.md: its module is used as the page says, from a folder of a user, by the commands of the page."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import posekit
from posekit.cli import app as cli
from posekit.systems import SYSTEMS, build, make_known, register, system_class
from posekit.util.address import is_address, object_at
from posekit.util.errors import InputError

ONE_STEP = posekit.TrainingOptions(steps=1, batch_size=1, device="cpu", progress=False)
PAGE = Path(__file__).parents[1] / "docs" / "your_own.md"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the page's module and rendered people."""
    home = tmp_path_factory.mktemp("home")
    (home / "my_module.py").write_text("\n\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)))
    posekit.render_folder(home / "out" / "people", [0, 9], 2, 128, jobs=1, progress=False)
    return home


@pytest.fixture
def mine(home, monkeypatch):
    """The name of the page's module, in its folder; what it registers and imports is forgotten afterwards."""
    monkeypatch.chdir(home)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = dict(SYSTEMS)
    yield "my_module"
    SYSTEMS.clear()
    SYSTEMS.update(before)
    sys.modules.pop("my_module", None)


@pytest.fixture
def command(mine, monkeypatch, capsys):
    """command(*words) -> what `posekit WORDS` prints, in this process."""

    def call(*words, code=0):
        monkeypatch.setattr(sys, "argv", ["posekit", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert (ended.value.code or 0) == code, err
        return out + err

    return call


def test_the_commands_of_the_page(command):
    commands = [line.split() for line in re.findall(r"^    posekit (.*)$", PAGE.read_text(), re.MULTILINE)]
    assert [words[0] for words in commands] == ["train", "--import", "train", "train", "--import"]
    quick = ["--batch-size", "1", "--device", "cpu"]
    for words in commands:
        words += [] if "--data" in words else ["--data", "out/people"]
        if words[0] == "train":
            steps = words.index("--steps") if "--steps" in words else len(words)
            words[steps : steps + 2] = ["--steps", "1"]
            assert "Weights: runs/" in command(*words, *quick)
        else:
            words += [] if "--pairs" in words else ["--pairs", "2"]
            table = command(*words, "--device", "cpu")
            assert re.search(r"^ +source copied +nearest texel +my_system$", table, re.MULTILINE)
            assert re.search(r"^ssim( +0\.\d+( \[[^]]*\])?){3}$", table, re.MULTILINE)


def test_a_weight_file_imports_nothing_by_itself(home, mine):
    posekit.fit(build(f"{mine}:MySystem"), object_at(f"{mine}:pairs")("test", (128, 128)), home / "kept", ONE_STEP)
    weights = str(home / "kept" / "weights.safetensors")
    code = "import sys; from posekit.cli.app import main; main()"
    words = [sys.executable, "-W", "ignore", "-c", code, "evaluate", "--weights", weights]
    done = subprocess.run(words, cwd=home, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (1, "")
    assert "'my_system', which is not known here" in done.stderr
    assert "--import my_module" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_own_systems_by_address_and_by_name(mine):
    assert build(f"{mine}:MySystem", width=4).config.width == 4
    assert system_class("my_system") is system_class(f"{mine}:MySystem")
    assert build("with_steps").stages()[1].weights["steps"] == 1
    make_known(mine)
    with pytest.raises(InputError, match="Unknown system 'my_sytem'; did you mean 'my_system'"):
        build("my_sytem")


def test_what_cannot_be_registered(mine):
    @dataclass(frozen=True)
    class Config:
        variant: str = "full"

    def system(**fields):
        return type("Mine", (posekit.System,), {"name": "mine", "PRESETS": {"laptop": Config()}, **fields})

    for thing, words in (
        (3, "a class derived from"),
        (dict, "a class derived from"),
        (system(name="texel_fill"), "needs a name of its own"),
        (system(name="my system"), "needs a name of its own"),
        (system(PRESETS={}), "needs PRESETS"),
        (system(PRESETS={"laptop": {"variant": "full"}}), "needs PRESETS"),
    ):
        with pytest.raises(InputError, match=words):
            register(thing)
    assert register(system()) is SYSTEMS["mine"]
    assert register(system()) is SYSTEMS["mine"], "A class that is defined again takes the place of the one before."


def test_addresses(mine, home):
    assert [is_address(text) for text in ("a:b", "a.b:c", "a", "C:/x", "C:\\x", "a:b:c", "1a:b", "a:")] == [
        True, True, False, False, False, False, False, False,
    ]  # fmt: skip
    assert object_at(f"{mine}:Config")().width == 16
    with pytest.raises(InputError, match="There is no module 'no_module' in "):
        object_at("no_module:X")
    with pytest.raises(InputError, match="has no 'Nobody'"):
        object_at(f"{mine}:Nobody")
    (home / "needs_more.py").write_text("import a_package_that_is_missing\n")
    with pytest.raises(
        ModuleNotFoundError, match="a_package_that_is_missing"
    ):  # a bug of the module keeps its traceback
        object_at("needs_more:X")
