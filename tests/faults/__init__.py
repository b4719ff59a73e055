"""Faults that real risk engines had, planted in this one: do the proofs see them?"""
