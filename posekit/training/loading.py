"""Batches for the training loop, loaded here or ahead in other processes, which end with the loop whatever ends it."""

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader

from posekit.person import Pair, collate_pairs
from posekit.training.order import Batches
from posekit.training.signals import ignore_interrupt
from posekit.util.errors import InputError


@contextmanager
def loaded_batches(
    data: Sequence[Pair], order: Batches, parts: int = 1, workers: int = 0
) -> Iterator[Iterator[list[Pair]]]:
    """An iterator over the batches of ``order``, each a list of ``parts`` micro-batches.

    Nothing is drawn from the global generator.  workers: processes that load ahead; data that makes its own batches
    (``data.device_batch(indices)``) needs none.  Raises InputError, in one sentence, for what the data says of a pair
    that it cannot give, and where a loader is killed.
    """
    if hasattr(data, "device_batch"):
        yield _from_device(data, order, parts)
        return
    loader = DataLoader(
        _Asked(data),
        batch_sampler=order,
        collate_fn=partial(_collate, parts=parts),
        num_workers=workers,
        worker_init_fn=ignore_interrupt,
        generator=torch.Generator().manual_seed(0),
        persistent_workers=False,
    )
    others = set(multiprocessing.active_children())
    iterator = iter(loader)
    loaders = set(multiprocessing.active_children()) - others
    try:
        yield _said(iterator)
    finally:
        if workers:
            iterator._shutdown_workers()  # an exception's traceback holds the iterator, so it would not end by itself
        for process in loaders:  # they ignore SIGTERM, with which Python would end them, and wait
            process.kill()
            process.join()


def _from_device(data: Any, order: Batches, parts: int) -> Iterator[list[Pair]]:
    for indices in order:
        size = len(indices) // parts
        yield [data.device_batch(indices[i : i + size]) for i in range(0, len(indices), size)]


class _Asked(Sequence):
    """The data, whose refusals are handed on instead of raised: a loader would wrap them into its own traceback."""

    def __init__(self, data: Sequence[Pair]):
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Pair | InputError:
        try:
            return self.data[index]
        except InputError as error:
            return error


def _collate(samples: list[Pair | InputError], parts: int) -> list[Pair] | InputError:
    refused = next((sample for sample in samples if isinstance(sample, InputError)), None)
    if refused is not None:
        return refused
    size = len(samples) // parts
    try:
        return [collate_pairs(samples[i : i + size]) for i in range(0, len(samples), size)]
    except InputError as error:
        return error


def _said(iterator: Iterator) -> Iterator[list[Pair]]:
    """The batches; a refusal is raised here, and so is the death of a loader, in one sentence."""
    while True:
        try:
            batch = next(iterator, None)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise InputError(
                "A process that loads pairs was killed, often because memory was short; run the same command again "
                "with fewer --workers."
            ) from error
        if batch is None:
            return
        if isinstance(batch, InputError):
            raise batch
        yield batch
