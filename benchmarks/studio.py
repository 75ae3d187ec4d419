"""How many photographs a second does the studio make on one core?

    python benchmarks/studio.py [--size 256] [--people 12] [--views 8]

Times dressing a person (textures, garments, hair) and photographing them with all maps, in one process with one
thread, after a first person that pays for compiling and loading.  Prints both in milliseconds of processor time and
one JSON line; ``images_per_second`` counts dressing in, at ``views`` photographs a person.  The ask is 5 at 256 x 256.
"""

from __future__ import annotations

import argparse
import json
import os
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import torch  # noqa: E402

from posekit.studio.generate import make_person, sitter  # noqa: E402


def measure(size: int, people: int, views: int, set_: str) -> dict[str, float]:
    """Processor and wall-clock seconds for ``people`` x ``views`` photographs."""
    torch.set_num_threads(1)
    make_person(0, 0, 0, size, set_)
    dressing = photographs = 0.0
    start = time.perf_counter()
    for person in range(1, people + 1):
        t0 = time.process_time()
        sitter(0, person, set_)
        t1 = time.process_time()
        for view in range(views):
            make_person(0, person, view, size, set_)
        t2 = time.process_time()
        dressing, photographs = dressing + t1 - t0, photographs + t2 - t1
    wall = time.perf_counter() - start
    count = people * views
    return {
        "size": size,
        "people": people,
        "views": views,
        "dress_ms": round(1000 * dressing / people, 1),
        "photograph_ms": round(1000 * photographs / count, 1),
        "images_per_second": round(count / (dressing + photographs), 2),
        "images_per_second_wall": round(count / wall, 2),
    }


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--set", default="body", choices=["body", "face"])
    arguments = parser.parse_args()
    result = measure(arguments.size, arguments.people, arguments.views, arguments.set)
    print(f"dress a person          {result['dress_ms']:7.1f} ms")
    print(f"photograph, all maps    {result['photograph_ms']:7.1f} ms at {result['size']} x {result['size']}")
    print(json.dumps({"benchmark": "studio", **result}))


if __name__ == "__main__":
    main()
