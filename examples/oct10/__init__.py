"""The study of 10 October 2025: what was published, what of it holds, and who pays under each policy.

    python -m examples.oct10 FOLDER --report study.html

STUDY.md says what it reads and what was found.
"""
