"""Voice bundles for the tests of a rollout: the shipped net under other versions and keys, and made worse in the ways that occur."""

import shutil
import tarfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np

from convert.pack import finish, write_manifest
from edge.bundle import golden
from edge.bundle.archive import pack
from edge.bundle.golden import Recipe
from edge.bundle.manifest import MANIFEST, SIGNATURE, Manifest, encode, load, parse
from edge.bundle.signature import PrivateKey, Trust, generate, shipped_models, write_keys
from edge.segment.crosstalk import CustomerUtterance
from edge.signal.spec import SPEC
from edge.tflite.interpreter import Interpreter
from edge.voice.clip import whole_clip
from edge.voice.emotion import net_answers

SHIPPED = shipped_models() / "voice"
# Looked for, not imported: that alone takes 7 s, in each worker.
TENSORFLOW = find_spec("tensorflow") is not None
NET = SHIPPED / "model.tflite"
SHAPE = (SPEC.frames, SPEC.bands, SPEC.planes)


def spoken(seed: int) -> CustomerUtterance:
    """A synthetic customer; every `seed` another voice."""
    pitch, glide = 90 + seed * 37 % 190, seed * 53 % 200 - 100
    recipe = Recipe(
        seed=seed, seconds=1.5 + seed % 3, pitch_hz=pitch, glide_hz=glide, peak=3000 + seed * 971 % 20000, noise=seed * 61 % 900
    )
    return whole_clip(recipe.pcm())


def keys(folder: Path, name: str = "site") -> tuple[Path, Path, PrivateKey]:
    """A new key pair: private file, public file, key."""
    key, public = generate()
    private, shared = folder / f"{name}.key", folder / f"{name}.pub"
    write_keys(private, shared, key, public)
    return private, shared, key


Change = Callable[[Manifest], Manifest]


def voice(folder: Path, version: str, key: Path | None, *, net: bytes | None = None, change: Change | None = None) -> Path:
    """A voice bundle in `folder`, as `undertone-convert train` leaves one, with golden vectors of its own net."""
    shutil.copytree(SHIPPED, folder)
    if net is not None:
        (folder / "model.tflite").write_bytes(net)
        interpreter = Interpreter(folder / "model.tflite")
        tolerance = golden.read(SHIPPED / "golden.json").tolerance
        answers = golden.record(golden.speech_cases(), lambda case: net_answers(interpreter, case.audio.pcm()), tolerance)
        golden.write(folder / "golden.json", answers)
    manifest = msgspec.structs.replace(parse((folder / MANIFEST).read_bytes(), folder / MANIFEST), version=version)
    write_manifest(folder, change(manifest) if change else manifest)
    finish(folder, key)
    return folder


def permuted() -> bytes:
    """The shipped net as one that learnt from shuffled labels: the rows of its last layer lie elsewhere."""
    from ai_edge_litert.interpreter import Interpreter as Net

    raw = NET.read_bytes()
    found = Net(model_path=str(NET), experimental_preserve_all_tensors=False)
    found.allocate_tensors()
    order = [4, 3, 6, 0, 1, 2, 5]
    for details in found.get_tensor_details():
        shape = tuple(details["shape"])
        if len(shape) in (1, 2) and shape[0] == 7 and details["dtype"] in (np.int8, np.int32):
            try:
                rows = found.get_tensor(details["index"])
            except ValueError:
                continue  # not a constant
            if raw.count(rows.tobytes()) == 1:
                raw = raw.replace(rows.tobytes(), rows[order].tobytes())
    assert raw != NET.read_bytes()
    return raw


def too_sure(manifest: Manifest) -> Manifest:
    """Calibrated wrong: p_negative is near one whatever is said."""
    bias = manifest.calibration["bias_negative"]
    return msgspec.structs.replace(manifest, calibration={**manifest.calibration, "bias_negative": bias + 6.0})


def raw_tar(folder: Path) -> Path:
    """What lies in `folder` as one file beside it, right or wrong."""
    path = folder.with_name(folder.name + ".tar")
    with tarfile.open(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.add(file, file.relative_to(folder).as_posix(), recursive=False)
    return path


def tar(folder: Path) -> Path:
    """The bundle in `folder` as one file beside it, whoever signed it."""
    path = folder.with_name(folder.name + ".tar")
    pack(load(folder, trust=Trust(allow_unsigned=True)), path)
    return path


def signed(folder: Path, key: PrivateKey, **changes) -> Path:
    """The bundle in `folder` with another manifest, signed again: what only a mistake of its signer makes."""
    manifest = msgspec.structs.replace(parse((folder / MANIFEST).read_bytes(), folder / MANIFEST), **changes)
    (folder / MANIFEST).write_bytes(encode(manifest))
    (folder / SIGNATURE).write_bytes(key.sign(encode(manifest)))
    return folder


def slow(folder: Path, private: Path, ponderous: bytes) -> Path:
    """The bundle with a net that no box carries, rightly described, with one golden case: it takes long enough."""
    (folder / "model.tflite").write_bytes(ponderous)
    net = Interpreter(folder / "model.tflite")
    tolerance = golden.read(folder / "golden.json").tolerance
    case = golden.speech_cases()[2]  # the longest: five seconds of windows, so that a processor with fast int8 arithmetic is slow too
    golden.write(folder / "golden.json", golden.record([case], lambda one: net_answers(net, one.audio.pcm()), tolerance))
    manifest = parse((folder / MANIFEST).read_bytes(), folder / MANIFEST)
    write_manifest(folder, msgspec.structs.replace(manifest, input=net.input, output=net.output))
    finish(folder, private)
    return folder
