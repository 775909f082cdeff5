"""What the page of the scheduler plays is what the lab's code, stores and judges do."""

import pytest

from statelab.core.paths import DEPLOYMENTS, ROOT
from statelab.plan.app import App
from statelab.plan.catalogue import Catalogue, of_app
from statelab.plan.deployments import load_all
from statelab.report.content.orders import Game, games
from statelab.repro import orders
from statelab.repro.targets import targets

GAMES = pytest.mark.parametrize("game", games(), ids=lambda game: game.address)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return of_app(App())


def test_every_cell_has_its_game() -> None:
    assert [(f"{game.workload}/{game.mechanism}", game.deployment) for game in games()] == list(orders.CELLS)


@GAMES
def test_the_lines_are_those_of_the_mechanism(game: Game) -> None:
    """`python -m statelab.repro.orders` plays a mechanism anew whose source has changed."""
    text = (ROOT / game.file).read_text().splitlines()
    assert game.lines == {number: text[number - 1] for number in game.lines}
    stood = {side.line for moment in game.moments for side in moment.sides.values()} - {None}
    assert stood <= game.lines.keys()


@GAMES
def test_the_judge_says_the_same_today(game: Game, catalogue: Catalogue) -> None:
    """Of the history of each order, proof included."""
    target = targets(catalogue, load_all(DEPLOYMENTS), f"{game.workload}/{game.mechanism}", [game.deployment])[0]
    assert [orders.judged(target, end.history) for end in game.ends] == game.ends


@GAMES
def test_what_is_found_is_what_is_predicted(game: Game, catalogue: Catalogue) -> None:
    """In some order, that of `statelab repro` among them; where the theory says that it holds, in none."""
    found = targets(catalogue, load_all(DEPLOYMENTS), f"{game.workload}/{game.mechanism}", [game.deployment])
    predicted = {target.anomaly for target in found if target.anomaly}
    assert {name for end in game.ends for name in end.anomalies} == predicted
    assert set(game.end(game.shown).anomalies) == predicted


def test_who_waits() -> None:
    """A lock lets only one of two threads go on; nobody waits where the two are in two processes, or have no lock."""
    waiting = {game.address for game in games() for m in game.moments if any(side.waits for side in m.sides.values())}
    assert waiting == {"play.module-global-lock.gthread"}


@pytest.mark.process
def test_played_anew(catalogue: Catalogue) -> None:
    """The real code and the real store give the same orders, ends and proofs once more."""
    stored = next(game for game in games() if game.mechanism == "redis-incr-get")
    with orders.store_for_games() as environment:
        again = orders.game("counter/redis-incr-get", "sync-4", catalogue, environment)
    assert again.orders() == stored.orders()
    assert {end.reason for end in again.ends} == {end.reason for end in stored.ends}
    assert again.end(stored.shown) == stored.end(stored.shown)
