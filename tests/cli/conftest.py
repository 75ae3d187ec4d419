"""The command line, called in this process."""

import sys

import pytest

from posekit.cli import app as cli


@pytest.fixture
def run(monkeypatch, capsys):
    """run(*words) -> (exit code, standard output, standard error)"""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["posekit", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return call
