"""What must happen: the rule that predicts a cell from claims and spread, the nearest fix, the failures people report.

In: claims and deployments. Out: predictions. No input or output of its own. Imports `plan`.
"""
