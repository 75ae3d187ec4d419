"""Objects named by their place, `my_module:MySystem`: how the command line takes a reader's own code."""

import importlib
import os
import re
import sys
from typing import Any

from posekit.util.errors import InputError

_ADDRESS = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def is_address(text: str) -> bool:
    """Whether ``text`` has the form module:name.

    >>> is_address("my_module:MySystem"), is_address("coordinate_inpainting"), is_address("C:/people")
    (True, False, False)
    """
    return _ADDRESS.fullmatch(text) is not None


def object_at(address: str) -> Any:
    """The object ``name`` of the module in "module:name"; modules are also looked for in the current folder.

    What the module itself raises is not caught: it is a bug there, and its traceback says where.  Raises InputError
    where there is no such module, or nothing of that name in it.
    """
    name, _, attribute = address.partition(":")
    module = load_module(name)
    if not hasattr(module, attribute):
        raise InputError(f"The module {name} ({module.__file__}) has no {attribute!r}.")
    return getattr(module, attribute)


def load_module(name: str) -> Any:
    """The module of that name; modules are also looked for in the current folder.  InputError if there is none."""
    if os.getcwd() not in sys.path:  # `python -m` looks there, an installed program does not
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not (error.name and (name == error.name or name.startswith(f"{error.name}."))):
            raise  # it is there, and what it imports is not
        raise InputError(
            f"There is no module {name!r} in {os.getcwd()} or among the installed ones; run the command "
            f"where {name}.py lies."
        ) from None
