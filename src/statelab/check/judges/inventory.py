"""The judge of the workload `inventory`: never sell more than there is, and refuse nobody while there is some left."""

from statelab.check.judges.stock import stock_judge
from statelab.check.models.inventory import SHOP
from statelab.core.load import STOCK

judge = stock_judge(SHOP, over="oversold", refused="false-sold-out", stock=STOCK)
