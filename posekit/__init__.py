"""posekit: pose-guided human image synthesis, taught and run.

The library follows one direction of data: photo and surface map -> coordinate texture -> completed
texture -> warped maps -> new photo -> losses and metrics.  Its folders are the floors of that house.

The names that most programs need are here, loaded when they are first used; `__init__.pyi` lists them with their homes.
"""

import lazy_loader

from posekit.util.cache import keep_numba_out_of_the_working_folder
from posekit.util.waiting import let_waiting_threads_sleep

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

let_waiting_threads_sleep()
keep_numba_out_of_the_working_folder()
