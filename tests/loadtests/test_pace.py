"""The rate that the load is held to, on a clock that the test moves."""

from types import SimpleNamespace

import pytest

import pace
from pace import Pace


class Clock:
    """Time passes only where somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(pace, "gevent", SimpleNamespace(sleep=self.sleep))

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("rate", "clients"), [(1, 8), (5, 2), (10, 8), (50, 4), (1000, 8), (3, 1)])
@pytest.mark.parametrize("idle_s", [0.0, 0.01, 0.3])
def test_no_second_has_more_requests_than_the_rate(
    monkeypatch: pytest.MonkeyPatch, rate: int, clients: int, idle_s: float
) -> None:
    """Whenever the second begins, and however long the clients do something else in between."""
    clock, held = Clock(monkeypatch), Pace(rate, clients)
    sent = []
    for number in range(300):
        held.wait()
        sent.append(clock.now)
        clock.now += idle_s if number % 3 else 0.0
    assert max(sum(begin <= each < begin + 1 - 1e-6 for each in sent) for begin in sent) <= rate
    assert idle_s or sent[-1] - sent[0] <= 300 / max(1, rate // 2)  # nor is it held to much less


def test_as_many_clients_as_the_rate_allows_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else no two of their requests would overlap."""
    clock, held = Clock(monkeypatch), Pace(50, 4)
    sent = []
    for _ in range(8):
        held.wait()
        sent.append(clock.now)
    assert sent[:4] == [100.0] * 4
    assert len(set(sent[4:])) == 1


def test_without_a_rate_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, free = Clock(monkeypatch), Pace(0, 8)
    for _ in range(1000):
        free.wait()
    assert clock.now == 100.0
