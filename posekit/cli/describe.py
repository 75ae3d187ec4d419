"""`posekit describe`: what a system is made of."""

from typing import Annotated

import typer


def describe_command(
    system: Annotated[str, typer.Argument(help="Name of a system, for instance coordinate_inpainting.")],
    preset: Annotated[str, typer.Option(help="paper or laptop.")] = "laptop",
    variant: Annotated[str | None, typer.Option(help="full or one of the published ablations.")] = None,
) -> None:
    """Show a system's networks, parameter counts, losses and stages as a table."""
    from posekit.systems import build
    from posekit.systems.base import describe

    typer.echo(describe(build(system, preset=preset, variant=variant)))
