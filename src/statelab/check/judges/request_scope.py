"""The judge of what a request keeps about itself: the model `echo`, for two questions."""

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
"""An `echo` stores its value and reads back; a `find` stores nothing and answers its own value where it finds nothing.
Either way a request is to get back what it sent."""
