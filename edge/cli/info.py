"""`undertone info`: what this box is, as the bus is told it."""

import argparse

import msgspec

from edge.cli.box import add_config_if_any


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "info",
        help="versions, models and their licences, weights: what the bus is told of this box",
        description="Print the retained `info` event's data: what runs here, what its models learnt from, and under which licence.",
        epilog="examples:\n  undertone info\n  undertone info --config undertone.yaml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_if_any(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it as JSON."""
    from edge.cli.replay import configure
    from edge.models.loading import load_engines
    from edge.service.info import device_info

    config = configure(args.config, mode=None, privacy=None)
    info = device_info(config, load_engines(config))
    print(msgspec.json.format(msgspec.json.encode(info), indent=2).decode())
    return 0
