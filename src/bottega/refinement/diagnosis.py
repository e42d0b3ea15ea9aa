"""What went wrong in a training, read from its history and its answers: the cause before its consequences.

Every rule, what it looks at, its least effect and its source: docs/diagnosis.md.
"""

from bottega.problem.records import Finding
from bottega.refinement import answer_rules, curve_rules, label_rules, step_rules
from bottega.refinement.reading import Reading
from bottega.refinement.significance import holm
from bottega.refinement.symptoms import Rule, Symptom

__all__ = ["RULES", "diagnose"]

LEVEL = 0.01  # of one false finding among all rules

RULES: tuple[Rule, ...] = (  # causes first
    label_rules.permuted_targets,
    step_rules.exploding_gradients,
    step_rules.rate_too_high,
    step_rules.rate_too_low,
    step_rules.vanishing_gradients,
    step_rules.saturated_units,
    step_rules.dead_units,
    step_rules.batch_too_big,
    label_rules.random_labels,
    curve_rules.not_yet_converged,
    answer_rules.never_predicted,
    curve_rules.underfitting,
    answer_rules.dominating_confusion,
    label_rules.validation_better,
    label_rules.label_noise,
    label_rules.too_good,
    answer_rules.noisy_validation,
    curve_rules.overfitting,
    curve_rules.best_epoch_is_last,
    curve_rules.plateau,
    answer_rules.miscalibration,
)

_POOR_ANSWERS = frozenset(
    {
        "a class that is never predicted",
        "confusion of two classes",
        "calibration drift",
        "label noise",
        "labels look random",
        "underfitting",
    }
)
_NO_TIME = frozenset({"not yet converged", "best epoch is the last"})

_DOUBT = frozenset({"calibration drift", "label noise"})

EXPLAINS: dict[str, frozenset[str]] = {  # a cause, and what follows from it and needs no word of its own
    "wrong or permuted targets": _POOR_ANSWERS | {"overfitting", "validation better than train", "noisy validation"},
    "exploding gradients": _POOR_ANSWERS
    | _NO_TIME
    | {"batch too big", "dead units", "learning rate too low", "overfitting", "saturated units"},
    "learning rate too high": _POOR_ANSWERS | _NO_TIME | {"dead units", "saturated units", "vanishing gradients"},
    "learning rate too low": _POOR_ANSWERS | _NO_TIME | {"batch too big"},
    "vanishing gradients": _POOR_ANSWERS | _NO_TIME,
    "saturated units": _POOR_ANSWERS,
    "dead units": frozenset({"underfitting"}),
    "batch too big": _POOR_ANSWERS | _NO_TIME,
    "labels look random": _POOR_ANSWERS | {"overfitting"},
    "not yet converged": _POOR_ANSWERS | _NO_TIME,
    "underfitting": _POOR_ANSWERS,
    "a class that is never predicted": _DOUBT,
    "confusion of two classes": _DOUBT,
    "validation better than train": frozenset({"calibration drift"}),
    "label noise": frozenset({"calibration drift"}),
    "overfitting": frozenset({"calibration drift", "plateau"}),
}

HEALTHY = Finding(
    "nothing to mend",
    f"none of {len(RULES)} rules on steps, layers, curves, answers and labels found a fault",
    "the training went as it should",
    "none",
    "high",
)


def diagnose(reading: Reading) -> tuple[Finding, ...]:
    """Read a training out in findings, the cause before its consequences.

    A rule speaks only beyond a least effect, and only where chance would look so in less than 1 % of healthy runs, for
    all rules together.

    Args:
        reading: the history of a run and the answers of the weights that were kept.
    Returns:
        Findings, the first to be mended first; `nothing to mend` alone where there is none.
    Source: Holm 1979; docs/diagnosis.md has that of each rule.
    """
    symptoms = [symptom for rule in RULES if (symptom := rule(reading)) is not None]
    stands = holm([symptom.p for symptom in symptoms], len(RULES), LEVEL)
    found = _causes([symptom for symptom, is_proved in zip(symptoms, stands, strict=True) if is_proved])
    return tuple(symptom.finding() for symptom in found) or (HEALTHY,)


def _causes(symptoms: list[Symptom]) -> list[Symptom]:
    """Leave out what a finding before it explains."""
    kept: list[Symptom] = []
    for symptom in symptoms:
        if not any(symptom.name in EXPLAINS.get(cause.name, frozenset()) for cause in kept):
            kept.append(symptom)
    return kept
