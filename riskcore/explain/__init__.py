"""Why one event of a log did what it did, or was rejected: computed by the kernel's own functions, and nothing else.

``watch`` looks on while the kernel runs, ``clauses`` reads its conditions, ``explanation`` puts everything together.
"""
