"""How hard Hypothesis tries: ``HYPOTHESIS_PROFILE=long`` for a longer search, else always the same short one."""

import os

from hypothesis import HealthCheck, settings

QUIET = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)

settings.register_profile(
    "ci",
    max_examples=120,
    stateful_step_count=50,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=QUIET,
)
settings.register_profile(
    "long", max_examples=600, stateful_step_count=100, deadline=None, suppress_health_check=QUIET, print_blob=True
)
settings.register_profile(
    "mutants",
    max_examples=15,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=QUIET,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
