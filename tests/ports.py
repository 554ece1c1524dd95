"""Free ports, for brokers that tests and the demo start."""

import random
import socket

# Below those from which Linux takes the near end of a connection (net.ipv4.ip_local_port_range): a server that is killed and started
# anew finds its port free.
_PORTS = range(20_000, 32_768)
_given: set[int] = set()


def free_port() -> int:
    """A loopback TCP port that nobody listens on now, and that this process was not given before."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            # As servers do: what a connection that is over left behind is no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
