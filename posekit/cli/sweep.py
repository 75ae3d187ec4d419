"""`posekit sweep`: notebooks with other parameters and seeds."""

from pathlib import Path
from typing import Annotated

import typer


def sweep_command(
    targets: Annotated[list[Path], typer.Argument(help="Notebooks; or experiment files (YAML), or a folder of them.")],
    parameters: Annotated[list[str] | None, typer.Option("--parameter", "-p", help="name=value,value; repeat.")] = None,
    seeds: Annotated[str, typer.Option(help="Values of the parameter seed: 0,1,2; overrules a file's.")] = "",
    timeout: Annotated[float | None, typer.Option(help="Seconds that one run may take; 600 if not given.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs at a time; 1 if not given.")] = None,
    backend: Annotated[str | None, typer.Option(help="joblib's: loky (processes), threading, dask, ray.")] = None,
    address: Annotated[str | None, typer.Option(help="Dask scheduler; a local one if not given.")] = None,
    name: Annotated[str | None, typer.Option(help="Folder of the results; the notebook's name if not given.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of all sweeps.")] = Path("out/sweeps"),
) -> None:
    """Run notebooks with other parameters and seeds, side by side; run again, it goes on where it stopped."""
    from posekit.sweeps.experiment import experiments_in, from_command_line, is_experiment_file
    from posekit.sweeps.sweep import checked_sweeps

    how = {"timeout": timeout, "jobs": jobs, "backend": backend, "address": address, "name": name}
    targets = [file for target in targets for file in (experiments_in(target) if target.is_dir() else [target])]
    groups = [[target] for target in targets] if all(map(is_experiment_file, targets)) else [targets]
    asked = [from_command_line(group, parameters or [], seeds, **how) for group in groups]  # all, before any run
    typer.echo(checked_sweeps(asked, out, say=typer.echo))
