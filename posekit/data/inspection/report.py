"""What an inspection says of one file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from torch import Tensor


class Fault(NamedTuple):
    """Something wrong with a file, and how it is mended: a sentence each."""

    what: str
    mend: str


@dataclass(frozen=True)
class FileReport:
    """One file, recognised by its content.

    | field    | meaning |
    |----------|---------|
    | path     | where it is |
    | kind     | what it is, in a few words |
    | facts    | size, channel order, range, people, ...: a few words each, in reading order |
    | faults   | what is wrong with it, the worst first; empty for a file that can be used as it is |
    | pictures | how it is drawn: ``1 3 h w`` in [0, 1] under titles; empty where there is nothing to draw |

    ``str()`` of it is what `posekit inspect` prints.
    """

    path: Path
    kind: str
    facts: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    pictures: Mapping[str, Tensor] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.kind}"]
        wide = max((len(name) for name in self.facts), default=0)
        lines += [f"  {name:<{wide}}  {value}" for name, value in self.facts.items()]
        lines += [line for fault in self.faults for line in (f"  wrong: {fault.what}", f"    -> {fault.mend}")]
        return "\n".join(lines)
