"""docs/mechanisms.md says what the app's catalogue and the theory say."""

import msgspec

from offered import offered
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import load_all
from statelab.report.docs.mechanisms_page import PAGE, render

DEPLOYED = load_all(DEPLOYMENTS)


def without_sources(catalogue: Catalogue) -> Catalogue:
    plain = msgspec.to_builtins(catalogue)
    for workload in plain["workloads"].values():
        for mechanism in workload["mechanisms"].values():
            mechanism["source"] = None
    return msgspec.convert(plain, Catalogue)


def test_the_page_is_up_to_date() -> None:
    """Generated anew it is the same, letter for letter."""
    assert PAGE.read_text() == render(offered(), DEPLOYED), "docs/mechanisms.md is out of date: run `make docs`"


def test_every_mechanism_is_told_with_its_prediction_in_each_deployment() -> None:
    """One heading each, and a line of marks for each of two windows as long as the list of deployments; of a server's
    own mechanism as long as the list of its deployments, and without a line if there are none."""
    text = render(offered(), DEPLOYED)
    headings = [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]
    assert headings == [name for workload in offered().workloads.values() for name in workload.mechanisms]
    for window in ("tight", "io"):
        lines = [line for line in text.splitlines() if line.startswith(f"| `{window}` |")]
        in_it = [m.claims for w in offered().workloads.values() if window in w.windows for m in w.mechanisms.values()]
        columns = [sum(claims.offered_by(each.server) for each in DEPLOYED.values()) for claims in in_it]
        assert [line.count("|") - 2 for line in lines] == [number for number in columns if number]
        assert {*columns} == {0, 7, len(DEPLOYED)}


def test_what_breaks_has_the_nearest_that_holds_with_its_lines() -> None:
    """A lock for the module global under threads; one command for the two of Redis."""
    text = render(offered(), {name: DEPLOYED[name] for name in ("dev-threaded", "sync-4", "gthread", "gevent")})
    told = text.partition("### module-global\n")[2].partition("\n### ")[0]
    assert "Under `dev-threaded`, `gthread`, `gevent` the nearest that holds is `module-global-lock`" in told
    assert "| + lock = threading.Lock()" in told
    told = text.partition("### redis-get-set\n")[2].partition("\n### ")[0]
    assert "the nearest that holds is `redis-incr`; 4 lines changed:" in told
    assert "-     stores.redis().set(key, value + 1)          | +     return int(stores.redis().incr(key))" in told


def test_an_app_without_sources_has_a_page_as_well() -> None:
    """Names without code, and a sentence that says why."""
    text = render(without_sources(offered()), DEPLOYED)
    assert "the app shows no source to compare" in text
    assert "```" not in text
