"""posekit: pose-guided human image synthesis, taught and run.

The library follows one direction of data: photo and surface map -> coordinate texture -> completed
texture -> warped maps -> new photo -> losses and metrics.  Its folders are the floors of that house.
"""

__version__ = "0.1.0"
