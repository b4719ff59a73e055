"""Processes for work in parallel, which end with the block that they work for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context


@contextmanager
def new_pool(jobs: int, *, tasks_each: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """So many processes, each started anew after ``tasks_each`` tasks if there is such a number.

    Whoever interrupts the block does not wait for what its processes are at: they are ended.
    """
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=tasks_each)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in active_children():
            process.terminate()
        raise
    pool.shutdown()
