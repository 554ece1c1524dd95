"""What this box is: the retained `info` event, and `undertone info`."""

from edge import __version__
from edge.bus.device import Info
from edge.bus.parts import LineInfo
from edge.config import Config
from edge.engines import Engines


def device_info(config: Config, engines: Engines) -> Info:
    """Versions, models with the licence of what they learnt from, lines and weights."""
    return Info(
        site=config.site,
        device=config.device,
        undertone=__version__,
        mode=config.mode.value,
        privacy=config.privacy.value,
        lines=[LineInfo(name=line.name, desk=line.desk, channels=[role.value for role in line.channels]) for line in config.lines],
        models=dict(engines.infos),
        weights=dict(engines.weights),
        weights_fitted=engines.weights_fitted,
        unsigned_allowed=config.models.allow_unsigned,
    )
