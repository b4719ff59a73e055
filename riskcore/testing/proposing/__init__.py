"""Proposals of events, by a seeded ``Random`` that looks at the naive model."""
