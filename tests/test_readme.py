"""The first page: its ten lines run, and it is short."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from posekit.studio.generate import make_person

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def _as_field_file(person) -> np.ndarray:
    """The map as the field's `.npy` has it: (h, w, 2), v pointing up, NaN off the body."""
    u, v = person.uv.numpy()
    off = person.mask[0].numpy() < 0.5
    return np.where(off[..., None], np.nan, np.stack([u, -v], -1)).astype(np.float32)


def test_the_ten_lines(tmp_path):
    """On two photographs of one rendered person, in the files and with the names that the page shows."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    lines = [line for line in code.splitlines() if line]
    assert len(lines) <= 10
    source, target = (make_person(0, 9, view, 128) for view in (0, 1))
    pixels = [(p.image.movedim(0, -1).numpy() * 255).round().astype(np.uint8) for p in (source, target)]
    Image.fromarray(pixels[0]).save(tmp_path / "photo.png")
    for name, person in (("photo_map", source), ("target_map", target)):
        np.save(tmp_path / f"{name}.npy", _as_field_file(person))
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120)
    with Image.open(tmp_path / "new.png") as picture:
        made = np.asarray(picture).astype(float)
    body = target.mask[0].numpy() > 0
    error, copied = (np.abs(image.astype(float) - pixels[1])[body].mean() for image in (made, pixels[0]))
    assert error < 0.8 * copied, "on the target's body the new photograph is nearer to the truth than the source"


def test_it_is_short():
    prose = re.sub(
        r"```.*?```|<!-- notebooks: begin -->.*<!-- notebooks: end -->|^\|.*$", "", README, flags=re.S | re.M
    )
    assert len(prose.split()) <= 900
