"""Venues that are made up: a scenario's markets and agents, played through orders into an event log.

Tools, not the kernel. ``scenario_file`` reads what ``scenario`` holds; ``play`` runs the ``agents`` in a ``session``.
"""
