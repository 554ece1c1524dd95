"""The doctor looks at a line that listens: its address, who may bring calls there, and how safely."""

import socket
import stat
from pathlib import Path

from edge.config import Config, LineConfig, ListenConfig
from edge.doctor.finding import Finding, failed_by, good, look
from edge.listen import tls, tokens
from edge.listen.listener import cannot_listen
from edge.service.status import read_running
from edge.values import SourceState


def listener(line: LineConfig, listen: ListenConfig, config: Config) -> Finding:
    """Whether the line's address can be listened on, by really doing so, and its files can be used. Raises ConfigError for those."""
    where = f"{listen.address} port {listen.port} ({listen.protocol}, {listen.max_calls} calls)"
    known = () if listen.tokens_file is None else tokens.read(Path(listen.tokens_file))
    if listen.cert is not None and listen.key is not None:
        tls.load(Path(listen.cert), Path(listen.key))
    if _service_listens(line, config):
        says = f"the running service listens on {where}"
    elif (error := _bound(listen)) is not None:
        return failed_by(cannot_listen(listen, error))
    else:
        says = f"can listen on {where}"
    for key in ("tokens_file", "key"):
        name = getattr(listen, key)
        if name is not None and Path(name).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return look(f"{says}; {key}: {name}: others may read it", f"chmod 600 {name}")
    if listen.protocol == "audiosocket":
        if not listen.local:
            remedy = "keep this address in a network of switchboard and box alone (a VLAN, WireGuard), behind a firewall"
            return look(f"{says}; AudioSocket has neither login nor TLS", remedy)
        return good(f"{says}; announced calls alone are taken")
    if not listen.local and listen.cert is None:
        return look(f"{says}, {len(known)} token(s), without TLS", "give cert and key: calls and tokens go through the network as they are")
    return good(f"{says}, {f'{len(known)} token(s)' if known else 'no token needed'}{', TLS' if listen.cert else ''}")


def _bound(listen: ListenConfig) -> OSError | None:
    """Why the address cannot be listened on; None where it can."""
    family = socket.AF_INET6 if ":" in listen.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((listen.address, listen.port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def _service_listens(line: LineConfig, config: Config) -> bool:
    status = read_running(Path(config.state_dir))
    return status is not None and status.state.lines.get(line.name) is SourceState.LISTENING
