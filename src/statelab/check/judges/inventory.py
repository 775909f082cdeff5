"""The judge of the workload `inventory`: never more sold than there is, and nobody refused for nothing."""

from functools import partial

from statelab.check.judges.stock import stock_judge
from statelab.check.models.inventory import SHOP

judge_of_stock = partial(stock_judge, SHOP, over="oversold", refused="false-sold-out")
judge = judge_of_stock(stock=2)
