"""Where batches run: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from riskcore.bad_input import LogError


@contextmanager
def open_processes(jobs: int) -> Iterator[Executor]:
    """Processes that leave an interrupt to their parent, and end with the block, also where work is left."""
    executor = ProcessPoolExecutor(jobs, initializer=_ignore_interrupts)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    executor.shutdown()


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def open_cluster(address: str, seconds: float = 10) -> Iterator[tuple[Executor, int]]:
    """A Dask cluster's executor, and its number of threads. Raises ``LogError``.

    Equal tasks are not taken for one (``pure=False``); those of a worker that dies go to another.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise LogError("--dask", None, None, "Dask (pip install 'riskcore[dask]')", "none") from None
    try:
        client = distributed.Client(address, timeout=seconds)
    except (OSError, ValueError) as error:
        got = f"{type(error).__name__} within {seconds:g} s"
        raise LogError(f"--dask {address}", None, None, "a Dask scheduler", got) from None
    with client:
        yield client.get_executor(pure=False), max(1, sum(client.nthreads().values()))
