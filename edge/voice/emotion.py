"""How a customer speaks: one utterance to a calibrated reading, or to the reason why there is none."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.bundle import golden, manifest
from edge.bundle.manifest import Bundle
from edge.bundle.signature import Trust
from edge.errors import Key, ModelError
from edge.segment.crosstalk import CustomerUtterance
from edge.signal.features import Features, Windows, quantise, spectrogram, windows
from edge.signal.pcm import clipping_share, level_dbfs, speech_dbfs
from edge.signal.prosody import MELODY, statistics
from edge.signal.spec import SPEC
from edge.tflite.interpreter import Interpreter
from edge.values import Absence, Absent, Emotion, Evidence, ModelKind, Pcm, Utterance, VoiceReading
from edge.voice.calibration import Calibration, calibrated
from edge.voice.labels import LABELS
from edge.voice.prior import prior_of
from edge.voice.prosody import Prosody

# A syllable or two. Below it there is nothing to judge ("yes"). Set, not measured.
_SHORTEST_MS = 300
# The first step of mu-law is 8 of 32768, -72 dBFS: softer than that, nothing is left of speech on a G.711 line.
_QUIETEST_DBFS = -72.0
# Evidence grows with speech: half of its weight at 0.6 s, nearly all at 3 s. Set, not fitted.
_HALF_MS = 600.0
# From no weight in speech-shaped din to full weight on an ordinary line. Set, not fitted.
_NO_SNR_DB, _FULL_SNR_DB = 0.0, 15.0
# One sample in fifty clipped: harmonics of the clipping fill the band.
_CLIPPING_SPOILS = 0.02
# A window takes 2 to 30 ms from PC to Pi; longer than this and the box falls behind a talker.
_BUDGET_MS = 400.0


class EmotionModel:
    """The shipped voice path: features, int8 net, prosody, calibration. Keeps nothing between utterances; threads take turns in the net."""

    def __init__(self, bundle: Bundle) -> None:
        """Take a checked bundle. Raises ModelError where it is for other features or labels than this program's."""
        found = bundle.manifest
        where = bundle.folder / manifest.MANIFEST
        if found.labels != LABELS:
            raise ModelError(
                f"{list(found.labels)} where this version reads {list(LABELS)}",
                path=where,
                where=Key("labels"),
                remedy="convert the net again",
            )
        if dict(found.features) != SPEC.as_dict():
            raise ModelError(_difference(found.features), path=where, where=Key("features"), remedy="convert the net for these features")
        try:
            self._calibration = msgspec.convert(found.calibration, Calibration)
        except msgspec.ValidationError as error:
            raise ModelError(str(error), path=where, where=Key("calibration"), remedy="train or convert the net again") from error
        try:
            self.prosody = msgspec.convert(found.prosody, Prosody) if found.prosody else None
        except msgspec.ValidationError as error:
            raise ModelError(str(error), path=where, where=Key("prosody"), remedy="train the net again") from error
        net = bundle.only(".tflite")
        self._interpreter = Interpreter(net)
        if found.input != self._interpreter.input or found.output != self._interpreter.output:
            raise ModelError("its shape or quantisation is not what the manifest says", path=net, remedy="pack the bundle again")
        if self._interpreter.input.shape != (1, SPEC.frames, SPEC.bands, SPEC.planes) or self._interpreter.output.shape != (1, len(LABELS)):
            shapes = f"takes {self._interpreter.input.shape} and gives {self._interpreter.output.shape}"
            raise ModelError(f"{shapes}, not these features and labels", path=net, remedy="convert the net again")
        self.label = bundle.label
        self.prior = prior_of(self.label)
        if found.golden is None:
            raise ModelError(
                "missing: nothing proves that this net works here", path=where, where=Key("golden"), remedy="pack the bundle again"
            )
        golden.check(bundle.folder / found.golden, self.answers, budget_ms=_BUDGET_MS)

    @classmethod
    def load(cls, folder: Path, *, trust: Trust | None = None) -> Self:
        """The model in the bundle's `folder`, checked and proven on its golden vectors. Raises ModelError."""
        return cls(manifest.load(folder, kind=ModelKind.VOICE, trust=trust))

    def read(self, customer: CustomerUtterance) -> VoiceReading | Absent:
        """How the customer spoke; absent (too_short, too_quiet) where there is not enough to judge."""
        utterance = customer.utterance
        voiced_ms = utterance.voiced_samples // 16
        if voiced_ms < _SHORTEST_MS:
            return Absent(reason=Absence.TOO_SHORT)
        if level_dbfs(utterance.pcm) < _QUIETEST_DBFS:
            return Absent(reason=Absence.TOO_QUIET)
        spectrum = spectrogram(utterance.pcm)
        cut = windows(spectrum)
        result = calibrated(with_prosody(net_logits(self._interpreter, cut), spectrum, self.prosody), self._calibration)
        clipping = clipping_share(utterance.pcm)
        return VoiceReading(
            probs={emotion: float(p) for emotion, p in zip(Emotion, result.probs, strict=True)},
            label=Emotion(LABELS[int(np.argmax(result.probs))]),
            p_negative=result.p_negative,
            p_neutral=result.p_neutral,
            p_positive=result.p_positive,
            evidence=Evidence(negative=result.negative, positive=result.positive, quality=_quality(utterance, voiced_ms, clipping)),
            voiced_ms=voiced_ms,
            windows=len(cut.active),
            clipping=clipping,
            speech_dbfs=speech_dbfs(utterance.pcm),
            model=self.label,
        )

    @property
    def window_ms(self) -> float | None:
        """Processor time of the net, milliseconds a window, since it was loaded."""
        return self._interpreter.window_ms

    def answers(self, case: golden.Case) -> Mapping[str, Sequence[float]]:
        """What golden vectors hold of a case. Raises ModelError for a case without sound."""
        if case.audio is None:
            raise ModelError("has no audio", where=f"golden case '{case.name}'", remedy="pack the bundle again")
        return net_answers(self._interpreter, case.audio.pcm())


