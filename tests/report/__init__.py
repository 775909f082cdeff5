"""The report, tried on made-up results."""
