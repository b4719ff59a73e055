"""The laboratory of policies: who pays when positions are closed by force, and what can be said of each rule for it.

``specs/policies.py`` has the properties, ``rules.py`` the kernel's own policies as plain functions, ``examples.py``
some that the kernel has not. For each policy and property ``matrix.py`` names what proves it, or searches for a case
that refutes it (``search.py``), which ``realise.py`` then plays through the kernel as a log.
"""
