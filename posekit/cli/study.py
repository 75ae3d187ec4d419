"""`posekit study`: people judge pictures, in a browser; and what came out."""

from pathlib import Path
from typing import Annotated

import typer

from posekit.util.errors import InputError


def study_command(
    preset: Annotated[
        str | None, typer.Argument(help="Published study: realism, anatomy, pose, closest, try_on, two_questions.")
    ] = None,
    made: Annotated[Path | None, typer.Option(help="Folder of the generated pictures.")] = None,
    real: Annotated[Path | None, typer.Option(help="Folder of photographs, where single pictures are judged.")] = None,
    rival: Annotated[list[Path] | None, typer.Option(help="Folder of another method's pictures; repeat.")] = None,
    beside: Annotated[
        list[Path] | None, typer.Option(help="Folder of what is shown beside, such as the truth; repeat.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="How generated pictures are called, such as '{source}_2_{target}_vis.jpg'.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Items of each kind; as published if not given.")] = None,
    seconds: Annotated[float | None, typer.Option(help="For which pictures are shown; as published.")] = None,
    warm_up: Annotated[int | None, typer.Option(min=0, help="First screens that do not count; as published.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the draw, the order and the sides.")] = 0,
    answers: Annotated[
        list[Path] | None, typer.Option(help="File that a judge saved; repeat. Prints percentages, makes no page.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="With --answers: the page that they must belong to.")] = None,
    margin: Annotated[
        float | None, typer.Option(help="Percent: how many judgements give an interval of so much on either side.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Page to write.")] = Path("study.html"),
) -> None:
    """Make a page on which people judge pictures, or count what they answered.

    The page needs no network and no server: open it in a browser, answer, save the answers as a file, and count one or
    several of these files with --answers. Without PRESET, the published studies are listed.
    """
    from posekit.evaluation.study_answers import judgements_needed, read_study_answers
    from posekit.evaluation.study_folders import make_study
    from posekit.evaluation.study_page import read_study_page, write_study_page
    from posekit.evaluation.study_presets import PRESETS
    from posekit.util.files import check_place

    if margin is not None:
        needed = judgements_needed(margin / 100)
        typer.echo(f"{needed} judgements for a 95 % interval of {margin:g} percent on either side of one half")
    if answers:
        if preset is not None or made is not None:
            raise InputError("--answers counts, PRESET and --made make a page; do one after the other.")
        typer.echo(read_study_answers(answers, None if page is None else read_study_page(page)))
    elif preset is not None:
        if made is None:
            raise InputError("A study needs the folder of the generated pictures (--made).")
        check_place(out)  # before the work, not after it
        study, pictures, notes = make_study(
            preset,
            made,
            real=real,
            rivals=rival or (),
            beside=beside or (),
            name=name,
            count=count,
            seconds=seconds,
            warm_up=warm_up,
            seed=seed,
        )
        write_study_page(out, study, pictures)
        for note in notes:
            typer.echo(note)
        typer.echo(f"{out}: study {study.id}, {len(study.trials)} screens, {len(pictures)} pictures; seed {seed}")
    elif margin is None:
        for known, own in PRESETS.items():
            typer.echo(f"{known}: {own.source}")
            typer.echo(f"  {own}")
