"""The judge of the workload `request-scope`: the model `echo` for two operations.

An `echo` stores its value and reads it back. A `find` stores nothing and answers its own value if it finds nothing.
Either way a request must get back what it sent.
"""

from dataclasses import replace

from statelab.check.judges.by_model import ByModel
from statelab.check.models import MODELS
from statelab.record.shapes import Shape

judge = ByModel(
    model=replace(
        MODELS["echo"],
        operations={
            "echo": Shape(value="value", result="value", nothing=frozenset({"result"})),
            "find": Shape(value="value", result="value", changes=False),
        },
    ),
    names={"overlap": "leak-overlap", "residue": "leak-residue"},
)
