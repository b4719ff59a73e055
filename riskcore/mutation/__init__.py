"""Mutants of the kernel: small wrong changes of its source, hunted by the proofs and by the tests.

``operators`` says what may be changed, ``mutants`` names each change, ``planting`` puts one into the running
kernel, ``hunting`` and ``checking`` look for it, ``equivalence`` and ``agreement`` prove that one is no fault.
"""
