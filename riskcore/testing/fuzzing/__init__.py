"""Seeded random walks in numbers: trials, what they find, and that made short.

The walks are raw (a seeded ``Random``, no Hypothesis): many times as fast as Hypothesis' machine, which draws
every choice through its own engine, and they need nothing installed. What is lost, its shrinking, is made up for by
deletion of events alone (``shrinking.py``), since a venue's events mean the same whatever came before them.
"""
