"""From lines and tables to histories: `read_lines` and `read_table` take a stream and the shapes of a model.

What is not an operation of the model is refused, with one sentence that says where it stands and what is wrong.
"""

from statelab.record.reading.lines import read_lines as read_lines
from statelab.record.reading.table import read_table as read_table
