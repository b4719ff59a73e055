"""Broken input for every reader: valid files, spoilt at random from a seed, through the commands that read them.

``python -m tests.hostile --cases 5000 --seed 3 [--reader NAME]`` looks for longer than the tests do.
"""
