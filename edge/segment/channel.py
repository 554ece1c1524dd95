"""One channel of a line: all its detectors, and what of its sound goes to the endpointer."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from edge.segment.activity import Voicing
from edge.segment.announcements import AfterMusic, AfterSit, Doubt
from edge.segment.music import MusicDetector
from edge.segment.plan import TonePlan
from edge.segment.spectrum import FrameSpectrum
from edge.segment.tones import STEADY_KNOWN_AFTER, Signal, ToneTracker
from edge.segment.utterances import Endpointer, EndpointerFrame
from edge.values import FRAME_SAMPLES, Frame, Role, SpeechAudio, SpeechDropped, SpeechStarted, Tone, Utterance

Spoken = SpeechStarted | SpeechAudio | SpeechDropped | Utterance

# Music is known to be over up to a second late; what was heard since then is kept, so that no first words are lost.
_KEPT_FRAMES: Final = 50
# A frame this much like the one before is a note; so is what is less like it but near such a frame.
_NOTE: Final = 0.6
_NOTE_FRAMES: Final = 12
# The two seconds that it takes to know music.
_LATE_SAMPLES: Final = 100 * FRAME_SAMPLES
# A quiet bar is not the end of a piece: music is told again only after 5 s without any.
_ANEW_SAMPLES: Final = 250 * FRAME_SAMPLES


class Channel:
    """Follows one channel frame by frame, once it is known what is voice on it and what a leak of the other channel."""

    def __init__(self, number: int, role: Role, plan: TonePlan) -> None:
        self.number = number
        self.turn = -1
        self.speaking = False
        self.alive = False
        self._tones, self._music = ToneTracker(number, plan), MusicDetector()
        self._after_sit, self._after_music = AfterSit(), AfterMusic()
        self._endpointer = Endpointer(number, role)
        self._held: list[Spoken] = []
        self._kept: deque[EndpointerFrame] = deque(maxlen=_KEPT_FRAMES)
        self._since_note = 0
        self._music_until = -_ANEW_SAMPLES

    def follow(
        self, frame: Frame, spectrum: FrameSpectrum, voicing: Voicing, *, leaked: bool, shadowed: bool, answered: bool
    ) -> Iterator[Spoken | Signal]:
        """What the frame brings about. `leaked`: its voice is the other channel's. `shadowed`: the other is much louder.

        `answered`: the other channel spoke in the frame before.
        """
        signals = self._tones.update(frame.start, spectrum)
        if self._tones.steady_now:
            self._endpointer.retract(STEADY_KNOWN_AFTER)
        if not shadowed:
            yield from self._signals(signals, voicing)
        playing = self._music.playing
        self._music.update(spectrum, own=not (shadowed or self._tones.known))
        own = voicing.active and not (leaked or self._tones.tonal or self._after_sit.running)
        heard = EndpointerFrame(
            start=frame.start,
            pcm=frame.pcm[self.number],
            voicing=voicing if own else voicing.silent(),
            level_dbfs=spectrum.level_dbfs,
            lost=frame.lost,
            steadiness=self._music.steadiness,
        )
        spoken = self._through_music(heard, was_playing=playing)
        yield from self._in_doubt(list(spoken), answered=answered)
        if self._music.playing and not playing and frame.start >= self._music_until + _ANEW_SAMPLES:
            yield Signal(channel=self.number, name=Tone.MUSIC, start=max(0, frame.start - _LATE_SAMPLES))
        if self._music.playing:
            self._music_until = frame.start
        self.speaking = self._endpointer.is_open and own
        self.alive = self._music.playing or self._after_sit.running or self._tones.ringing

    def close(self) -> Iterator[Spoken]:
        """End here and now what is being said; what was in doubt is taken for speech."""
        yield from self._let_go()
        yield from self._endpointer.close()

    def _signals(self, signals: list[Signal], voicing: Voicing) -> Iterator[Signal]:
        yield from signals
        if any(signal.name is Tone.SIT for signal in signals):
            self._after_sit.begin()
            yield Signal(channel=self.number, name=Tone.ANNOUNCEMENT, start=signals[-1].start)
        self._after_sit.update(voice=voicing.active and not self._tones.tonal)

    def _through_music(self, heard: EndpointerFrame, *, was_playing: bool) -> Iterator[Spoken]:
        """Nothing of music reaches the endpointer; at its end, what followed the last note does, late."""
        self._since_note = 0 if (heard.steadiness or 0.0) > _NOTE else self._since_note + 1
        if self._music.playing:
            if not was_playing:
                yield from self._endpointer.music()
                self._kept.clear()
            self._kept.append(heard)
            return
        if was_playing:
            late = list(self._kept)[max(0, len(self._kept) - self._since_note + _NOTE_FRAMES) :]
            self._kept.clear()
            for before in late:
                yield from self._endpointer.update(before)
        yield from self._endpointer.update(heard)

    def _in_doubt(self, spoken: list[Spoken], *, answered: bool) -> Iterator[Spoken | Signal]:
        doubt = self._after_music.update(music=self._music.playing, speaking=self._endpointer.is_open, answered=answered)
        if doubt is Doubt.DROP:
            whole = [said.start for said in self._held if isinstance(said, Utterance)]
            self._held.clear()
            if whole:
                yield Signal(channel=self.number, name=Tone.ANNOUNCEMENT, start=whole[0])
            return
        self._held.extend(spoken)
        if doubt is not Doubt.HOLD:
            yield from self._let_go()

    def _let_go(self) -> Iterator[Spoken]:
        held, self._held = self._held, []
        yield from held
