"""The judge of the workload `request-scope`: the model `echo`, on requests that store a value and ones that do not."""

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
"""An `echo` stores its value and reads it back; a `find` stores nothing and answers its own value if it finds nothing.
In both cases a request must get back what it sent."""
