"""What notebooks need beyond the library: recorded numbers, live figures, exercise checks; and how they are made.

record(name=value)      leave a number in the notebook for the reader and for sweeps
widgets.live(draw, ...) a figure with controls
checks                  checkers that name the mistake in an exercise
notebooks, student      programs: build the notebooks from their sources, make the students' copies
"""

from posekit.teaching.record import record

__all__ = ["record"]
