"""Stress: one scenario many times, with figures drawn anew for each path, under several rulebooks at once.

``family.py`` reads what varies, ``paths.py`` plays a path under every rulebook, ``summary.py`` says what came of all,
``saving.py`` writes every path as a row.
"""
