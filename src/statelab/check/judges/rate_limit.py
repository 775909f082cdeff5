"""The judge of the workload `rate-limit`: no more requests pass than the limit, and none is refused before it."""

from statelab.check.judges.stock import stock_judge
from statelab.check.models.inventory import LIMIT as TERMS
from statelab.core.load import LIMIT

judge = stock_judge(TERMS, over="over-limit", refused="over-refused", stock=LIMIT)
