"""Rules of a user's own in place of the kernel's: read from a file, proven against what the kernel relies on, replayed.

``files`` reads a file of functions, ``lawful`` says which constructs in it can be followed, ``clauses`` has what each
function must keep, ``decide`` proves or refutes it, and ``planted`` runs the kernel with it.
"""
