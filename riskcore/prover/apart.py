"""Work that comes out the same whatever was done before it in this process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import z3


@contextmanager
def apart() -> Iterator[None]:
    """The block's terms are the first ones of a context of z3's, and stay in it.

    z3 writes the parts of a sum by their age, and gives a term's number to another once it is freed. So claims, and
    the effort that they take, would depend on what was traced before, and on when Python looks for what is unused.
    """
    main, was_enabled = z3.z3._main_ctx, gc.isenabled()
    z3.z3._main_ctx = None
    gc.disable()
    try:
        yield
    finally:
        z3.z3._main_ctx = main
        if was_enabled:
            gc.enable()
