"""The judge of the workload `inventory`: never more sold than there is, and nobody refused for nothing."""

from statelab.check.judges.stock import stock_judge
from statelab.check.models.inventory import SHOP
from statelab.core.load import STOCK

judge = stock_judge(SHOP, over="oversold", refused="false-sold-out", stock=STOCK)
