"""Records to JSON and back."""

from typing import Any

from bottega.problem.records import Score, to_json
from bottega.shipping.document import from_document

COST = Score(60, 0.2, 0.1, 0.3, higher_is_better=False, n_groups=58)


def test_scores_come_back_as_scores_where_nothing_says_that_they_are() -> None:
    facts = {"threshold": 0.05, "by_cost": COST, "always": {"label": "ill", "score": COST}, "all": [COST]}
    assert from_document(dict[str, Any], to_json(facts), "costs") == facts


def test_what_only_looks_like_a_score_stays_what_it_is() -> None:
    part = {**to_json(COST), "source": "held-out"}
    assert from_document(dict[str, Any], {"test": part}, "") == {"test": part}
