"""`undertone devices`: which inputs this box has, and what to write in the configuration to mean one."""

import argparse
import sys

_EXAMPLES = """\
examples:
  undertone devices                          what can be recorded from, the likeliest line tap first
  undertone devices --json                   the same for a program

put an identity into the configuration, and the device is found again in another USB port:
  lines:
    - name: line-1
      source: {device: "serial:4F2A81"}      or {device: auto} for the likeliest line tap
      channels: [customer, agent]            [mixed] for a device with one channel

kinds of identity:
  serial:  USB serial number, the same in any port      alsa:  the card's ALSA id
  usb:     the USB port, for twins without serials      name:  PulseAudio, PipeWire and the like
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "devices",
        help="list what can be recorded from, and how to name it in the configuration",
        description="List every input of this box with the identity to put in the configuration.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="a JSON array instead of the table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List them; 1 where there is none."""
    from edge.capture import devices

    found = devices.listing()
    auto = devices.find("auto", found, channels=1) if found else None
    found.sort(key=lambda device: device is not auto)
    if args.json:
        import msgspec

        rows = [
            {
                "identity": device.identity,
                "also": list(device.names[1:]),
                "name": device.name,
                "channels": device.channels,
                "rate": device.rate,
                "usb": device.usb,
                "auto": device is auto,
            }
            for device in found
        ]
        print(msgspec.json.encode(rows).decode())
    else:
        _table(found, auto)
    if not found:
        print("undertone: no sound card found; plug the line tap in, and see that this user is in the group 'audio'", file=sys.stderr)
    return 0 if found else 1


def _table(found: "list[devices.Device]", auto: "devices.Device | None") -> None:  # type: ignore[name-defined]  # noqa: F821 (imported in run)
    if not found:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("identity (source: {device: ...})", "name", "channels", "rate Hz", "", box=None, header_style="bold", pad_edge=False)
    for device in found:
        note = "auto" if device is auto else ""
        # PulseAudio and its kind offer any number of channels: 32 and more means "as many as you ask for".
        channels = "any" if device.channels >= 32 else str(device.channels)  # noqa: PLR2004
        table.add_row(device.identity, device.name, channels, str(device.rate), note)
    Console().print(table)
