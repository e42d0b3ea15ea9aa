"""`bottega diagnose`: what a training shows, in words, and with --try which change mends it."""

import shlex
from typing import Annotated

import typer

from bottega.cli import terminal
from bottega.cli.gain import signed
from bottega.problem.records import Finding
from bottega.problem.refinement_records import DiagnoseRecord, Proof, RemedyTrial

__all__ = ["diagnose"]

HEALTHY = "nothing to mend"


def diagnose(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The folder of a finished run, as in runs/digits-1.")],
    prove: Annotated[
        bool, typer.Option("--try", help="Train the likeliest remedies, and say which one is proved to help.")
    ] = False,
    time: Annotated[
        str | None,
        typer.Option(metavar="DURATION", show_default=False, help="Wall time that --try may take, as in 90s or 5m."),
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", help="Trainings of each remedy under --try.")] = 3,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Say what a run's training shows, and what to change."""
    from bottega.workflow.diagnose import diagnose as read

    with terminal.live(quiet=not prove) as progress:
        record = read(run, prove=prove, time=time, seeds=seeds, progress=progress)
    if json:
        terminal.say_json(record)
    else:
        terminal.say(*_lines(record, tried=prove))
    return 0


def _lines(record: DiagnoseRecord, *, tried: bool) -> list[str]:
    of = f"in the training of {terminal.escape(record.network)}, {terminal.escape(record.run_dir)}"
    first = record.findings[0]
    if first.name == HEALTHY:
        lines = [f"Nothing to mend {of}", *terminal.fold("", f"{first.evidence}: {first.meaning}"), ""]
    else:
        lines = [f"{terminal.count(len(record.findings), 'finding')} {of}", ""]
        lines += [line for finding in record.findings for line in _words(finding)]
    if record.proof is not None:
        return lines + _proof_lines(record.proof, record.run_dir)
    if record.n_remedies:
        command = terminal.escape(f"bottega diagnose {shlex.quote(record.run_dir)} --try")
        what = f"trains with {terminal.count(record.n_remedies, 'change')}, and says which one is proved to help"
        return [*lines, *terminal.fold("Next", command), *terminal.fold("", what)]
    if tried and first.name != HEALTHY:
        return [*lines, *terminal.fold("Not tried", "what was found is mended in the data, not by an option of train")]
    return lines[:-1]


def _words(finding: Finding) -> list[str]:
    said = [("Evidence", finding.evidence), ("Meaning", finding.meaning)]
    said += [("Change", finding.change)] if finding.change != "none" else []
    lines = [line for label, text in said for line in terminal.fold(label, terminal.escape(text), max_lines=4)]
    return [f"{finding.name} (how sure: {finding.sure})", *lines, ""]


def _proof_lines(proof: Proof, run: str) -> list[str]:
    """What each remedy was worth, and the command with the best one that is proved."""
    again = terminal.escape(f"bottega diagnose {shlex.quote(run)} --try")
    trials = ["", *(line for one in proof.trials for line in _trial_lines(one)), ""]
    if not proof.seeds:
        return [*terminal.fold("Not tried", "the time was too short"), *trials, *terminal.fold("Next", again)]
    of = f"each with {terminal.count(len(proof.seeds), 'seed')}, on {terminal.count(proof.n, 'validation example')}"
    lines = [*terminal.fold("Tried", f"{of}; the test part was not read"), *trials]
    proved = [one for one in proof.trials if one.verdict == "proved" and one.gain is not None]
    if not proved:
        why = "none is proved to help: leave the training as it is, or look at the data"
        return [*lines, *terminal.fold("So", why)]
    best = max(proved, key=lambda one: one.gain.score if one.gain is not None else 0.0)
    command = f"{'Next':<13}{terminal.escape(best.command)}"  # in one piece, to be copied
    return [*lines, *terminal.fold("Proved", f"{best.name}, for: {best.finding}"), command]


def _trial_lines(one: RemedyTrial) -> list[str]:
    if one.gain is None:
        return [f"  {one.name:<22} {one.verdict}: {one.why}"]
    return [f"  {one.name:<22} {signed(one.gain, one.metric):<32} {one.verdict}"]
