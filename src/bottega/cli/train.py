"""`bottega train`: parse, train, show the verdict."""

from typing import Any

from bottega.cli import cost_flags, feature_flags, terminal, text_flags
from bottega.cli import train_flags as flags

__all__ = ["train"]


def train(
    data: flags.Data = None,
    preset: flags.Preset = "fast",
    time: flags.Time = None,
    name: flags.Name = None,
    seed: flags.Seed = 0,
    split_seed: flags.SplitSeed = 0,
    target: flags.Target = None,
    text: text_flags.Text = None,
    also: text_flags.Also = None,
    vectors: text_flags.Vectors = None,
    type: flags.Kinds = None,
    ignore: flags.Ignored = None,
    group: flags.Group = None,
    time_column: flags.TimeColumn = None,
    weight: cost_flags.Weight = None,
    missing: flags.Missing = None,
    test: flags.Test = None,
    val: flags.Val = None,
    split_column: flags.SplitColumn = None,
    features: feature_flags.Features = False,
    metric: flags.Metric = None,
    false_alarm_cost: cost_flags.FalseAlarmCost = None,
    miss_cost: cost_flags.MissCost = None,
    positive: cost_flags.Positive = None,
    costs: cost_flags.Costs = None,
    at_least: flags.AtLeast = None,
    at_most: flags.AtMost = None,
    group_by: flags.GroupBy = None,
    ship: flags.Ship = "best",
    margin: flags.Margin = None,
    sure_at: flags.SureAt = 0.95,
    small: flags.Small = False,
    network: flags.Network = "auto",
    width: flags.Width = None,
    depth: flags.Depth = None,
    dropout: flags.Dropout = None,
    epochs: flags.Epochs = None,
    batch_size: flags.BatchSize = None,
    optimiser: flags.Optimiser = None,
    learning_rate: flags.LearningRate = None,
    schedule: flags.Schedule = None,
    weight_decay: flags.WeightDecay = None,
    patience: flags.Patience = None,
    augment: flags.Augment = "auto",
    device: flags.Device = "auto",
    seeds: flags.Seeds = 1,
    cv: flags.Cv = None,
    resume: flags.Resume = None,
    no_filter: flags.NoFilter = False,
    golden: flags.Golden = "made-up",
    json: flags.Json = False,
) -> int:
    """Train on DATA, judge the result, and ship it as one file."""
    stated = {k: v for k, v in locals().items() if k not in ("data", "no_filter", "json")}
    return _train(data, {**stated, "filter": not no_filter}, as_json=json)


def _train(data: str | None, keywords: dict[str, Any], *, as_json: bool) -> int:
    from bottega.workflow.options import train_options
    from bottega.workflow.threads import calm_threads

    calm_threads()
    options = train_options(data, keywords)  # before torch is imported: a misspelt option needn't wait for it
    from bottega.workflow.train import train as run

    with terminal.live() as progress:
        record = run(data, options, progress=progress)
    if as_json:
        terminal.say_json(record)
    else:
        from bottega.cli.target_lines import trained_lines

        terminal.say(*trained_lines(record))
    return 0 if record.model_path is not None else 3
