"""The layout's promises, read off the source: one file a heavy library, edge without convert, no way round crosstalk."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ONLY_IN = {
    "vosk": "edge/words/recogniser.py",
    "nltk": "edge/words/sentiment.py",
    "ai_edge_litert": "edge/voice/interpreter.py",
    "tflite_runtime": "edge/voice/interpreter.py",
    "paho": "edge/bus/mqtt.py",
    "pyaudio": "edge/capture/child.py",
    "soundfile": "edge/capture/wavfile.py",
    "soxr": "edge/signal/resample.py",
    "sqlite3": "edge/bus/store.py",
    "cryptography": "edge/bundle/signature.py",
    "jinja2": "edge/report/page.py",
    "tensorflow": "convert/network.py",
    "keras": "convert/network.py",
}


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if called == "import_module" and node.args and isinstance(node.args[0], ast.Constant):
                names.add(str(node.args[0].value))
    return names


SOURCES = {str(p.relative_to(ROOT)): _imports(p) for folder in ("edge", "convert") for p in (ROOT / folder).rglob("*.py")}


@pytest.mark.parametrize("library", ONLY_IN)
def test_each_heavy_library_is_imported_in_one_file(library):
    importers = [path for path, names in SOURCES.items() if any(n.split(".")[0] == library for n in names)]
    assert set(importers) <= {ONLY_IN[library]}


def test_edge_never_imports_convert_or_tensorflow():
    guilty = {p: n for p, names in SOURCES.items() if p.startswith("edge/") for n in names if n.split(".")[0] in {"convert", "tensorflow"}}
    assert guilty == {}


def test_values_know_nothing_of_the_rest():
    assert not any(name.startswith("edge") for name in SOURCES["edge/values.py"])


@pytest.mark.parametrize("layer", ["segment", "voice", "words", "verdict", "bus", "signal", "capture", "call"])
def test_layers_do_not_import_what_puts_them_together(layer):
    above = {"edge.line", "edge.live", "edge.app", "edge.engines", "edge.loading", "edge.replay", "edge.cli", "edge.report"}
    guilty = [
        (p, n) for p, names in SOURCES.items() if p.startswith(f"edge/{layer}/") for n in names if any(n.startswith(a) for a in above)
    ]
    assert guilty == []
