"""``python -m riskcore`` is the command line."""

from riskcore.cli import main

main()
