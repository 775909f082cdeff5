"""The judge of browsers' sessions: wrong users, lost sessions, logouts undone, counts lost.

Each login has a key, and the key ends with the name of the user. An answer is a text: the user for whom the app
answered and, for `count` and `read`, the value of that user's counter (`b0-1 17`); null means nobody. For each login:
- `wrong-user`: an answer names another user;
- `logged-out`: `whoami` answered nobody, after the login was acknowledged and before any logout was asked for;
- `logout-undone`: a request that started after the acknowledged logout was answered for the user;
- `lost-update`: the model `counter` cannot explain the values of one user's counter, whoever got them.
A logout of unknown outcome may have ended the session, but does not count as acknowledged; a refused logout is neither.
Each witness is minimal: one answer, two operations in order, or the model's own. One operation comes before another
only if it had ended before the other started.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from statelab.check.judges.judgement import (
    Expectation,
    Judgement,
    not_reached,
    stalled,
    stopped,
    tried,
    unjudged,
    violated,
)
from statelab.check.judges.witness import stall, witness
from statelab.check.kernels.pairs import apart
from statelab.check.kernels.words import Cast
from statelab.check.models.counter.model import judged_one_way
from statelab.check.models.counter.words import UP
from statelab.core.errors import counted
from statelab.core.results import Witness
from statelab.record.columns import INFO, OK, History, Integers

CHANGES = frozenset({"login", "count", "logout"})
AS_COUNTER = {"count": "increment", "read": "read"}
COUNTS = replace(UP, step="count")
"""The counter's proofs, with the word `count` for an increment."""


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """For each row: `own` is the user who asked, `answered` the user for whom the app answered ("": nobody), `value`
    the value of the counter (None: the answer has none)."""

    history: History
    own: list[str]
    answered: list[str]
    value: list[int | None]

    def rows(self, *ops: str, status: int = OK) -> Integers:
        """The rows of these operations that ended so."""
        known = [code for code, name in enumerate(self.history.ops) if name in ops]
        found: Integers = np.flatnonzero(np.isin(self.history.op, known) & (self.history.status == status))
        return found

    def by_login(self, rows: Integers) -> dict[int, Integers]:
        """The rows of each login, by the code of its key."""
        key = self.history.key[rows]
        return {int(code): rows[key == code] for code in np.unique(key)}

    def acknowledged(self) -> dict[int, int]:
        """For each login the first logout that was acknowledged to its user."""
        own = [row for row in self.rows("logout").tolist() if self.answered[row] == self.own[row]]
        firsts = sorted(own, key=lambda row: int(self.history.end[row]), reverse=True)
        return {int(self.history.key[row]): row for row in firsts}


def read(history: History) -> Sessions:
    own, answered, value = [], [], []
    for row in range(len(history)):
        user, _, number = str(history.operation(row).result or "").partition(" ")
        own.append(history.keys[history.key[row]].partition(".")[2])
        answered.append(user)
        value.append(int(number) if number else None)
    return Sessions(history, own, answered, value)


def wrong_user(sessions: Sessions) -> Witness | None:
    """The shortest request that was answered for another user."""
    rows = sessions.rows("login", "count", "logout", "read", "whoami")
    wrong = [row for row in rows.tolist() if sessions.answered[row] not in ("", sessions.own[row])]
    if not wrong:
        return None
    history = sessions.history
    row = min(wrong, key=lambda row: int(history.end[row] - history.start[row]))
    text = f"A came from the browser of {sessions.own[row]} and was answered for {sessions.answered[row]}."
    return _witness(
        history,
        "wrong-user",
        [row],
        f"{text} {counted(len(wrong), 'answer')} {'was' if len(wrong) == 1 else 'were'} another user's.",
    )


