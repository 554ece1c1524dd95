"""`undertone run`: the service."""

import argparse
from pathlib import Path

from edge.cli.box import add_config, load_box
from edge.config import absent_files
from edge.errors import ConfigError, Key
from edge.journal import stream

_EXAMPLES = """\
a configuration that is enough to begin with (every key is in docs/configuration.md):
  site: leeds
  device: desk-014
  lines:
    - name: line-1
      source: {device: auto}
      channels: [customer, agent]
  mqtt: {url: "mqtt://127.0.0.1:1883"}
  state_dir: ./state

  undertone run --config undertone.yaml
  undertone doctor --config undertone.yaml     first, to see that everything it needs is there
  undertone status --config undertone.yaml     what it is doing, without a broker
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "run",
        help="the service: hear the configured lines and publish to the broker",
        description="Hear every configured line until stopped (Ctrl-C or SIGTERM ends open calls properly).",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info", help="default: info")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""
    config = load_box(args.config)
    if not config.lines:
        raise ConfigError("there is none", path=args.config, where=Key("lines"), remedy="add at least one line (see undertone run --help)")
    for error in absent_files(config):
        raise error.at(path=args.config)
    stream.begin(args.log_level)
    from edge.doctor.capacity import measured

    limit = measured(Path(config.state_dir))
    calls = sum(line.most_calls for line in config.lines)
    if limit is not None and calls > limit:
        raise ConfigError(
            f"{calls} lines, but this box was measured to carry {limit} (each call of source.listen.max_calls is one)",
            path=args.config,
            where=Key("lines"),
            remedy="take lines out, lower max_calls, or measure again when nothing else runs: "
            f"undertone doctor --bench --lines {calls} --config {args.config}",
        )
    from edge.capture.secrecy import no_core_dumps
    from edge.service.app import App

    no_core_dumps()
    return App(config, args.config).run()
