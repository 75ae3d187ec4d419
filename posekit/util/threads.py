"""Compiled loops in plain threads: numba's own do not survive a fork, and data loaders fork."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

SERIAL = 4096  # fewer pixels than this are done sooner than a thread is started


def in_threads(work: Callable[[int, int, int], None], items: int, length: int, pixels: int) -> None:
    """Run ``work(item, first, last)`` over all items, each cut into bands of ``length`` where threads would idle.

    ``work`` must release the GIL, and no two of its calls may write the same memory.
    """
    threads = torch.get_num_threads() if pixels >= SERIAL else 1
    bands = min(max(1, threads // max(items, 1)), max(length, 1))
    edges = [length * k // bands for k in range(bands + 1)]
    tasks = [(i, first, last) for i in range(items) for first, last in zip(edges[:-1], edges[1:], strict=True)]
    queue = iter(tasks)

    def drain() -> None:
        for task in queue:
            work(*task)

    helpers = min(threads, len(tasks)) - 1
    if helpers < 1:
        return drain()
    with ThreadPoolExecutor(helpers) as pool:
        running = [pool.submit(drain) for _ in range(helpers)]
        drain()
        for helper in running:
            helper.result()
