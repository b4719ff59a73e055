"""Proves the laws over the kernel's own source.

The transition runs on symbols once per path (``tracer``), on a book of symbols that
stands for any number of accounts (``book``); z3 decides each law on each path
(``solver``), and each path's model is replayed in plain CPython (``witness``).
"""
