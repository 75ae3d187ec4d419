"""The networks that read photographs, as files in the package, and how they are run.

MediaPipe's "pose detection", "pose landmark full" and "face landmark", Apache-2.0, out of the wheel mediapipe 0.10.21,
unchanged; the interpreter is the package ai-edge-litert (extra ``posekit[photo]``).

Sources: V. Bazarevsky et al., BlazePose: On-device Real-time Body Pose Tracking; Y. Kartynnik et al., Real-time Facial
Surface Geometry from Monocular Video on Mobile GPUs.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from posekit.util.errors import InputError

HASHES = {
    "pose_detection": "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "pose_landmark_full": "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    "face_landmark": "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
}


@cache
def _interpreter(name: str) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise InputError(
            "Finding people in photographs needs the package ai-edge-litert; install it with pip install "
            "'posekit[photo]', or give joints or maps yourself."
        ) from error
    content = files("posekit.photo").joinpath(f"asset/{name}.tflite").read_bytes()
    if hashlib.sha256(content).hexdigest() != HASHES[name]:
        raise InputError(f"The file posekit/photo/asset/{name}.tflite is damaged; install posekit again.")
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES  # the faster ones talk on stderr
    interpreter = Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    return interpreter


def run_model(name: str, picture: np.ndarray) -> Mapping[str, np.ndarray]:
    """Run a network of `HASHES` on one picture (h, w, 3) of the size and range it wants; outputs by their names."""
    interpreter = _interpreter(name)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture[None].astype(np.float32))
    interpreter.invoke()
    return {one["name"]: interpreter.get_tensor(one["index"]).copy() for one in interpreter.get_output_details()}
