"""The `posekit` command: its list of commands, and how a failure is said.

Every command imports what it needs when it runs, so that `posekit --help` answers at once.  A user's mistake, a
full disk or Ctrl-C ends with one sentence and a non-zero exit code; nothing is left half-written.  A bug keeps its
traceback.
"""

import errno
import functools
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from posekit import __version__
from posekit.cli.augment import augment_command
from posekit.cli.check import check_command
from posekit.cli.compare import compare_command
from posekit.cli.demo import demo_command
from posekit.cli.describe import describe_command
from posekit.cli.dress import dress_command
from posekit.cli.evaluate import evaluate_command
from posekit.cli.inspect import inspect_command
from posekit.cli.pack import pack_command
from posekit.cli.render import render_command
from posekit.cli.score import score_command
from posekit.cli.study import study_command
from posekit.cli.sweep import sweep_command
from posekit.cli.train import train_command
from posekit.cli.transfer import transfer_command
from posekit.util.errors import InputError

COMMANDS = {
    "check": check_command,
    "inspect": inspect_command,
    "describe": describe_command,
    "render": render_command,
    "pack": pack_command,
    "train": train_command,
    "transfer": transfer_command,
    "dress": dress_command,
    "augment": augment_command,
    "evaluate": evaluate_command,
    "compare": compare_command,
    "score": score_command,
    "study": study_command,
    "sweep": sweep_command,
    "demo": demo_command,
}


def one_sentence(command: Callable[..., None]) -> Callable[..., None]:
    """The command, whose failures end with one sentence instead of a traceback."""

    @functools.wraps(command)
    def wrapped(*args, **kwargs) -> None:
        try:
            command(*args, **kwargs)
        except InputError as error:
            _fail(f"Error: {error}", 1)
        except KeyboardInterrupt as stopped:
            _fail(str(stopped) or "Interrupted: what was finished is kept; run the same command again to go on.", 130)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                _fail("Error: the disk is full; free some space and run the same command again to go on.", 1)
            place = f": {error.filename}" if error.filename is not None else ""
            _fail(f"Error: {error.strerror or error}{place}.", 1)
        except Exception as error:
            if not _out_of_memory(error):
                raise
            _fail("Error: out of memory; use a smaller --batch-size, a smaller preset, or a smaller --size.", 1)

    return wrapped


def _out_of_memory(error: Exception) -> bool:
    """Whether a processor or a GPU ran out of memory; torch is asked only where it is loaded already."""
    torch = sys.modules.get("torch")
    return isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.cuda.OutOfMemoryError))


def _fail(sentence: str, code: int) -> None:
    print(sentence, file=sys.stderr)
    raise SystemExit(code)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"posekit {__version__}")
        raise typer.Exit


app = typer.Typer(
    help="Pose-guided human image synthesis: render people, train a system, transfer a pose.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name, _command in COMMANDS.items():
    app.command(_name)(one_sentence(_command))


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
    modules: Annotated[
        list[str] | None, typer.Option("--import", help="Module with systems of your own; repeat.")
    ] = None,
) -> None:
    """Options that come before the command."""
    if modules:
        _import(modules)


@one_sentence
def _import(modules: list[str]) -> None:
    from posekit.systems import make_known

    for text in modules:
        make_known(text)


def main() -> None:
    """Entry point of the `posekit` script."""
    app()
