"""What a sweep is asked to do: notebooks, values for their parameters, seeds; written as keywords or YAML.

name: coverage                                 # folder of the results; the notebook's name if not given
notebook: notebooks/02_scatter_rasterization.ipynb     # or a list
parameters: {size: [64, 128], view: [0, 1]}    # a parameter that is a list: {atlas_sizes: [[32, 64], [128, 256]]}
cases: [{system: deformable_gan}, {system: spatial_transformation, steps: 900}]     # values that belong together
seeds: [0, 1, 2]                               # the parameter `seed` of the notebook
timeout: 300                                   # seconds that one run may take
backend: loky                                  # joblib's: loky (processes), threading, dask, ray
jobs: 2
"""

import itertools
import math
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from posekit.util.errors import InputError
from posekit.util.reading import read_bytes, read_text

Scalar = float | int | bool | str
Value = Scalar | list[Scalar]  # of one run
MOST_BYTES = 20_000  # of an experiment file: YAML is slow to read where it is deep
BACKENDS = ("loky", "multiprocessing", "sequential", "threading", "dask", "ray")


@dataclass(frozen=True)
class Experiment:
    """Every case with every combination of the parameters' values and every seed, of every notebook.

    cases: each the values of parameters that change together; none is one case without values.
    jobs: runs at a time.  timeout: seconds for one whole run.  address: of a Dask scheduler, else a local one.
    """

    notebooks: tuple[Path, ...]
    parameters: dict[str, list[Value]] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    name: str | None = None
    timeout: float = 600
    backend: str = "loky"
    jobs: int = 1
    address: str | None = None
    cases: tuple[dict[str, Value], ...] = ()

    def __post_init__(self) -> None:
        if not self.notebooks:
            raise InputError("A sweep needs at least one notebook.")
        for path in self.notebooks:
            if path.suffix != ".ipynb" or not path.is_file():
                raise InputError(f"There is no notebook {path}; give the path of an .ipynb file.")
        if self.name is not None and (self.name in ("", ".", "..") or set(self.name) & set("/\\\0")):
            raise InputError(f"The name of a sweep is the name of one folder, such as coverage; got {self.name!r}.")
        if self.timeout <= 0 or self.jobs < 1:
            raise InputError(f"timeout and jobs are positive, got timeout={self.timeout} and jobs={self.jobs}.")
        for case in self.cases:
            if not isinstance(case, dict) or not case:
                raise InputError(f"A case is a mapping of parameters to values, such as {{size: 64}}, got {case!r}.")
            if both := sorted(set(map(str, case)) & set(self.parameters)):
                raise InputError(f"Give {both[0]} either in the cases or as a parameter, not in both.")
        for name, values in self.values().items():
            if not isinstance(values, list) or not values:
                raise InputError(f"The values of {name} are a list, such as [1, 2], got {values!r}.")
            for value in values:
                if not all(isinstance(part, Scalar) for part in (value if isinstance(value, list) else [value])):
                    raise InputError(
                        f"A value of {name} is a number, a truth value, text (in quotes) or a list of these, "
                        f"got {value!r}."
                    )
        if self.backend not in BACKENDS:  # without `choose`, which would load torch
            raise InputError(f"Runs are spread by the backends {', '.join(BACKENDS)}; got {self.backend!r}.")
        if self.seeds and "seed" in self.values():
            raise InputError("Give the seeds either as seeds or as the parameter seed, not both.")

    def values(self) -> dict[str, list[Value]]:
        """Of every parameter, all values that some run takes; those of the cases first.  The seeds are apart."""
        gathered: dict[str, list[Value]] = {}
        for case in self.cases:
            for name, value in case.items():
                gathered.setdefault(name, []).append(value)
        return gathered | self.parameters

    def combinations(self) -> list[dict[str, Value]]:
        """The parameters of every run, each once; cases slowest, the last name faster, the seed fastest of all."""
        grid = {name: _without_repeats(values) for name, values in self.parameters.items()}
        if self.seeds:
            grid["seed"] = _without_repeats(list(self.seeds))
        first = {frozenset((name, _same(value)) for name, value in case.items()): case for case in self.cases}
        products = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
        return [case | product for case in first.values() or [{}] for product in products]

    def repeats(self) -> int:
        """How many of the runs asked for equal another."""
        each = math.prod(map(len, self.parameters.values())) * max(1, len(self.seeds))
        return max(1, len(self.cases)) * each - len(self.combinations())


def _without_repeats(values: list[Value]) -> list[Value]:
    """The values, each once, in order.  1 and 1.0 are one value, 1 and true are two.

    >>> _without_repeats([64, 128, 64.0, True])
    [64, 128, True]
    """
    first: dict[tuple, Value] = {}
    for value in values:
        first.setdefault(_same(value), value)
    return list(first.values())


def _same(value: Value) -> tuple:
    if isinstance(value, list):
        return tuple(map(_same, value))
    return (isinstance(value, bool), value)


