"""Vosk: the words in a channel's speech, at call time. Nothing else in the box knows Vosk."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edge.asr.channel import BLOCK, ChannelRecogniser, Decoder, warm
from edge.asr.fitted import fitted_graph
from edge.asr.kernels import chosen_kernels
from edge.asr.spares import Spares
from edge.errors import ModelError
from edge.values import SAMPLE_RATE, Pcm


@contextmanager
def _without_its_downloader() -> Iterator[None]:
    """Places for what Vosk imports, and asks, for its downloader and subtitles alone: a tenth of a start."""
    places = {name: ModuleType(name) for name in ("requests", "srt", "tqdm") if name not in sys.modules}
    for place in places.values():
        # `from tqdm import tqdm`
        place.__dict__["tqdm"] = None
    sys.modules.update(places)
    # Where it would look for downloads: it asks on import for the home of a user who may have none.
    homeless = "HOME" not in os.environ
    if homeless:
        os.environ["HOME"] = "/"
    try:
        yield
    finally:
        if homeless:
            del os.environ["HOME"]
        for name in places:
            del sys.modules[name]


with chosen_kernels(), _without_its_downloader():
    import vosk


# The shipped model's beam, and the one it gets: a third less CPU (45.2 to 29.2 s and 28.9 to 19.2 s for eight and five minutes of
# drawn calls' speech in the telephone band) for 0.4 points of WER on their 1578 words; on 78 clear acted clips 0.9 points (4 words of
# 468), and nothing saved. What any other model's makers chose is left as it is.
_BEAM, _NARROWER = "--beam=10.0", "--beam=8.0"


class Engine:
    """The Vosk model, one a box. `channel()` may be called from any thread; each channel belongs to one thread."""

    def __init__(self, model_dir: Path) -> None:
        vosk.SetLogLevel(-1)
        if not (model_dir / "am").is_dir() or not (model_dir / "conf").is_dir():
            raise ModelError("not a Vosk model (no am/ and conf/ in it)", path=model_dir, remedy="run `undertone fetch-model`")
        try:
            with tempfile.TemporaryDirectory(prefix="undertone-vosk-") as folder:
                # Always a path: `lang=` would go online.
                self._model = vosk.Model(model_path=str(_for_a_box(model_dir, Path(folder))))
        except Exception as error:  # Vosk raises bare Exception
            raise ModelError(
                f"Vosk cannot load this model ({error})", path=model_dir, remedy="run `undertone fetch-model` again"
            ) from error
        self._spares: Spares[Decoder] = Spares(lambda: _Decoder(self._model))

    def channel(self) -> ChannelRecogniser:
        """A recogniser for one channel of one call."""
        return ChannelRecogniser(self._spares)

    def keep_warm(self, channels: int, speech: Callable[[], Pcm]) -> None:
        """Have a warm recogniser for each of `channels` that is free; `speech` is what warms one. Call it now and then; never waits."""
        self._spares.fill(channels, lambda decoder: warm(decoder, speech()))


def _for_a_box(model_dir: Path, folder: Path) -> Path:
    """`model_dir` as seen from `folder`, by links: what the box changes of it.

    Kaldi's dither is off, the model that it was measured with has a narrower beam, and the language model is the one fitted to service
    calls, where there is one (edge.asr.fitted).

    Dither comes from the process's random numbers: the same call would have other words and times on another day (edge.asr.band
    has the same noise every time).
    The files of the model itself are pinned by their sha256, so they stay.
    """
    fitted = fitted_graph(model_dir)
    for part in model_dir.resolve().iterdir():
        if part.name != "conf" and not (fitted and part.name == "graph"):
            (folder / part.name).symlink_to(part)
    if fitted:
        (folder / "graph").mkdir()
        for part in (model_dir / "graph").resolve().iterdir():
            (folder / "graph" / part.name).symlink_to(fitted.resolve() if part.name == fitted.name else part)
    (folder / "conf").mkdir()
    for part in (model_dir / "conf").resolve().iterdir():
        text = part.read_text(encoding="utf-8")
        more = "\n--dither=0\n" if part.name == "mfcc.conf" and "--dither" not in text else ""
        (folder / "conf" / part.name).write_text(text.replace(_BEAM, _NARROWER) + more, encoding="utf-8")
    return folder


class _Decoder:
    """A recogniser of Vosk's, and how many samples it was ever fed: its times count from its first.

    It builds its graph as it hears, which costs two thirds more in its first seconds; what it has built it keeps, and nothing else, once
    what it heard was ended by `rest`: the next call finds no adaptation to a speaker, and the same words as with a new one.
    """

    def __init__(self, model: "vosk.Model") -> None:
        self.fed = 0
        # Whether it has forgotten the speaker, and whether something is open.
        self._rested, self._hears = True, False
        # Vosk has no types.
        self._vosk: Any = vosk.KaldiRecognizer(model, SAMPLE_RATE)
        self._vosk.SetWords(enable_words=True)

    def accept(self, pcm: Pcm) -> str | None:
        """Hear `pcm`; the result as JSON where Vosk's own endpointer has closed something."""
        self.fed += len(pcm)
        self._rested, self._hears = False, True
        return self.result() if self._vosk.AcceptWaveform(pcm.astype("<i2", copy=False).tobytes()) else None

    def result(self) -> str:
        """Close what is open, and keep the adaptation to the speaker."""
        closed: str = self._vosk.Result()
        self._hears = False
        return closed

    def rest(self) -> str:
        """Close what is open, and forget the speaker."""
        if not self._rested and not self._hears:
            # Vosk ends what it hears, and nothing else: after a result it has to hear something first.
            self.accept(np.zeros(BLOCK, np.int16))
        closed: str = self._vosk.FinalResult()
        self._rested, self._hears = True, False
        return closed
