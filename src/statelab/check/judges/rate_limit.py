"""The judge of the workload `rate-limit`: so many requests are let through, and no request before is refused."""

from functools import partial

from statelab.check.judges.stock import stock_judge
from statelab.check.models.inventory import LIMIT

judge_of_limit = partial(stock_judge, LIMIT, over="over-limit", refused="over-refused")
judge = judge_of_limit(stock=2)
