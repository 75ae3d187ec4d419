"""Live figures: a pure function that draws, and a thin shell of controls around it."""

from posekit.teaching.widgets.live import Live, live, settings

__all__ = ["Live", "live", "settings"]
