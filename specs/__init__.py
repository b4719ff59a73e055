"""What must hold: one contract per event, and the laws over all of them.

Nothing here calls the kernel's functions. A contract reads a ``Case`` (``case.py``)
and is the same text for the prover's symbols and for a replay's integers.
"""
