"""A model bundle: a folder with `manifest.json`, its signature, and the files it names. Refused unless all of it is right."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import msgspec

from edge import __version__
from edge.bundle.signature import Trust, shipped_trust, verify
from edge.errors import Key, ModelError
from edge.values import ModelKind

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
# The largest manifest that is read: ours have a few kB; a larger one is an attack or a mistake.
_MANIFEST_BYTES = 1_000_000

KINDS = tuple(ModelKind)
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Version = Annotated[str, msgspec.Meta(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")]
# ISO 639.
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class Tensor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A net's input or output: shape, element type, and the quantisation real = scale * (q - zero_point)."""

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle says of itself. `features`, `calibration`, `prosody` and `labels` are checked by the branch that uses them.

    `files` are all files of the bundle but the manifest and its signature, by relative path, with their sha256.
    `golden` names the file with golden vectors (edge.bundle.golden). `minimum_version` is the oldest Undertone that can
    run it. `language` is what a words or vosk model knows. `validated_on_calls` is true only if real calls judged it.
    """

    format: Literal[1] = 1
    kind: ModelKind
    name: Name
    version: Version
    created: str
    minimum_version: Version = "0.1.0"
    labels: tuple[str, ...] = ()
    features: dict[str, object] = msgspec.field(default_factory=dict)
    input: Tensor | None = None
    output: Tensor | None = None
    calibration: dict[str, object] = msgspec.field(default_factory=dict)
    prosody: dict[str, object] = msgspec.field(default_factory=dict)
    metrics: dict[str, float] = msgspec.field(default_factory=dict)
    golden: str | None = None
    licence: str
    language: Language = "en"
    provenance: dict[str, object] = msgspec.field(default_factory=dict)
    validated_on_calls: bool = False
    files: dict[str, Sha256] = msgspec.field(default_factory=dict)

    @property
    def quick(self) -> bool:
        """Whether it was trained with --quick, to see that training works: nobody's calls are to be judged by it."""
        return self.provenance.get("quick") is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle whose every byte was checked. `sha256` is the manifest's; `signed_by` a trusted key's id, or None."""

    folder: Path
    manifest: Manifest = field(repr=False)
    sha256: str
    signed_by: str | None

    @property
    def label(self) -> str:
        """Name and version, as events name a model."""
        return f"{self.manifest.name}-{self.manifest.version}"

    @property
    def folder_name(self) -> str:
        """What its folder is called beside others of its kind."""
        return f"{self.label}-{self.sha256[:8]}"

    def path(self, name: str) -> Path:
        """The checked file `name`. Raises ModelError if the manifest does not list it."""
        if name not in self.manifest.files:
            raise ModelError(
                f"'{name}' is missing", path=self.folder / MANIFEST, where=Key("files"), remedy="pack the bundle again with that file"
            )
        return self.folder / name

    def only(self, suffix: str) -> Path:
        """The one checked file whose name ends with `suffix`. Raises ModelError if there is none, or more than one."""
        names = [name for name in self.manifest.files if name.endswith(suffix)]
        if len(names) != 1:
            raise ModelError(
                f"one *{suffix} is needed and {len(names)} are there",
                path=self.folder / MANIFEST,
                where=Key("files"),
                remedy="pack it again",
            )
        return self.folder / names[0]


def load(folder: Path, *, kind: ModelKind | None = None, trust: Trust | None = None) -> Bundle:
    """The bundle in `folder`, checked: manifest, signature, kind, version, and the sha256 of each file.

    `trust` None takes what the keys shipped with Undertone signed. Raises ModelError: one line with file, value, remedy.
    """
    raw = _read_manifest(folder)
    # The signature first: nothing that a stranger wrote is parsed before it is known to be a stranger's.
    signed_by = verify(raw, folder / SIGNATURE, trust or shipped_trust())
    manifest = parse(raw, folder / MANIFEST)
    if kind is not None and manifest.kind != kind:
        raise ModelError(
            f"a {manifest.kind} model where a {kind} model is needed",
            path=folder / MANIFEST,
            where=Key("kind"),
            remedy="give the right folder",
        )
    if order(manifest.minimum_version) > order(__version__):
        raise ModelError(
            f"needs Undertone {manifest.minimum_version} and this is {__version__}",
            path=folder / MANIFEST,
            where=Key("minimum_version"),
            remedy="bring this box up to date, or take an older model",
        )
    _check_files(folder, manifest)
    return Bundle(folder=folder, manifest=manifest, sha256=hashlib.sha256(raw).hexdigest(), signed_by=signed_by)


def parse(raw: bytes, path: Path) -> Manifest:
    """A manifest from its bytes, without looking at any other file. Raises ModelError naming key and remedy."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"not a manifest that this version knows: {error}", path=path, remedy="pack it again, or bring this box up to date"
        ) from error
    for name in (*manifest.files, *([manifest.golden] if manifest.golden else ())):
        if not is_plain(name) or name in (MANIFEST, SIGNATURE):
            raise ModelError(f"'{name}' is not a plain path inside the bundle", path=path, where=Key("files"), remedy="pack it again")
    return manifest


def encode(manifest: Manifest) -> bytes:
    """The manifest's canonical bytes, which are signed: JSON with sorted keys, indented so that a person can read it."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=2) + b"\n"


def order(version: str) -> tuple[int, ...]:
    """A version's place among versions."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def is_plain(name: str) -> bool:
    """Whether `name` is a relative path of ordinary characters that stays inside its folder."""
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and "." not in name.split("/") and "" not in name.split("/")
    return inside and re.fullmatch(r"[A-Za-z0-9._/+-]{1,200}", name) is not None


def _read_manifest(folder: Path) -> bytes:
    """The manifest's bytes."""
    path = folder / MANIFEST
    try:
        if not folder.is_dir():
            raise ModelError("no such folder", path=folder, remedy="give a model bundle's folder")
        if path.stat().st_size > _MANIFEST_BYTES:
            raise ModelError(f"larger than any manifest ({_MANIFEST_BYTES:,} bytes)", path=path, remedy="bring the bundle again")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError("missing", path=path, remedy="a model bundle is a folder with a manifest.json") from error
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", path=path, remedy="check who owns it") from error


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Each listed file is there, a plain file, and has its hash; no other file is there."""
    if manifest.golden is not None and manifest.golden not in manifest.files:
        raise ModelError(f"'{manifest.golden}' is not among the files", path=folder / MANIFEST, where=Key("golden"), remedy="pack it again")
    for name, expected in manifest.files.items():
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise ModelError("missing, though the manifest names it", path=path, remedy="bring the bundle again")
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(f"cannot be read: {error.strerror}", path=path, remedy="bring the bundle again") from error
        if found != expected:
            raise ModelError(
                f"damaged: sha256 {found[:12]}… where the manifest has {expected[:12]}…", path=path, remedy="bring the bundle again"
            )
    known = {*manifest.files, MANIFEST, SIGNATURE}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in known and (path.is_symlink() or not path.is_dir()):
            raise ModelError("not in the manifest", path=path, remedy="remove it, or pack the bundle again")
