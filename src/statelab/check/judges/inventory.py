"""The judge of the workload `inventory`: never more is sold than there is, and nobody is refused without need."""

from statelab.check.judges.stock import stock_judge
from statelab.check.models.inventory import SHOP
from statelab.core.load import STOCK

judge = stock_judge(SHOP, over="oversold", refused="false-sold-out", stock=STOCK)
