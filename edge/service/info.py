"""What this box is: the retained `info` event, and `undertone info`."""

from edge import __version__
from edge.call.engines import Engines
from edge.config import Config
from edge.wire.device import Info
from edge.wire.parts import LineInfo


def device_info(config: Config, engines: Engines) -> Info:
    """Versions, models with the licence of what they learnt from, lines and weights."""
    return Info(
        site=config.site,
        device=config.device,
        undertone=__version__,
        mode=config.mode,
        privacy=config.privacy,
        lines=[LineInfo(name=line.name, desk=line.desk, channels=list(line.channels)) for line in config.lines],
        models=dict(engines.infos),
        weights=dict(engines.weights),
        weights_fitted=engines.weights_fitted,
        unsigned_allowed=config.models.allow_unsigned,
    )
