"""`diagnose`: what a run's training shows, and which change mends it."""

import json
import os
from collections.abc import Mapping
from typing import Any

from bottega.errors import BottegaError, StoppedError
from bottega.evaluation.report_proofs import with_proof
from bottega.problem.records import Progress, to_json
from bottega.problem.refinement_records import DiagnoseRecord, Proof
from bottega.refinement.remedies import Remedy, remedies
from bottega.shipping.document import from_document
from bottega.workflow.clock import Clock
from bottega.workflow.network_options import OWN
from bottega.workflow.options import parse_duration
from bottega.workflow.readings import KeptReading, kept
from bottega.workflow.recipe import Recipe
from bottega.workflow.run_folder import RECORD, REPORT, RunFolder
from bottega.workflow.threads import calm_threads

__all__ = ["diagnose"]

REMEDIES, FORMAT = "remedies.json", 1
FEWEST_SEEDS, MOST_SEEDS = 3, 50


def diagnose(
    run: str | os.PathLike[str],
    *,
    prove: bool = False,
    time: str | float | None = None,
    seeds: int = 3,
    progress: Progress | None = None,
) -> DiagnoseRecord:
    """Read out what went wrong in a training, and prove what mends it.

    Args:
        run: the folder of a run that trained a network of its own.
        prove: train the likeliest remedies beside the training as it was, and compare them on validation.
        time: wall time that the proof may take, as in `"5m"`; None for as much as it takes.
        seeds: trainings of each remedy.
        progress: called as the proof goes on.
    Returns:
        Findings, the first to be mended first; with the proof, or the last one that was made for this run.
    Raises:
        BottegaError: it is no run, trained no network of its own, or isn't finished; its data have changed.
        StoppedError: the user stopped the proof; what was proved so far is kept.
    """
    limit = _budget(time, seeds)
    folder = RunFolder.open(run)
    recipe = folder.recipe()
    found = kept(folder)
    if found is None or not folder.file(RECORD).exists():
        raise _unreadable(recipe, folder)
    findings, tried = found.findings(), _remedies(recipe, found)
    proofs = _proofs(folder)
    if prove and tried:
        folder.hold()
        try:
            proof = _prove(recipe, found, tried, Clock(limit), seeds, progress)
            n_tried = sum(one.verdict != "not tried" for one in proof.trials)
            if n_tried or not proof.stopped:
                proofs = (*proofs, proof)
                _write(folder, proofs)
        finally:
            folder.close()
        if proof.stopped:
            kept_so_far = "; what they gave is kept" if n_tried else ""
            raise StoppedError(
                found=f"interrupted after {n_tried} of {len(tried)} remedies{kept_so_far}",
                expected="all remedies, each with every seed",
                fix=f"bottega diagnose {folder.path} --try",
            )
    return DiagnoseRecord(str(folder.path), found.network, findings, len(tried), proofs[-1] if proofs else None)


def _budget(time: str | float | None, seeds: int) -> float | None:
    """Seconds, checked like the seeds."""
    if isinstance(seeds, bool) or not isinstance(seeds, int) or not FEWEST_SEEDS <= seeds <= MOST_SEEDS:
        raise BottegaError(
            found=f"seeds {seeds!r}",
            expected=f"a whole number from {FEWEST_SEEDS} to {MOST_SEEDS}: fewer can't tell a change from luck",
            fix="--seeds 3",
        )
    if time is None or isinstance(time, str):
        return None if time is None else parse_duration(time)
    return parse_duration(f"{time}")


def _prove(
    recipe: Recipe, found: KeptReading, tried: tuple[Remedy, ...], clock: Clock, seeds: int, progress: Progress | None
) -> Proof:
    calm_threads()
    from bottega.workflow.prove import prove  # torch, which reading a run needn't wait for

    return prove(recipe, found, tried, clock=clock, n_seeds=seeds, progress=progress)


def _remedies(recipe: Recipe, found: KeptReading) -> tuple[Remedy, ...]:
    options, reading = recipe.options(), found.reading
    network = found.network if options.network == "auto" else options.network
    now: Mapping[str, Any] = {
        **reading.settings,
        "network": network,
        "width": options.width,
        "n_train": reading.n_train,
        "rate_is_stated": options.learning_rate is not None,
    }
    return remedies(found.findings(), now, can_reshape=network in OWN)


def _unreadable(recipe: Recipe, folder: RunFolder) -> BottegaError:
    """Why there is nothing to read, and what to do about it."""
    again = f"bottega train {recipe.source} --network cnn"
    if not folder.file(RECORD).exists():
        return BottegaError(
            found=f"a run that isn't finished: {str(folder.path)!r} has no {RECORD}",
            expected="a finished run",
            fix=f"bottega train --resume {folder.path}",
        )
    if "table" in recipe.training:
        return BottegaError(
            found="a run on a table: the epochs of its networks are not kept so far",
            expected="a run on pictures that trained mlp, cnn, resnet, a plan FILE.toml or module:Class",
            fix=f"what was noticed in this run is in {folder.file(REPORT)}",
        )
    if "input" not in recipe.training:
        return BottegaError(
            found="a run that trained no network of its own, so that there are no epochs to read",
            expected="a run of mlp, cnn, resnet, a plan FILE.toml or module:Class",
            fix=f"{again}; what was noticed in this run is in {folder.file(REPORT)}",
        )
    return BottegaError(
        found=f"a run whose network was not trained to its end: {str(folder.path)!r} keeps no reading of it",
        expected="a run that had the time for its network",
        fix=again,
    )


def _proofs(folder: RunFolder) -> tuple[Proof, ...]:
    """All that were made for this run, the latest last."""
    path = folder.file(REMEDIES)
    if not path.exists():
        return ()
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError(f"its format isn't {FORMAT}")
        proofs: tuple[Proof, ...] = from_document(tuple[Proof, ...], document.get("proofs"), "proofs")
    except (ValueError, KeyError) as error:  # a BottegaError is a ValueError
        raise BottegaError(
            found=f"{REMEDIES} can't be read: {getattr(error, 'found', error)}",
            expected="the file as --try wrote it",
            fix=f"delete it, and prove anew: bottega diagnose {folder.path} --try",
            where=str(path),
        ) from error
    return proofs


def _write(folder: RunFolder, proofs: tuple[Proof, ...]) -> None:
    """Keep all proofs, and put the last one into the report."""
    folder.write(REMEDIES, json.dumps({"format": FORMAT, "proofs": to_json(proofs)}, allow_nan=False))
    report = folder.file(REPORT)
    if report.exists():
        page = report.read_text(encoding="utf-8")
        changed = with_proof(page, proofs[-1])
        if changed != page:
            folder.write(REPORT, changed)
