"""What comes with Undertone itself: the models, and the public keys that signed them."""

import sys
import sysconfig
from functools import cache
from pathlib import Path

from edge.bundle.signature import Trust, read_public
from edge.config import Config

_TOP = Path(__file__).parent.parent.parent


def shipped_models() -> Path:
    """The folder of shipped bundles: beside `edge` in a clone, under the environment's `share` in an installed wheel."""
    candidates = (
        _TOP / "models",
        Path(sysconfig.get_path("data")) / "share" / "undertone" / "models",
        Path(sys.prefix) / "share" / "undertone" / "models",
    )
    return next((folder for folder in candidates if (folder / "keys").is_dir()), candidates[0])


def trust_of(config: Config) -> Trust:
    """Whom a box with this configuration trusts: the shipped keys and `models.trusted_keys`.

    Raises ModelError for a key file that is missing or damaged.
    """
    configured = dict(read_public(Path(path)) for path in config.models.trusted_keys)
    return Trust(keys={**shipped_trust().keys, **configured}, allow_unsigned=config.models.allow_unsigned)


@cache
def shipped_trust() -> Trust:
    """Trust in the shipped keys alone."""
    return Trust(keys=dict(read_public(path) for path in sorted((shipped_models() / "keys").glob("*.pub"))))
