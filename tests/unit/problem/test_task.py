import pytest

from bottega.problem.task import image_task


def test_two_classes_are_a_classification():
    task = image_task({"b": 1, "a": 2, "none": 0})
    assert (task.kind, task.modality, task.classes) == ("classification", "images", ("a", "b"))
    assert task.why == "each picture lies in the folder of one of 2 classes"


@pytest.mark.parametrize(("kind", "target"), [("csv", "the column label"), ("npz", "the array y")])
def test_the_target_says_where_labels_come_from(kind, target):
    task = image_task({"a": 1, "b": 1}, source_kind=kind)
    assert task.target == target
    assert task.why == "each picture has the label of one of 2 classes"


@pytest.mark.parametrize(
    ("counts", "unlabelled", "words"),
    [({"a": 5}, 0, "all pictures are of one class, 'a'"), ({}, 3, "no picture has a class"), ({}, 0, "no readable")],
)
def test_undecided_says_what_is_missing(counts, unlabelled, words):
    task = image_task(counts, n_unlabelled=unlabelled)
    assert task.kind is None
    assert words in task.why
