"""What must happen: the rule that predicts a cell from claims and spread, the fixes, the failures that people report.

In: claims and deployments. Out: predictions. Reads no file except its own table of failures. Imports `plan`.
"""
