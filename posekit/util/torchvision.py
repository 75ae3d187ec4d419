"""Make ``import torchvision`` work beside a torch without torchvision's compiled operators.

The reason: PyPI's torchvision is compiled for PyPI's torch.  Beside another build of the same torch version, a
CPU-only one for instance, its compiled library cannot be loaded, and ``import torchvision`` then fails because the
operator ``torchvision::nms`` does not exist.  ``lpips`` and ``torchmetrics`` import torchvision and fail with it.
posekit needs none of these operators (they suppress overlapping detection boxes): it needs model definitions and
weights.  Declaring the two operators that the import looks up is enough.
"""

import sys
from types import ModuleType

_MISSING = "operator torchvision::nms does not exist"
_library = None  # declared operators live as long as this object


def ensure_torchvision() -> ModuleType:
    """Import torchvision, declaring its compiled operators first where they are missing, and return it.

    Call it before ``import torchvision``, ``lpips`` or ``torchmetrics``.  It does nothing more than the import where
    torchvision works.  The declared operators have no implementation: calling one raises an error.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
        _declare_operators()
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]  # what the failed import left behind
        import torchvision
    return torchvision


def _declare_operators() -> None:
    import torch

    global _library
    _library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        _library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
