"""The judge of the workload `rate-limit`: so many requests are let through, and no request before is refused."""

from statelab.check.judges.stock import stock_judge
from statelab.check.models.inventory import LIMIT as TERMS
from statelab.core.load import LIMIT

judge = stock_judge(TERMS, over="over-limit", refused="over-refused", stock=LIMIT)
