"""The model `set`: a set that only grows, with `add`, `contains` and `elements` (the whole set as a list).

Claim: a history of such a set is linearizable iff the conditions below hold. To the history, an element e is a single
event: t_e, the moment at which it comes in. (A second add of it changes nothing.) Of the operations,
- an ok add of e, and a contains or a list that shows e, says: t_e is not after my end;
- a contains or a list that does not show e says: t_e is not before my start;
- adds that may have taken effect (ok or unknown) say: t_e is not before the first of us started. And any moment from
  there to the first end of an ok add lies within one of them: the one that started first, if that has not ended.
So without whole-set reads it is enough that for each e the latest of these starts is not after the earliest of these
ends. Whole-set reads tie elements together: a list is the state of one moment, so
- no list has an element twice, and the lists of a key form a chain by inclusion (else: `fork`);
- t_e lies between the last list of the chain that lacks e and the first that has it. With rank 2z + 1 for a list of z
  elements and 2z for an element whose first list has z, the answers force exactly this order of ranks, lists of equal
  size being equal. LEMMA ORDER (order.py) decides: events are intervals from their latest start to their earliest end.
The question for single elements is that of Lee & Mathur 2025, "Efficient Decrease-and-Conquer Linearizability
Monitoring"; the words are those of Jepsen's set-full checker.

The WITNESS is the smallest there is. Requests stay when answers are forgotten, so the first start of an add needs no
operation in the witness. Then one operation is enough for an element that is shown before it was asked for
(`unexpected`) or twice in one list (`duplicated`). Two are for an element that is missed after it was known (`lost`,
`stale`), for two lists that cannot be ordered (`fork`), and for a list with f and without e although e was known before
anybody asked for f (`order`). One case takes three: e was known before a contains found no f, and a list has f and not
e (`order` again). A pair that breaks LEMMA ORDER is one of these, so no violation needs more, and one that has no
smaller witness than the one shown cannot lose any of its operations.

Counts: `lost` acknowledged or seen, and absent from the last read or contains that started after that; `stale` absent
once after that, and present again later; `unexpected` shown before it was asked for; `duplicated` superfluous places in
lists; `forks` lists that the next larger one of their key does not contain; `order` elements known too early for their
place in the chain; and, no violations: `never-read` acknowledged, and nobody looked after that; `recovered` shown, and
no add of it was acknowledged.

Cost: O(n + total length of the lists) and a sort of the elements that lists hold; one more sort where values are far
apart or a chain is broken. It assumes nothing; an element may be added more than once.
"""

from dataclasses import dataclass

import numpy as np

from statelab.check.kernels.model import Deadline, Finding, Model, Proof
from statelab.check.models.set.evidence import NEVER, Evidence, gather
from statelab.check.models.set.lists import Chain, Swaps, chain, swaps
from statelab.check.models.set.witness import Witness, of_one, of_two, proof, swapped
from statelab.core.operation import Value
from statelab.record.columns import INF, History, Mask
from statelab.record.shapes import Shape


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """All that is wrong: elements shown too early or missed too late, broken chains, elements in a wrong order.

    `early` needs no contains to be seen, `swaps` may.
    """

    evidence: Evidence
    chain: Chain
    unexpected: Mask
    lacking: Mask
    early: Swaps | None
    swaps: Swaps | None

    @property
    def witness(self) -> Witness | None:
        found = of_one(self.evidence, self.chain, self.unexpected)
        found = found or of_two(self.evidence, self.chain, self.lacking, self.early)
        if found is None and self.swaps is not None:
            return swapped(self.evidence, self.chain, self.swaps, probed=True)
        return found


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one growing set per key explains all answers."""
    judged = _judge(gather(history))
    witness, counts = judged.witness, _counts(judged)
    if witness is None:
        return Finding(verdict="held", reason="one growing set explains all answers", counts=counts)
    listed = judged.chain.listed
    keys = [listed.key[judged.chain.twice], listed.key[judged.chain.forks.ravel()]]
    keys += [found.keys for found in (judged.early, judged.swaps) if found is not None]
    wrong = judged.unexpected | judged.lacking
    if wrong.any():
        keys.append(judged.evidence.key[wrong])
    return Finding(
        verdict="violated",
        reason="no set that only grows can have given these answers",
        proof=Proof(witness.kind, witness.rows, proof(judged.evidence, witness), witness.slack_ns),
        counts=counts,
        violated_keys=tuple(np.unique(np.concatenate(keys)).tolist()),
    )


def _judge(evidence: Evidence) -> _Judged:
    found = chain(evidence)
    lacking = evidence.missed > evidence.present
    return _Judged(
        evidence=evidence,
        chain=found,
        unexpected=(evidence.told < evidence.asked) & (evidence.told != INF),
        lacking=lacking,
        early=swaps(evidence, found, evidence.asked),
        swaps=swaps(evidence, found, np.maximum(evidence.asked, evidence.missed), lacking),
    )


def _counts(judged: _Judged) -> dict[str, int]:
    evidence, chain = judged.evidence, judged.chain
    acknowledged, seen = evidence.acknowledged, evidence.shown != NEVER
    back = judged.lacking & (evidence.shown >= evidence.missed)
    looked = np.maximum(evidence.shown, evidence.missed)
    asked = evidence.asked != INF
    counts = {
        "lost": judged.lacking & ~back,
        "stale": back,
        "unexpected": judged.unexpected,
        "order": 0 if judged.swaps is None else judged.swaps.count,
        "duplicated": chain.repeats,
        "forks": len(chain.forks),
        "never-read": (acknowledged != INF) & (looked <= acknowledged),
        "recovered": seen & asked & (acknowledged == INF),
    }
    return {word: int(np.sum(count)) for word, count in counts.items() if np.any(count)}


MODEL = Model(
    name="set",
    promise="what was added is there from then on, and what is there was added",
    operations={
        "add": Shape(value="value"),
        "contains": Shape(value="value", result="answer", changes=False),
        "elements": Shape(result="values", changes=False),
    },
    check=check,
)