def logged_out(sessions: Sessions) -> Witness | None:
    """A login, and a later `whoami` that answered nobody although no logout had been asked for until then."""
    history = sessions.history
    logins = sessions.by_login(sessions.rows("login"))
    asked = sessions.by_login(np.concatenate([sessions.rows("logout", status=status) for status in (OK, INFO)]))
    found = []
    for key, rows in sessions.by_login(sessions.rows("whoami")).items():
        ended = min((int(history.start[row]) for row in asked.get(key, ())), default=None)
        for login in logins.get(key, ()):
            for row in rows.tolist():
                late = ended is not None and ended <= int(history.end[row])
                if sessions.answered[row] == "" and int(history.end[login]) < int(history.start[row]) and not late:
                    found.append((int(login), row))
    if not found:
        return None
    pair = min(found, key=lambda rows: int(history.end[rows[1]] - history.start[rows[0]]))
    text = "A logged in, B asked who is logged in and was told nobody, and no logout had been asked for."
    return _witness(history, "logged-out", list(pair), text)


def logout_undone(sessions: Sessions) -> Witness | None:
    """A logout, and a request that started after it had ended and was still answered for its user."""
    history = sessions.history
    ends = sessions.acknowledged()
    found = [
        (ends[key], row)
        for key, rows in sessions.by_login(sessions.rows("count", "read", "whoami")).items()
        if key in ends
        for row in rows.tolist()
        if sessions.answered[row] == sessions.own[row] and history.end[ends[key]] < history.start[row]
    ]
    if not found:
        return None
    pair = min(found, key=lambda rows: int(history.end[rows[1]] - history.start[rows[0]]))
    cast = Cast(history, pair)
    user = sessions.own[pair[0]]
    text = f"A logged {user} out, and B was answered for {user} again: {apart(history, cast, *cast.rows)}."
    return _witness(history, "logout-undone", list(pair), text)


def lost_update(sessions: Sessions) -> Witness | None:
    """The model's proof that one counter for each user does not explain the values."""
    history = sessions.history
    rows = [row for row in sessions.rows("count", "read").tolist() if sessions.value[row] is not None]
    rows += sessions.rows("count", status=INFO).tolist()
    counters = [  # the counter is that of the user for whom the app answered; without an answer, of the user who asked
        msgspec.structs.replace(
            operation,
            op=AS_COUNTER[operation.op],
            key=sessions.answered[row] or sessions.own[row],
            result=sessions.value[row],
        )
        for row, operation in zip(rows, history.operations(rows), strict=True)
    ]
    finding = judged_one_way(History.from_operations(counters), 0, COUNTS)
    if finding.proof is None:
        return None
    places = [rows[place] for place in finding.proof.rows]
    return witness(history, "lost-update", places, finding.proof.text, slack_ns=finding.proof.slack_ns)


def _witness(history: History, anomaly: str, rows: list[int], text: str) -> Witness:
    return witness(history, anomaly, rows, f"{text} {Cast(history, rows).introductions()}")


FINDINGS: tuple[Callable[[Sessions], Witness | None], ...] = (lost_update, wrong_user, logged_out, logout_undone)


def judge(history: History, expectation: Expectation) -> Judgement:
    """A violation is proof whatever the coverage; an error of this judge is `unknown`."""
    expectation = replace(expectation, changes=CHANGES)
    measured = unjudged(history, expectation)
    try:
        sessions = read(history)
        found = {shown.anomaly: shown for find in FINDINGS if (shown := find(sessions))}
        if stalled(history, expectation):
            found["stalled"] = stall(history)
    except Exception as error:
        return stopped(measured, error)
    if found:
        return violated(measured, found)
    if short := _not_tried(sessions) or not_reached(history, expectation, measured.coverage):
        return msgspec.structs.replace(measured, verdict="not-exercised", reason=short)
    reason = f"every answer was for the user who asked, and no logout was undone ({tried(measured)})"
    return msgspec.structs.replace(measured, verdict="held", reason=reason)


def _not_tried(sessions: Sessions) -> str | None:
    """Which part of the promise no operation tried; None if all was tried."""
    if not len(sessions.rows("count")):
        return "no count was acknowledged"
    history, ends = sessions.history, sessions.acknowledged()
    asked = sessions.by_login(sessions.rows("whoami"))
    tried = (history.start[rows].max() > history.end[ends[key]] for key, rows in asked.items() if key in ends)
    return None if any(tried) else "nobody asked who is logged in after an acknowledged logout"