def net_logits(interpreter: Interpreter, cut: Windows) -> NDArray[np.float64]:
    """The logits of an utterance's windows, float64 (7,): the mean over windows by the speech in each."""
    scores = interpreter.run(quantise(cut.features, interpreter.input.scale, interpreter.input.zero_point))
    return np.asarray(np.average(scores.astype(np.float64), axis=0, weights=np.maximum(cut.active, 1)))


def with_prosody(logits: NDArray[np.float64], spectrum: Features, prosody: Prosody | None) -> NDArray[np.float64]:
    """A net's `logits` (7,) and what the statistics of the whole utterance add, where the bundle has weights for them."""
    return logits + prosody.logits(spectrum) if prosody else logits


def net_answers(interpreter: Interpreter, pcm: Pcm) -> Mapping[str, Sequence[float]]:
    """What golden vectors hold of `pcm`: every 199th cell of the features (-1..1), the statistics, and the net's logits."""
    spectrum = spectrogram(pcm)
    cut = windows(spectrum)
    # Three digits are far within their tolerance, and a bundle is sent over a bus.
    said = statistics(spectrum).round(3).tolist()
    return {
        "features": cut.features.ravel()[::199].tolist(),
        "melody": said[:MELODY],
        "statistics": said[MELODY:],
        "logits": net_logits(interpreter, cut).tolist(),
    }


def _quality(utterance: Utterance, voiced_ms: int, clipping: float) -> float:
    """0..1: how much this reading may count, by seconds of voice, noise, clipping, holes."""
    enough = voiced_ms / (voiced_ms + _HALF_MS) * (1 + _HALF_MS / 3000)
    snr = _FULL_SNR_DB if utterance.snr_db is None else utterance.snr_db
    clear = (snr - _NO_SNR_DB) / (_FULL_SNR_DB - _NO_SNR_DB)
    whole = 1.0 - utterance.lost_samples / max(1, len(utterance.pcm))
    clean = 1.0 - clipping / _CLIPPING_SPOILS / 2
    return float(np.prod(np.clip([enough, clear, whole, clean], 0.0, 1.0)))


def _difference(features: Mapping[str, object]) -> str:
    """The first key in which a bundle's features are not ours."""
    ours = SPEC.as_dict()
    key = next(k for k in (*ours, *features) if features.get(k) != ours.get(k))
    return f"'{key}' is {features.get(key)} and this version works out {ours.get(key)}"
