"""The commands, by subject; ``riskcore.cli`` puts them together. Each loads what it needs when it is run."""
