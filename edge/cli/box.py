"""Which box a command is about: its configuration, and where that is looked for when nobody says."""

import argparse
import os
from pathlib import Path

from edge.config import Config, load_config
from edge.errors import ConfigError


def usual_place() -> Path:
    """Where a box's configuration is if nobody says otherwise: root's is the service's, anybody else's lies in this folder."""
    return (Path("/etc/undertone") if os.geteuid() == 0 else Path()) / "undertone.yaml"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Declare `--config` of a command that cannot do without a box."""
    place = usual_place()
    parser.add_argument(
        "--config", type=Path, default=place, metavar="FILE", help=f"the box's configuration (default for this user: {place})"
    )


def add_config_if_any(parser: argparse.ArgumentParser) -> None:
    """Declare `--config` of a command that also works before there is a box: without one it is None."""
    place = usual_place()
    parser.add_argument(
        "--config",
        type=Path,
        default=place if os.path.exists(place) else None,  # noqa: PTH110 (False, too, where it may not be looked at)
        metavar="FILE",
        help=f"the box's configuration (default for this user: {place}, if it is there; else what a new box would have)",
    )


def load_box(config: Path) -> Config:
    """The box's configuration. Raises ConfigError: of a place that nobody named, what to do is to name one."""
    try:
        return load_config(config)
    except ConfigError as error:
        if config != usual_place() or error.problem.path != config or not isinstance(error.__cause__, FileNotFoundError):
            raise
        raise ConfigError("no such file", path=config, remedy="give --config FILE, or let `undertone setup` write it") from error
