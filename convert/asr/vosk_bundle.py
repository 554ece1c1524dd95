"""A speech recogniser as its makers publish it, made a bundle: `undertone-convert pack FOLDER --vosk VERSION`."""

import re
import shutil
from pathlib import Path

from convert.pack import finish, now, write_manifest
from edge.asr.vosk_model import check_any, language_of
from edge.bundle import golden
from edge.bundle.manifest import MANIFEST, SIGNATURE, Bundle, Manifest
from edge.models.recogniser import answers
from edge.values import ModelKind

# Another processor rounds otherwise, and a buzz is on the edge of being a word.
_TOLERANCE = {"words": 3.0, "seconds": 3.0}


def bundle_of(model: Path, out: Path, *, version: str, licence: str, key: Path | None) -> Bundle:
    """Leave a bundle of the Vosk model in the folder `model` in the new folder `out`. Raises ModelError."""
    check_any(model)
    shutil.copytree(model, out, ignore=shutil.ignore_patterns(MANIFEST, SIGNATURE, "golden.json"))
    golden.write(out / "golden.json", golden.record(golden.speech_cases(), answers(model), _TOLERANCE))
    # Theirs ends with a version, ours has one of its own.
    name = re.sub(r"[^a-z0-9._-]+", "-", re.sub(r"-[\d.]+$", "", model.resolve().name.lower())).strip("-._") or "vosk"
    manifest = Manifest(
        kind=ModelKind.VOSK,
        name=name,
        version=version,
        created=now(),
        golden="golden.json",
        licence=licence,
        language=language_of(model),
        provenance={"from": model.resolve().name},
    )
    write_manifest(out, manifest)
    return finish(out, key)
