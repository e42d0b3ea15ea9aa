"""Answers on the terminal."""

from bottega.cli.answer_lines import label_lines


def answer(label: str, share: float) -> dict[str, object]:
    shares = {"no": 1 - share, "yes": share}
    return {"input": "row 2", "label": label, "probabilities": shares, "sure": False}


def test_an_answer_that_is_not_the_likeliest_is_put_down_to_the_costs() -> None:
    said = [answer("yes", 0.3), answer("yes", 0.9), answer("no", 0.1)]
    assert label_lines(said, 3)[-1] == "1 of the 3 answers is the cheapest by the file's costs, not the likeliest"
    assert label_lines(said[:1], 3)[-1] == "the answer is the cheapest by the file's costs, not the likeliest"
    assert "costs" not in "\n".join(label_lines(said[1:], 3))
