"""The judge of the workload `unique-id`: no id is handed out twice."""

from statelab.check.judges.by_model import ByModel
from statelab.check.models import MODELS

judge = ByModel(model=MODELS["unique-ids"], names={"duplicate": "duplicate-id"})
