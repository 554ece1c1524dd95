"""A configuration from its file, and the files that it names."""

import shlex
import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge.config.checks import check
from edge.config.types import Config, LineModelsConfig, ListenConfig, ModelsConfig, MqttConfig, SourceConfig
from edge.errors import ConfigError, Key
from edge.files.durable import is_file, is_folder, unreadable
from edge.files.yamlfile import convert, read_yaml


def load_config(path: Path) -> Config:
    """The configuration in `path`; relative paths in it are taken from its folder.

    Raises ConfigError with file, key, value and remedy in one line.
    """
    raw = read_yaml(path)
    if raw == {}:
        remedy = f"let `undertone setup --config {shlex.quote(str(path))}` write it (every key: docs/configuration.md)"
        raise ConfigError("says nothing: there is no key in it", path=path, remedy=remedy)
    config = convert(raw, Config, path)
    check(config, path)
    config = _anchored(config, path.parent)
    for key in ("rules", "lexicon", "causes"):
        if (named := getattr(config, key)) is not None and not is_file(Path(named)):
            remedy = "give the path of a YAML file, or leave the key out"
            raise ConfigError(f"no such file as {named}", path=path, where=Key(key), remedy=remedy)
    for key in ("voice", "words"):  # the recogniser's folder may be brought later: `undertone fetch-model --config FILE`
        if (named := getattr(config.models, key)) is not None and not is_folder(Path(named)):
            remedy = "give a model bundle's folder, or leave the key out for the one that is installed or shipped"
            raise ConfigError(f"no such folder as {named}", path=path, where=Key(f"models.{key}"), remedy=remedy)
    return config


def absent_files(config: Config) -> Iterator[ConfigError]:
    """What a service with this configuration needs to be there and is not, or may not be read: its recordings, keys and secrets.

    The broker itself may come later, and so may a device; a file that is named and missing is a mistake.
    """
    needed = {f"models.trusted_keys[{number}]": key for number, key in enumerate(config.models.trusted_keys)}
    needed |= {f"lines[{number}].source.file": line.source.file for number, line in enumerate(config.lines) if line.source.file}
    needed |= {
        f"lines[{number}].source.listen.{key}": named
        for number, line in enumerate(config.lines)
        if line.source.listen is not None
        for key in ("tokens_file", "cert", "key")
        if (named := getattr(line.source.listen, key)) is not None
    }
    needed |= {f"mqtt.{key}": named for key in ("ca", "cert", "key", "password_file") if (named := getattr(config.mqtt, key)) is not None}
    for key, named in needed.items():
        if fault := unreadable(Path(named)):
            remedy = _REMEDIES.get(key) or _REMEDIES.get(key.rpartition(".")[2]) or _REMEDIES.get(key.partition("[")[0])
            yield ConfigError(f"{fault} at {named}", where=Key(key), remedy=remedy or "give the path of the file")


_REMEDIES = {
    "models.trusted_keys": "copy the site's .pub file there, or take it out of the list",
    "lines": "give the path of the recording",
    "tokens_file": "write the switchboards' tokens there, one a line, readable by this user",
    "cert": "give this box's certificate with its chain, a PEM file",
    "key": "give the key of the certificate beside it, a PEM file readable by this user",
    "mqtt.ca": "give the PEM file of the authority that signed the broker",
    "mqtt.cert": "give this box's certificate, a PEM file",
    "mqtt.key": "give the key of mqtt.cert, readable by this user",
    "mqtt.password_file": "write the password there as its first line, readable by this user",
}
_Part = typing.TypeVar("_Part", bound=msgspec.Struct)
_PATHS = {
    Config: ("rules", "lexicon", "causes", "state_dir"),
    MqttConfig: ("ca", "cert", "key", "password_file"),
    ModelsConfig: ("voice", "words", "vosk", "trusted_keys"),
    LineModelsConfig: ("vosk",),
    SourceConfig: ("file",),
    ListenConfig: ("tokens_file", "cert", "key"),
}


def _anchored(config: Config, folder: Path) -> Config:
    """`config` with every relative path taken from `folder`."""

    def whole(written: str) -> str:
        try:
            return str(folder / Path(written).expanduser())
        except RuntimeError as error:
            raise ConfigError(f"'{written}': no such user", path=folder, remedy="write the path from / on") from error

    def anchor(part: _Part) -> _Part:
        changes: dict[str, str | tuple[str, ...]] = {}
        for name in _PATHS[type(part)]:
            written = getattr(part, name)
            if isinstance(written, str):
                changes[name] = whole(written)
            elif written:
                changes[name] = tuple(whole(one) for one in written)
        return msgspec.structs.replace(part, **changes)

    def anchored(source: SourceConfig) -> SourceConfig:
        return msgspec.structs.replace(anchor(source), listen=None if source.listen is None else anchor(source.listen))

    lines = tuple(msgspec.structs.replace(line, source=anchored(line.source), models=anchor(line.models)) for line in config.lines)
    return msgspec.structs.replace(anchor(config), lines=lines, mqtt=anchor(config.mqtt), models=anchor(config.models))
