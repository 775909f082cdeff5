"""The judge of the workload `inventory`: never more is sold than there is, and nobody is refused without need.

An article says nothing unless it was put in stock for certain: else nobody knows how many there were.
"""

import numpy as np

from statelab.check.judges.judgement import Expectation, Judgement
from statelab.check.judges.stock import stock_judge
from statelab.check.models.inventory import SHOP
from statelab.core.load import STOCK
from statelab.record.columns import OK, History

SALES = stock_judge(SHOP, over="oversold", refused="false-sold-out", stock=STOCK)


def judge(history: History, expectation: Expectation) -> Judgement:
    put = history.is_op("stock")
    uncertain = np.unique(history.key[put & (history.status != OK)])
    return SALES(history.take(~np.isin(history.key, uncertain)), expectation)
