"""What else is on telephone lines: tones by plan, DTMF, SIT, fax, hold music, bursts, hum. Float64 of full scale 1.0, 8 kHz."""

from pathlib import Path

import numpy as np
import yaml

from tests.calls.voices import RATE, Sound

_PLAN = yaml.safe_load((Path(__file__).parents[2] / "edge/segment/tones.yaml").read_text())
_KEYS = "123A456B789C*0#D"
Bar = list[tuple[float, Sound]]
_MAJOR, _MINOR = (0, 4, 7, 12), (0, 3, 7, 12)


def make(kind: str, seconds: float, rng: np.random.Generator) -> Sound:
    """`seconds` of `kind`: "us.busy", "dtmf:5551234", "sit", "fax", "music.strings" (piano, band, flute), "burst", "hum", "knock"."""
    if kind.partition(".")[0] in _PLAN["plans"]:
        plan, _, name = kind.partition(".")
        return _signal(next(tone for tone in _PLAN["plans"][plan] if tone["name"] == name), seconds)
    if kind.startswith("music."):
        return _music(kind.removeprefix("music."), seconds, rng)
    if kind.startswith("dtmf:"):
        return _dtmf(kind.removeprefix("dtmf:"), seconds)
    return {"sit": _sit, "fax": _fax, "burst": _burst, "hum": _hum, "knock": _knock}[kind](seconds, rng)


def _time(seconds: float) -> Sound:
    time: Sound = np.arange(round(seconds * RATE)) / RATE
    return time


def _sines(hz: list[float], seconds: float) -> Sound:
    sound: Sound = sum((np.sin(2 * np.pi * f * _time(seconds)) for f in hz), np.zeros(round(seconds * RATE)))
    return sound * (0.1 * np.sqrt(2.0 / len(hz)))


def _signal(tone: dict[str, list[float]], seconds: float) -> Sound:
    sound, cadence = _sines(tone["hz"], seconds), tone["cadence_ms"]
    if not cadence:
        return sound
    edges = np.cumsum(cadence) / 1000.0
    place = _time(seconds) % edges[-1]
    gated: Sound = sound * (np.searchsorted(edges, place, side="right") % 2 == 0)
    return gated


def _dtmf(keys: str, seconds: float) -> Sound:
    rows, columns = _PLAN["dtmf_hz"]["rows"], _PLAN["dtmf_hz"]["columns"]
    pieces = []
    for key in keys:
        row, column = divmod(_KEYS.index(key), 4)
        # ITU-T Q.24 asks receivers to take 40 ms; dialling by hand gives 100 and more.
        pieces += [_sines([rows[row], columns[column]], 0.09), np.zeros(round(0.07 * RATE))]
    sound = np.concatenate(pieces)
    return np.pad(sound, (0, max(0, round(seconds * RATE) - len(sound))))


def _sit(seconds: float, rng: np.random.Generator) -> Sound:
    sound = np.concatenate([_sines([950], 0.38), _sines([1400], 0.38), _sines([1776.7], 0.38)])
    return np.pad(sound, (0, max(0, round(seconds * RATE) - len(sound))))


def _fax(seconds: float, rng: np.random.Generator) -> Sound:
    return _signal({"hz": [1100], "cadence_ms": [500, 3000]}, seconds)


def _burst(seconds: float, rng: np.random.Generator) -> Sound:
    return rng.normal(0, 0.1, round(seconds * RATE))


def _knock(seconds: float, rng: np.random.Generator) -> Sound:
    sound = np.zeros(round(seconds * RATE))
    for at in range(0, len(sound) - 400, RATE // 2):
        sound[at : at + 400] += rng.normal(0, 0.3, 400) * np.exp(-np.arange(400) / 60)
    return sound


def _hum(seconds: float, rng: np.random.Generator) -> Sound:
    return _sines([50.0 * n for n in (1, 3, 5, 7, 9, 11, 13)], seconds)


def _note(midi: float, seconds: float, decay: float, harmonics: int, vibrato: float) -> Sound:
    time = _time(seconds)
    phase = 2 * np.pi * 440 * 2 ** ((midi - 69) / 12) * (time + vibrato * np.sin(2 * np.pi * 5.5 * time) / (2 * np.pi * 5.5))
    sound: Sound = sum((np.sin(n * phase) / n**1.3 for n in range(1, harmonics + 1)), np.zeros(len(time)))
    ramp = np.minimum(1.0, np.minimum(time, time[::-1] if len(time) else time) / 0.02)
    return sound * ramp * np.exp(-time * decay)


def _music(style: str, seconds: float, rng: np.random.Generator) -> Sound:
    """Invented hold music: four chords round and round, in four kinds of arrangement."""
    beat = float(rng.uniform(0.4, 0.6))
    key = int(rng.integers(48, 58))
    sound = np.zeros(round((seconds + 9 * beat) * RATE))
    for bar in range(int(seconds / (4 * beat)) + 1):
        root, chord = ((0, _MAJOR), (9, _MINOR), (5, _MAJOR), (7, _MAJOR))[bar % 4]
        for at, piece in _ARRANGEMENTS[style](key + root, chord, beat, rng):
            start = round((bar * 4 * beat + at) * RATE)
            sound[start : start + len(piece)] += piece
    sound = sound[: round(seconds * RATE)]
    level: Sound = sound * (0.1 / np.sqrt(np.mean(sound**2)))
    return level


def _strings(root: int, chord: tuple[int, ...], beat: float, rng: np.random.Generator) -> Bar:
    return [(0.0, _note(root + step, 4 * beat, 0.1, 8, 0.004) * 0.3) for step in chord]


def _piano(root: int, chord: tuple[int, ...], beat: float, rng: np.random.Generator) -> Bar:
    return [(n * beat / 2, _note(root + 12 + chord[n % 4], 1.2 * beat, 3.0, 6, 0.0) * 0.5) for n in range(8)]


def _flute(root: int, chord: tuple[int, ...], beat: float, rng: np.random.Generator) -> Bar:
    return [(n * beat, _note(root + 24 + int(rng.choice(chord)), beat * 0.95, 0.3, 3, 0.006)) for n in range(4)]


def _band(root: int, chord: tuple[int, ...], beat: float, rng: np.random.Generator) -> Bar:
    bass = [(n * beat, _note(root - 12, beat, 2.0, 10, 0.0) * 0.6) for n in range(4)]
    hit = round(0.12 * RATE)
    drum = [((n + 0.5) * beat, rng.normal(0, 0.4, hit) * np.exp(-np.arange(hit) / 200)) for n in range(4)]
    return [*_piano(root, chord, beat, rng), *bass, *drum]


_ARRANGEMENTS = {"strings": _strings, "piano": _piano, "flute": _flute, "band": _band}
