"""Conformance: vectors for engines in any language, and a runner that drives such an engine over a pipe.

Tools, not the kernel. ``CONFORMANCE.md`` has the formats for people who never run Python.
"""
