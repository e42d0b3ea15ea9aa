"""The error's three fields, and the names it suggests."""

import pytest

from bottega.errors import BottegaError, UnmetBarError, found_in, nearest_name


def test_the_text_has_the_three_fields_in_order() -> None:
    with pytest.raises(BottegaError, match=r"found: 'x' \(row 3\)\nexpected: a number\nfix: write 1"):
        raise BottegaError(found="'x'", expected="a number", fix="write 1", where="row 3")


def test_it_is_a_value_error_with_the_users_status() -> None:
    assert issubclass(BottegaError, ValueError)
    assert BottegaError.exit_status == 2
    assert UnmetBarError.exit_status == 3


def test_the_document_has_the_keys_of_the_contract() -> None:
    rejected = [{"path": "a.jpg", "reason": "empty"}]
    error = BottegaError(found="a", expected="b", fix="c", rejected=rejected)
    assert error.to_json() == {
        "error": {"found": "a", "expected": "b", "fix": "c", "where": None},
        "rejected": rejected,
        "suspects": [],
    }


@pytest.mark.parametrize(("name", "nearest"), [("--sed", "--seed"), ("trian", "train"), ("zzz", None), ("", None)])
def test_nearest_name(name: str, nearest: str | None) -> None:
    assert nearest_name(name, ["--seed", "train", "look"]) == nearest


def test_found_in_names_five_and_counts_the_rest() -> None:
    assert found_in(list("abcdefg")) == "'a', 'b', 'c', 'd', 'e' and 2 more"
    assert found_in(["a\n"]) == r"'a\n'"
    assert found_in([]) == ""
