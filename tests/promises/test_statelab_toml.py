"""What a person may write of the promises of an app, and how a bad file is refused: with file, key and what to do."""

from pathlib import Path

import pytest

from statelab.core.errors import BadInput
from statelab.plan import promises
from statelab.plan.profiles import PROFILES

HERE = Path(__file__).parent
COUNTER = '[promise.hits]\nworkload = "counter"\n'
INCREMENT = 'increment = { request = "POST /hit", result = "$.hits" }\n'
READ = 'read = { request = "GET /hits", result = "$.hits" }\n'
STOCK = '[promise.s]\nworkload = "inventory"\nstock = { request = "PUT /s/{key}", json = { n = "{value}" } }\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[promises.hits]", "statelab.toml: no table 'promises'; valid are audit, promise"),
        ("[promise.hits]\n", "promise.hits.workload is missing; valid are counter, unique-id"),
        ("[promise.hits]\nworkload = 'cuonter'\n", "promise.hits.workload is 'cuonter'; valid are counter,"),
        ("[promise.hits]\nworkload = ['counter']\n", "promise.hits.workload is ['counter']"),
        ("[promise]\nhits = 1\n", "promise.hits: expected a table, [promise.hits]"),
        ("[promise.'../x']\n", "promise.../x: a name has small letters"),
        (COUNTER + INCREMENT, 'promise.hits: the promise counter needs read as well, such as read = { request = "GET'),
        (COUNTER + "incr = {}\n", "promise.hits: no operation 'incr'; valid are increment, read"),
        (COUNTER + READ + "increment = 'POST /hit'\n", 'promise.hits.increment: expected { request = "POST /..." }'),
        (COUNTER + READ + "increment = {}\n", "promise.hits.increment: Object missing required field `request`"),
        (COUNTER + READ + "increment = { request = 'hit' }\n", "promise.hits.increment.request: expected a method and"),
        (
            COUNTER + INCREMENT + "read = { request = 'GET /hits' }\n",
            "promise.hits.read.result is missing: where in the",
        ),
        (
            COUNTER + READ + "increment = { request = 'POST /hit', status = 99 }\n",
            "promise.hits.increment.status: Expec",
        ),
        (
            COUNTER + READ + "increment = { request = 'POST /hit', result = '$.a[' }\n",
            "promise.hits.increment.result: '$.a[' is not a JSONPath: ",
        ),
        (
            COUNTER + READ + "increment = { request = 'POST /hit', result = 'hits' }\n",
            "promise.hits.increment.result: 'hits' is not a JSONPath: a path begins with $",
        ),
        (
            COUNTER + READ + "increment = { request = 'POST /hit', result = '$.a[*]' }\n",
            "promise.hits.increment.result: '$.a[*]' may find several values",
        ),
        (
            COUNTER + READ + "increment = { request = 'POST /{name}', result = '$' }\n",
            "promise.hits.increment: no placeholder {name}; valid are {id}, {key}",
        ),
        (
            COUNTER + READ + "increment = { request = 'POST /', result = '$', json = {}, form = { a = 'b' } }\n",
            "promise.hits.increment: a body is form or json",
        ),
        (
            COUNTER + READ + "increment = { request = 'POST /', resutl = '$' }\n",
            "Object contains unknown field `resutl`",
        ),
        (STOCK + 'buy = { request = "POST /s/{key}" }\n', "promise.s.buy.sold_out is missing: the answer that refuses"),
        (
            STOCK + 'buy = { request = "POST /s/{key}", sold_out = "no" }\n',
            "promise.s.buy.sold_out is 'no', but without",
        ),
        (
            STOCK + 'buy = { request = "POST /s/{key}", sold_out = 7 }\n',
            "promise.s.buy.sold_out is 7; it must be an HT",
        ),
        (STOCK + 'buy = { request = "POST /s", sold_out = 409 }\n', "promise.s.buy: the placeholder {key} is missing"),
        ("[promise", "statelab.toml: "),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_the_key(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "statelab.toml").write_text(text)
    with pytest.raises(BadInput) as refused:
        promises.load(tmp_path)
    assert sentence in str(refused.value)
    assert str(refused.value).startswith(f"{tmp_path / 'statelab.toml'}: ")


def test_one_bad_promise_refuses_the_good_ones_too(tmp_path: Path) -> None:
    (tmp_path / "statelab.toml").write_text(COUNTER + INCREMENT + READ + "[promise.b]\nworkload = 'b'\n")
    with pytest.raises(BadInput, match=r"promise\.b\.workload"):
        promises.load(tmp_path)


def test_two_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "statelab.toml").write_text(COUNTER + INCREMENT + READ)
    (tmp_path / "pyproject.toml").write_text("[tool.statelab.promise.hits]\n")
    with pytest.raises(BadInput, match="both configure the promises"):
        promises.load(tmp_path)


def test_every_promise_of_the_examples_is_a_mechanism_of_which_nothing_is_claimed() -> None:
    """Each workload occurs in one of the two apps. The profile leaves none out, and has the one window there is."""
    found = promises.load(HERE / "shop") | promises.load(HERE / "desk")
    catalogue = promises.catalogue(found)
    mechanisms = {
        name: about for workload in catalogue.workloads.values() for name, about in workload.mechanisms.items()
    }
    assert catalogue.workloads.keys() == promises.KINDS.keys()
    assert mechanisms.keys() == found.keys()
    assert not any(mechanism.claimed for mechanism in mechanisms.values())
    essentials = promises.of_profile(PROFILES["essentials"])
    assert (essentials.mechanisms, essentials.windows, essentials.survival) == (None, (promises.WINDOW,), False)
