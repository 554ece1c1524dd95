"""Which broker a command line means: the options that listening and pushing share."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.files import input_file

if TYPE_CHECKING:
    from edge.config import MqttConfig


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    group = parser.add_argument_group("the broker")
    where = group.add_mutually_exclusive_group()
    where.add_argument("--config", type=Path, metavar="FILE", help="take the broker and its secrets from a box's configuration")
    where.add_argument("--url", metavar="URL", help="mqtt://HOST[:PORT] or mqtts://HOST[:PORT] (default: mqtt://127.0.0.1:1883)")
    group.add_argument("--ca", type=_file, metavar="PEM", help="the authority that signed the broker")
    group.add_argument("--cert", type=_file, metavar="PEM", help="your certificate, if the broker asks for one")
    group.add_argument("--key", type=_file, metavar="PEM", help="the key of --cert")
    group.add_argument("--username", metavar="NAME", help="user name at the broker")
    group.add_argument("--password-file", type=_file, metavar="FILE", help="its password, first line")
    group.add_argument("--prefix", metavar="TOPIC", help="what topics begin with (default: undertone/v1)")
    group.add_argument("--protocol", choices=("5", "3.1.1"), help="MQTT version (default: 5)")


def _file(text: str) -> str:
    """As a configuration names it. Raises InputError."""
    return str(input_file(text))


def broker_of(args: argparse.Namespace) -> "MqttConfig":
    """The broker that the command line means: a configuration's, with what is given on top. Raises UsageError."""
    import msgspec

    from edge.config import MqttConfig, load_config, mqtt_fault
    from edge.errors import UsageError

    given = {name: getattr(args, name) for name in MqttConfig.__struct_fields__ if getattr(args, name, None) is not None}
    base = load_config(args.config).mqtt if args.config else MqttConfig()
    config = msgspec.structs.replace(base, **given)
    if fault := mqtt_fault(config):
        raise UsageError(fault[1], where=f"--{fault[0].replace('_', '-')}", remedy=fault[2])
    return config
