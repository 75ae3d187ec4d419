"""A figure with controls, made so that a broken figure cannot hide.

    panel = live(render_splat, size=W.IntSlider(32, 8, 64), holes=W.Checkbox(False))
    panel                       # as the last line of a cell: shows it
    panel.move()                # in the next cell: moves every control by code, as a test

The drawing is a *pure* function (same values, same picture; nothing displayed, nothing changed), so tests can call
it over the whole grid of its settings without Jupyter.  The shell shows its picture in a W.Image.  ipywidgets'
own `interact` draws into an Output widget instead, which swallows errors when notebooks are tested and can hang
programs that run notebooks; so it is not used here.
"""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets as W

from posekit.util.errors import InputError

DPI = 80  # figures are looked at on screens


class Live(W.VBox):
    """Controls above, picture below; made by `live`.

    The picture travels with the notebook as a plain image, so a reader of the saved file, with no kernel, sees the
    figure as it was at the start.
    """

    def __init__(self, draw: Callable[..., Any], controls: dict[str, W.ValueWidget], dpi: int = DPI) -> None:
        self.draw, self.controls, self.dpi = draw, controls, dpi
        self.image = W.Image(format="png", layout=W.Layout(align_self="flex-start"))  # else stretched to the page
        self.message = W.HTML(layout=W.Layout(display="none"))
        self.update()
        for control in controls.values():
            control.observe(self.update, "value")
        super().__init__([*controls.values(), self.message, self.image])

    def values(self) -> dict[str, Any]:
        """What the controls say now."""
        return {name: control.value for name, control in self.controls.items()}

    def update(self, _change: Any = None) -> None:
        """Draw again; an error is shown in place, for a reader who moved a control, and raised, for a test."""
        try:
            self.image.value = to_png(self.draw(**self.values()), self.dpi)
            self._say("")
        except Exception as error:
            self._say(f"<b>{escape(type(error).__name__)}</b>: {escape(str(error))}")
            raise

    def _say(self, text: str) -> None:
        self.message.value = text
        self.message.layout.display = None if text else "none"

    def set(self, **values: Any) -> None:
        """Move controls by code, as a reader would: `panel.set(size=16)`.  A failing figure raises here."""
        for name, value in values.items():
            if name not in self.controls:
                raise InputError(f"This figure has no control {name!r}; it has {', '.join(self.controls)}.")
            self.controls[name].value = value

    def move(self) -> None:
        """Move every control through its ends and back; raise if drawing fails or if a control changes nothing.

        Tests run this in the cell after the figure.  A control that leaves the picture as it was at both ends is
        a defect of the figure, and named.
        """
        start = self.values()
        for name, control in self.controls.items():
            pictures = set()
            for value in ends(control):
                control.value = value
                pictures.add(self.image.value)
            control.value = start[name]
            if len(pictures) < 2:
                raise AssertionError(f"The control {name!r} changes nothing in the figure between its ends.")

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        shown = super()._repr_mimebundle_(**kwargs)
        if isinstance(shown, dict) and shown:
            shown["text/plain"] = f"Live figure; controls: {', '.join(self.controls)}"
            shown["image/png"] = base64.b64encode(self.image.value).decode("ascii")
        return shown


def live(draw: Callable[..., Any], *, dpi: int = DPI, **controls: W.ValueWidget) -> Live:
    """A figure that follows its controls.

    draw: pure; called as `draw(**{name: value})`; returns a matplotlib Figure, a PIL image, or an array (h, w) or
        (h, w, 3), uint8 or float in [0, 1].
    controls: ipywidgets by the name of the argument they set; give each a `description`, or it takes its name.

    Raises InputError when there is no control, or one has no value; and whatever `draw` raises.
    """
    if not controls:
        raise InputError("live expected at least one control, such as size=W.IntSlider(32, 8, 64).")
    for name, control in controls.items():
        if not isinstance(control, W.ValueWidget):
            raise InputError(f"live expected a widget with a value for {name!r}, got {type(control).__name__}.")
        if not getattr(control, "description", name):
            control.description = name
    return Live(draw, controls, dpi)


def to_png(picture: Any, dpi: int = DPI) -> bytes:
    """What a drawing function may return, as the bytes of a PNG; a Figure is closed."""
    import numpy as np
    from matplotlib.figure import Figure
    from PIL import Image

    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        import matplotlib.pyplot as plt

        picture.savefig(buffer, format="png", dpi=dpi)
        plt.close(picture)
    elif isinstance(picture, Image.Image):
        picture.save(buffer, format="png")
    elif isinstance(picture, np.ndarray) and picture.ndim in (2, 3):
        if picture.dtype != np.uint8:
            if not np.isfinite(picture).all():
                raise InputError("The drawing function returned an array with NaN or infinity in it.")
            picture = (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)
        Image.fromarray(picture).save(buffer, format="png")
    else:
        raise InputError(
            f"A drawing function returns a Figure, a PIL image or an array (h, w[, 3]), got {type(picture).__name__}."
        )
    return buffer.getvalue()


def steps(control: W.ValueWidget) -> list[Any]:
    """Every value that a reader can give to a control."""
    if hasattr(control, "options"):
        if isinstance(control.options, Mapping):
            return list(control.options.values())
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if isinstance(control.value, bool):
        return [False, True]
    if hasattr(control, "min") and hasattr(control, "max") and not hasattr(control, "base"):
        step = control.step or 1
        count = int((control.max - control.min) / step + 1e-6)
        return [type(control.value)(control.min + i * step) for i in range(count + 1)]
    raise InputError(f"A {type(control).__name__} has no list of values; give its values to the test by hand.")


def ends(control: W.ValueWidget) -> list[Any]:
    """First, last and middle value of a control."""
    values = steps(control)
    return list(dict.fromkeys([values[0], values[-1], values[len(values) // 2]]))


def settings(*, most: int = 200, **controls: W.ValueWidget) -> list[dict[str, Any]]:
    """Every combination of the controls' values, for a test of the drawing function over its whole grid.

    Where there would be more than ``most``, each control goes through its ends and its middle only.
    """
    values = [steps(control) for control in controls.values()]
    total = 1
    for column in values:
        total *= len(column)
    if total > most:
        values = [ends(control) for control in controls.values()]
    return [dict(zip(controls, combination, strict=True)) for combination in itertools.product(*values)]
