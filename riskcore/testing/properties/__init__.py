"""What needs Hypothesis: strategies, and machines that let anything happen."""

try:
    import hypothesis
except ImportError:
    message = "riskcore.testing.properties needs Hypothesis: pip install 'riskcore[testing]'"
    raise ImportError(message) from None

__all__ = ["hypothesis"]
