"""`posekit describe`: what a system is made of."""

from typing import Annotated

import typer


def describe_command(
    system: Annotated[str | None, typer.Argument(help="Name of a system; without it, all names.")] = None,
    preset: Annotated[str, typer.Option(help="Such as laptop or paper; describe NAME lists them.")] = "laptop",
    variant: Annotated[str | None, typer.Option(help="full or one of the published ablations.")] = None,
) -> None:
    """Show a system's networks, parameter counts, losses and stages as a table; or the names of all systems."""
    from posekit.systems import SYSTEMS, build
    from posekit.systems.base import describe

    if system is None:
        for name, cls in SYSTEMS.items():
            typer.echo(f"{name:<24} presets {', '.join(cls.PRESETS)}; variants {', '.join(cls.VARIANTS)}")
        return
    typer.echo(describe(build(system, preset=preset, variant=variant)))
