"""From a cell's history to its row of the report: coverage, copies, anomalies and witnesses. No I/O."""
