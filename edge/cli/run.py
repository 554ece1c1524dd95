"""`undertone run`: the service."""

import argparse
import logging
import sys
from pathlib import Path

from edge.config import load_config
from edge.errors import ConfigError

_EXAMPLES = """\
a configuration that is enough to begin with (every key is in the README):
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
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the box's configuration (YAML)")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info", help="default: info")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""
    config = load_config(args.config)
    if not config.lines:
        raise ConfigError(f"{args.config}: key 'lines': there is none; add at least one line (see undertone run --help)")
    logging.basicConfig(level=args.log_level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    from edge.box.capacity import measured

    limit = measured(Path(config.state_dir))
    if limit is not None and len(config.lines) > limit:
        raise ConfigError(
            f"{args.config}: key 'lines': {len(config.lines)} lines, but this box was measured to carry {limit};"
            f" take lines out, or measure again when nothing else runs:"
            f" undertone doctor --bench --lines {len(config.lines)} --config {args.config}"
        )
    from edge.app import App
    from edge.secrecy import no_core_dumps

    no_core_dumps()
    return App(config, args.config).run()
