"""The way of a model from a piece that the bus has brought to the swap at the line's next call: the files that a reader has to enter.

It begins where the piece is handed to the model manager and ends where the call has its models. Fusion weights go all of it; another kind
is proven and loaded by its own branch (edge.voice, edge.words, edge.asr) on top.
"""

import base64
import hashlib
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from convert.pack import finish, write_manifest
from edge.bundle.archive import pack
from edge.bundle.manifest import Manifest, load
from edge.bundle.signature import Trust, generate, write_keys
from edge.bundle.store import open_store
from edge.call.engines import Engines
from edge.call.line import Line
from edge.call.rules.rule_set import RuleBook
from edge.cli.status import _draw
from edge.config import Config, LineConfig, ModelsConfig, SourceConfig
from edge.models.install import install
from edge.models.inventory import list_models
from edge.models.manager import ModelManager
from edge.models.probation import end, read, write
from edge.wire.commands import CallStart, ModelInstall, parse
from edge.words.branch import WordsJudge
from tests.paths import ROOT

MOST = 12
# What everything stands on.
GROUND = {f"edge/{name}.py" for name in ("values", "errors", "config", "clock", "__init__")}
LINE = LineConfig(name="line-1", source=SourceConfig(file="none.wav"))
SET = {"voice": 0.4, "words": 1.0}
FITTED = {"voice": 0.2, "words": 1.1, "utterances": 900, "calls": 90, "negatives": 200, "strictness": 0.1}


class Way:
    """The files of `edge` whose functions were entered while it was open, in their order, on whichever thread."""

    def __init__(self) -> None:
        self.open, self.files = False, {}

    def __call__(self, frame, event, _argument) -> None:
        if not self.open or event != "call":
            return
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT / "edge"):
            self.files.setdefault(path.relative_to(ROOT).as_posix())

    def counted(self) -> list[str]:
        return [file for file in self.files if file not in GROUND]


@pytest.fixture
def box(tmp_path):
    """A box's configuration that trusts a key, and the signed bundle that is to come: fusion weights, the smallest there are."""
    key, public = generate()
    write_keys(tmp_path / "site.key", tmp_path / "site.pub", key, public)
    made = Manifest(kind="fusion", name="fusion", version="1.0.0", created="2026-01-01", licence="our own", calibration=FITTED)
    (tmp_path / "fusion").mkdir()
    write_manifest(tmp_path / "fusion", made)
    finish(tmp_path / "fusion", tmp_path / "site.key")
    pack(load(tmp_path / "fusion", trust=Trust(allow_unsigned=True)), tmp_path / "fusion.tar")
    models = ModelsConfig(trusted_keys=(str(tmp_path / "site.pub"),))
    return Config(state_dir=str(tmp_path / "state"), models=models), (tmp_path / "fusion.tar").read_bytes()


def judging(config: Config) -> Engines:
    """A box without nets: what a call is judged by is the words' lexicon and the weights."""
    judge = WordsJudge.configured(config, None)
    return Engines(emotion=None, recogniser=None, judge=judge, rules=RuleBook(None).current, weights=SET, infos={})


def pieces(raw: bytes, size: int) -> list[ModelInstall]:
    """The commands that carry the file, as they are read off the bus."""
    whole = {"model": "fusion", "sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)}
    bodies = [whole | {"offset": at, "data": base64.b64encode(raw[at : at + size]).decode()} for at in range(0, len(raw), size)]
    return [parse("model/install", msgspec.json.encode(body)) for body in bodies]


def test_a_model_enters_at_most_twelve_files_from_the_bus_to_the_next_call(box):
    """A real manager, store and line, and every function that runs between a piece's arrival and the call's own models."""
    config, raw = box
    way, swapped, died = Way(), threading.Event(), []

    def now_serving() -> None:
        way.open = False  # from here on it is told on the bus, and the way goes on at the line
        swapped.set()

    threading.setprofile(way)
    manager = ModelManager(config, judging(config), announce=lambda _: None, swapped=now_serving, died=died.append)
    line = Line(line=LINE, serving=manager.serving)
    manager.start()
    threading.setprofile(None)
    swapped.clear()
    try:
        sent = pieces(raw, 1000)
        assert len(sent) > 1
        way.open = True
        sys.setprofile(way)
        for piece in sent:
            manager.offer(piece)
        sys.setprofile(None)
        assert swapped.wait(30), died
        models = _opened(line, way)
    finally:
        sys.setprofile(None)
        manager.stop()
    assert died == []
    assert open_store("fusion", config).serving().current is not None
    assert models._weights == {"voice": 0.2, "words": 1.1}
    # It was followed: both ends, and what is between them.
    assert {"edge/models/manager.py", "edge/bundle/signature.py", "edge/call/engines.py"} <= set(way.files)
    assert len(way.counted()) <= MOST, "\n".join(way.counted())


def _opened(line: Line, way: Way):
    """The models of the line's next call; followed from where the line opens it to where they are bound to it."""

    def at_the_line(frame, event, argument) -> None:
        if frame.f_code.co_filename.endswith("call/line.py") and frame.f_code.co_name == "_open":
            way.open = event == "call"
        way(frame, event, argument)
        if frame.f_code.co_name == "for_call":
            sys.setprofile(None)

    sys.setprofile(at_the_line)
    line.handle_command(CallStart(line="line-1"))
    return line._models


def test_a_model_on_probation_says_so_in_the_list_of_models(box, tmp_path):
    config, raw = box
    (tmp_path / "came.tar").write_bytes(raw)
    assert install(tmp_path / "came.tar", config).on_probation
    store = open_store("fusion", config)
    write(store, msgspec.structs.replace(read(store), calls=3, compared=61))
    (row,) = [row for row in list_models(config) if row.kind == "fusion"]
    assert (row.probation.calls, row.probation.calls_wanted, row.probation.utterances) == (3, config.models.probation_calls, 61)
    assert str(row.probation) == "on probation: 3 of 20 calls, 61 utterances"
    end(store)
    (row,) = [row for row in list_models(config) if row.kind == "fusion"]
    assert row.probation is None


def test_the_status_of_a_running_box_shows_who_is_on_probation(box, tmp_path, capsys):
    config, raw = box
    (tmp_path / "came.tar").write_bytes(raw)
    manager = ModelManager(config, judging(config), announce=lambda _: None, swapped=lambda: None, died=lambda _: None)
    manager.start()
    try:
        assert manager.standing() == []
        for piece in pieces(raw, 1000):
            manager.offer(piece)
        for _ in range(1000):
            if manager.standing():
                break
            threading.Event().wait(0.01)
        (standing,) = manager.standing()
    finally:
        manager.stop()
    assert (standing.model, standing.version, standing.action) == ("fusion", "1.0.0", "probation")
    shown = {"running": True, "state": {"state": "online", "reasons": [], "lines": {}}, "connected": True, "outbox": None, "age_s": 0.0}
    health = {"uptime_s": 1.0, "frames": {}, "dropped_ms": {}, "latency_p95_ms": None, "memory_mb": 1.0, "disk_free_mb": 1.0}
    _draw(shown | {"health": health, "probation": [msgspec.to_builtins(standing)]})
    assert "1.0.0 on probation beside what is set: 0 of 20 calls, 0 utterances" in " ".join(capsys.readouterr().out.split())
