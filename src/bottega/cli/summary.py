"""`bottega summary`: what a network is made of, and what it costs, before anything is trained."""

from typing import Annotated

import typer

from bottega.cli import terminal
from bottega.cli.layer_table import table_lines
from bottega.problem.network import network_to_toml

__all__ = ["summary"]


def summary(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK",
            show_default=False,
            help="mlp, cnn, resnet; a file FILE.toml; or efficientnet_lite0, efficientnet_lite2.",
        ),
    ],
    input: Annotated[
        str | None,
        typer.Option(
            metavar="HxWxC", show_default=False, help="One example: 28x28x1, 224x224x3, or the number of columns."
        ),
    ] = None,
    classes: Annotated[int, typer.Option(metavar="N", help="Answers.")] = 10,
    width: Annotated[
        float | None, typer.Option(metavar="FACTOR", show_default=False, help="Units or channels, times this.")
    ] = None,
    depth: Annotated[
        int | None, typer.Option(metavar="N", show_default=False, help="Hidden layers; or blocks of each stage.")
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(metavar="SHARE", show_default=False, help="Units left out in training, 0 to 0.95.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List every layer by itself.")] = False,
    svg: Annotated[
        str | None, typer.Option(metavar="FILE", show_default=False, help="Draw the network into a picture.")
    ] = None,
    toml: Annotated[
        bool, typer.Option("--toml", help="Print the plan, to change and train a network of one's own.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> int:
    """Say what a network is made of and what it costs, layer by layer."""
    from bottega.workflow.summary import find_plan, picture
    from bottega.workflow.summary import summary as run

    plan = find_plan(network, input=input, width=width, depth=depth, dropout=dropout)
    record = run(plan, classes=classes)
    if svg is not None:
        picture(record, svg)
    if toml:
        terminal.say(*network_to_toml(plan).splitlines())
    elif json:
        terminal.say_json(record)
    else:
        terminal.say(*table_lines(record, everything=everything))
        if svg is not None:
            terminal.say(f"Picture      {terminal.escape(svg)}")
        if not network.endswith(".toml"):
            stated = {"input": input, "width": width, "depth": depth, "dropout": dropout}
            words = "".join(f" --{name} {value}" for name, value in stated.items() if value is not None)
            terminal.say(f"Change it    bottega summary {network}{words} --toml > my.toml")
    return 0
