"""Requests that count many times: as one operation for each increment, and how many of the requests met.

Such a request answers with a list: when its first increment began and its last one ended, by the clock of its host
(ns), and then the number that each was told. Of one without an answer it is known how many increments it asked for.
"""

from dataclasses import replace

import numpy as np

from statelab.check.judges.judgement import touching
from statelab.record.columns import INFO, OK, History

STAMPS = 2


def one_by_one(history: History) -> History:
    """Each increment as an operation of its own, which lies anywhere in its request; the history itself where there
    are no such requests. O(increments)."""
    lists = history.elements
    if lists is None or history.values is not None:
        return history
    if (lists.known & ~(history.is_op("increment") & (lists.length >= STAMPS))).any():
        return history
    unknown = history.status == INFO
    asked = np.where(history.has_value & unknown, history.value, 1) if history.value is not None else 1
    row = np.repeat(np.arange(len(history)), np.where(lists.known, lists.length - STAMPS, asked))
    single = replace(history, elements=None).take(row)
    is_stamp = np.zeros(len(lists.number), np.bool_)
    for place in range(STAMPS):
        is_stamp[lists.first[:-1][lists.known] + place] = True
    result = single.result.copy()
    result[lists.known[row]] = lists.number[~is_stamp]
    return replace(single, result=result, has_result=single.has_result | lists.known[row])


def met(history: History) -> int:
    """Pairs of requests for one counter on one host that counted at the same time. O(n log n)."""
    lists = history.elements
    assert lists is not None
    rows = np.flatnonzero(lists.known & (history.status == OK))
    begun, ended = (lists.number[lists.first[rows] + place] for place in range(STAMPS))
    hosts = [server.host if server else "" for server in history.servers]
    place = np.array([f"{hosts[history.served_by[row]]} {history.key[row]}" for row in rows])
    return sum(touching(begun[place == one], ended[place == one]) for one in np.unique(place))
