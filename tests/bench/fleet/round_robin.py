"""A name with several addresses, as a site's DNS gives one for a cluster: `python -m tests.bench.fleet.round_robin MODULE ARGUMENTS...`.

The rim that is stubbed: there is no name server here. `localhost` is each address in ADDRESSES, in a new order each time; who connects
tries one after the other, as for any such name.
"""

import os
import random
import runpy
import socket
import sys

# Which loopback addresses, by commas.
ADDRESSES = "FLEET_ADDRESSES"
_real = socket.getaddrinfo


def install() -> None:
    """From now on in this process."""
    addresses = os.environ[ADDRESSES].split(",")

    def several(host: str | bytes | None, *given, **more):
        if host != "localhost":
            return _real(host, *given, **more)
        return [found for address in random.sample(addresses, len(addresses)) for found in _real(address, *given, **more)]

    socket.getaddrinfo = several


if __name__ == "__main__":
    install()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
