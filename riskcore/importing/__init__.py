"""Fills as venues and clients give them: read exactly, checked against the venue's own columns, made into a log.

Readers (``hyperliquid``, ``ccxt``, ``table``) make ``records``; ``ordering`` puts them in order, ``reconcile`` books
them and names what differs, ``log_events`` makes events of them, ``report`` shows it all.
"""
