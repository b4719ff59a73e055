"""A second venue, written from the laws and not from the kernel.

Slow on purpose: plain dicts, every sum recomputed from all accounts, every division a
``Fraction`` that is then rounded in words. Where the kernel is lazy this is eager: funding
leaves an account's cash the moment it is due, and a rejected event is one whose trial copy
of the whole venue broke a rule. ``View`` is what both can be compared by. Nothing of the kernel is
imported: an event is known by the name of its kind, a choice by its word.
"""
