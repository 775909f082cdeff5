"""State Lab's instrument: it starts deployments, judges histories, predicts, and reports."""

__version__ = "0.2.0"