def load_experiment(path: str | Path) -> Experiment:
    """Read a YAML experiment file; notebooks are looked for from here, then beside the file."""
    import yaml

    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no experiment file {path}.")
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{path} has more than {MOST_BYTES} bytes; an experiment file is a page of text.")
    try:
        text = read_text(path)
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):  # a few lines of them make gigabytes
            raise InputError(f"{path} uses aliases (*name); write the values out.")
        given = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, OSError, RecursionError) as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if isinstance(given, dict) and "address" in given:  # a file from elsewhere must not make this machine call others
        raise InputError(f"{path}: the address of a scheduler is given on the command line alone: --address.")
    if not isinstance(given, dict):
        raise InputError(f"{path} should hold `notebook: ...` and `parameters: {{...}}`, got {type(given).__name__}.")
    return _from_mapping(given, str(path), beside=path.parent)


def _from_mapping(given: dict[str, Any], source: str, beside: Path | None = None) -> Experiment:
    """An experiment from plain values; every unknown key or wrong kind of value is said with ``source``."""
    given = dict(given)
    names = given.pop("notebook", given.pop("notebooks", None))
    known = sorted({f.name for f in fields(Experiment)} - {"notebooks"} | {"notebook"})
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError(f"{source}: unknown entry {unknown[0]!r}; known are {', '.join(known)}.")
    if names is None:
        raise InputError(f"{source}: there is no `notebook`.")
    kinds = {
        "parameters": dict,
        "cases": list,
        "seeds": list,
        "timeout": (int, float),
        "jobs": int,
        "backend": str,
        "name": str,
    }
    for key, kind in kinds.items():
        if key in given and (not isinstance(given[key], kind) or isinstance(given[key], bool)):
            raise InputError(f"{source}: {key} has the wrong kind of value, {given[key]!r}.")
    paths = tuple(_find(Path(str(n)), beside) for n in (names if isinstance(names, list) else [names]))
    seeds = _checked_seeds(given.pop("seeds", []), source)
    parameters = {k: v if isinstance(v, list) else [v] for k, v in (given.pop("parameters", None) or {}).items()}
    cases = tuple(given.pop("cases", []))
    return Experiment(notebooks=paths, parameters=parameters, cases=cases, seeds=seeds, **given)


def _checked_seeds(seeds: list, source: str) -> tuple[int, ...]:
    if not all(isinstance(seed, int) and not isinstance(seed, bool) for seed in seeds):
        raise InputError(f"{source}: seeds are whole numbers, got {seeds!r}.")
    return tuple(seeds)


def from_command_line(targets: list[Path], parameters: list[str], seeds: str, **options: Any) -> Experiment:
    """The words of `posekit sweep`: notebooks with `name=value,value` and `0,1,2`, or one YAML file alone.

    options: name, timeout, backend, jobs, address; None stands for "not given".  They overrule those of the file, and
    so do the seeds.
    """
    options = {key: value for key, value in options.items() if value is not None}
    grid = dict(map(parse_values, parameters))
    if seeds:
        grid |= dict([parse_values(f"seeds={seeds}")])
    if any(map(is_experiment_file, targets)):
        own = {"seeds": _checked_seeds(grid.pop("seeds"), "posekit sweep")} if seeds else {}
        if grid:
            raise InputError("An experiment file holds its parameters; change them there.")
        if len(targets) > 1:
            raise InputError("Give notebooks or experiment files, not both.")
        return replace(load_experiment(targets[0]), **own, **options)
    given = {"notebook": list(map(str, targets)), "seeds": grid.pop("seeds", []), "parameters": grid, **options}
    return _from_mapping(given, "posekit sweep")


def is_experiment_file(target: Path) -> bool:
    """Whether this is the name of an experiment file."""
    return target.suffix in (".yaml", ".yml")


def experiments_in(folder: Path) -> list[Path]:
    """The experiment files of a folder, by name: those with a line ``notebook: ...``; other YAML files may lie there.

    Raises InputError where there is none.
    """
    files = sorted(path for path in folder.iterdir() if is_experiment_file(path) and path.is_file())
    named = [path for path in files if path.stat().st_size <= MOST_BYTES and _names_a_notebook(path)]
    if not named:
        raise InputError(f"{folder} holds no experiment file (YAML with `notebook: ...`); give a notebook or a file.")
    return named


def _names_a_notebook(path: Path) -> bool:
    lines = read_bytes(path, MOST_BYTES).splitlines()
    return any(line.startswith((b"notebook:", b"notebooks:")) for line in lines)


def parse_values(text: str) -> tuple[str, list[Scalar]]:
    """A command line's `atlas=32,64` -> ("atlas", [32, 64]), `sizes=[32,64],[128]` -> ("sizes", [[32, 64], [128]]).

    Values are read as YAML reads them.
    """
    import yaml

    name, equals, values = text.partition("=")
    if not equals or not name.strip().isidentifier() or not values.strip():
        raise InputError(f"Write parameters as name=value or name=value,value, got {text!r}.")
    try:
        parsed = yaml.safe_load(f"[{values}]")  # commas inside quotes or brackets belong to the value
    except (yaml.YAMLError, ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, list):
        raise InputError(
            f"The values of {name.strip()} cannot be read, got {values!r}; put quotes around what is text."
        )
    return name.strip(), [_number(value) for value in parsed]


def _number(value: Any) -> Any:
    """YAML reads 1e-3 as text (it wants 1.0e-3); people mean the number."""
    if isinstance(value, list):
        return list(map(_number, value))
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _find(path: Path, beside: Path | None) -> Path:
    if not path.is_file() and beside is not None and (beside / path).is_file():
        return beside / path
    return path
