"""The speech recogniser's model on this box: where it is, and whether each of its files is whole.

Kaldi aborts the whole process on a damaged file, so nothing is handed to it that was not checked first.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.bundle.signature import shipped_models
from edge.bundle.store import find_bundle
from edge.config import Config
from edge.errors import ModelError
from edge.files.durable import is_folder
from edge.values import ModelKind

MODEL_NAME = "vosk-model-small-en-us-0.15"
_REMEDY = "run `undertone fetch-model`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What a file of the model must be: its length in bytes and its sha256 in hex."""

    size: int
    sha256: str


# Of com.alphacephei:vosk-model-en:0.3.45:aar, assets/model-en-us. README and uuid say nothing to the recogniser and may
# differ between the sources, so they are neither pinned nor kept.
PINS: Mapping[str, Pin] = {
    "am/final.mdl": Pin(size=15962575, sha256="75370a0137f9daf8f469dedd7daa4513ae7a621f03240c6e512e2b50b656a7b6"),
    "conf/mfcc.conf": Pin(size=131, sha256="1e2228006d01d805ad1c267fee9f79709ca87ac51bd82b0e3f5c69ba543f0fc4"),
    "conf/model.conf": Pin(size=290, sha256="8f14cb1eeb07c762c371db648c6be688d347236155ca0f64fb13b6567a8ce81f"),
    "graph/Gr.fst": Pin(size=24013795, sha256="023c8b7e30704a9e37765c635c252e608a02f361235bf94abdcf2a5225d85b20"),
    "graph/HCLr.fst": Pin(size=22416994, sha256="5caafba3081e1646545ac6bff0dd7a318e53dcbdc86f237909ce1d2ac1293d34"),
    "graph/disambig_tid.int": Pin(size=102, sha256="9ad87cc166d0998f08f758f47a6223a120dfffcbee805c4849c3aa5e6bb3c0fc"),
    "graph/phones/word_boundary.int": Pin(size=1761, sha256="da199d9c991e0e84681ddbb34627b915b26302d50a8fdaa23c51e2bc3a50b5c3"),
    "ivector/final.dubm": Pin(size=168048, sha256="8c5d7dd69d2122313baaf19f61f35dd3fa18b70c62ac0687e311e1c46e6daca7"),
    "ivector/final.ie": Pin(size=8288887, sha256="3f37faf90c375b9e4740b569398b5829ed9cc07d19be6d441f72c3b71d7efcc6"),
    "ivector/final.mat": Pin(size=44975, sha256="ddd83586dc5f928cda8738b922c85ffe38fc789cb5f9151a712ca12f37265382"),
    "ivector/global_cmvn.stats": Pin(size=1080, sha256="33be09afcc80059847a275c3d043b51f1ab954c7c2438ddbbf4745e8ba144ff9"),
    "ivector/online_cmvn.conf": Pin(size=95, sha256="a2f3571754b64297cb7efb2e7ca3df61995c5a45fcbb97188f90613552bb2dfe"),
    "ivector/splice.conf": Pin(size=35, sha256="9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756"),
}


def default_place() -> Path | None:
    """Where `undertone fetch-model` puts the model unless it is told otherwise; None for a user without a home."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    try:
        return Path(data).expanduser() / "undertone" / MODEL_NAME
    except RuntimeError:  # pathlib's word for a user whom the system does not know, and HOME is not set
        return None


def find_vosk(config: Config) -> Path | None:
    """The folder of a whole model: `models.vosk`, else a bundle installed here, else one fetched; None without any.

    Fetched ones lie in `<state_dir>/models/vosk` (`undertone fetch-model --config`) or in the default place; a Debian package puts it
    beside the shipped models.
    Every pinned file is hashed (71 MB: 0.1 s on a
    PC, about half a second on a Pi 4).

    Raises ModelError naming the file and the remedy if the first model found is damaged, or `models.vosk` is not there.
    """
    if config.models.vosk is not None:
        return configured(config.models.vosk, "models.vosk")
    installed = find_bundle(ModelKind.VOSK, config)
    if installed is not None:
        return installed
    for place in (Path(config.state_dir) / "models" / "vosk", shipped_models() / MODEL_NAME, default_place()):
        if place is not None and is_folder(place):
            check_any(place)
            return place
    return None


def configured(named: str, key: str) -> Path:
    """The folder that the configuration names at `key`, whole. Raises ModelError."""
    folder = Path(named)
    if not is_folder(folder):
        raise ModelError("no such folder", path=folder, where=key, remedy=f"give a Vosk model's folder, or leave the key out and {_REMEDY}")
    check_any(folder)
    return folder


def language_of(folder: Path) -> str:
    """What the model in `folder` knows (ISO 639), by the name that its makers give it (vosk-model-small-fr-0.22); English for any other."""
    named = re.match(r"vosk-model(?:-small)?-([a-z]{2,3})(?:-|$)", folder.resolve().name)
    return named.group(1) if named else "en"


def check_any(folder: Path) -> None:
    """Raise ModelError unless `folder` is a Vosk model: the pinned one to the byte, another one (larger, other language) in shape."""
    if resembles(folder, PINS):
        check_model(folder)
        return
    for group in (
        ("am/final.mdl", "final.mdl"),
        ("conf/mfcc.conf", "mfcc.conf"),
        ("graph/HCLr.fst", "graph/HCLG.fst", "HCLr.fst", "HCLG.fst"),
    ):
        found = [folder / name for name in group if (folder / name).is_file()]
        if not found:
            raise ModelError(f"not a whole Vosk model: {group[0]} is missing", path=folder, remedy=f"{_REMEDY}, or unpack the model again")
        if found[0].stat().st_size == 0:
            raise ModelError("empty", path=found[0], remedy="unpack the model again")


def check_model(folder: Path, pins: Mapping[str, Pin] = PINS) -> None:
    """Raise ModelError naming the first file of `folder` that is not as pinned."""
    for name, pin in pins.items():
        path = folder / name
        try:
            size = path.stat().st_size
            if size != pin.size:
                raise ModelError(f"{size:,} bytes where {pin.size:,} belong: half a model", path=path, remedy=_REMEDY)
            if sha256_of(path) != pin.sha256:
                raise ModelError("damaged: its sha256 is not the pinned one", path=path, remedy=_REMEDY)
        except FileNotFoundError as error:
            raise ModelError("missing: half a model", path=path, remedy=_REMEDY) from error
        except OSError as error:
            raise ModelError(f"cannot be read: {error.strerror}", path=path, remedy=_REMEDY) from error


def sha256_of(path: Path) -> str:
    """The file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resembles(folder: Path, pins: Mapping[str, Pin] = PINS) -> bool:
    """Whether this is the pinned model, perhaps damaged: by its name, or by half of its files having the pinned sizes."""
    if folder.name in (MODEL_NAME, "vosk"):
        return True
    alike = sum((folder / name).is_file() and (folder / name).stat().st_size == pin.size for name, pin in pins.items())
    return alike * 2 >= len(pins)
