"""The values that flow through a call, from sound to verdict. All frozen; none knows where it came from.

    Block (a source's)  ->  Frame (20 ms, 16 kHz)  ->  SegmentEvent (segment)  ->  Reading (voice, words)  ->  Verdict

Time inside a call is a count of samples at 16 kHz on the line's one clock; `*_ms` fields count from the call's start.
"""

from edge.values.codes import (
    Absence,
    Branch,
    ClosedBy,
    Code,
    Emotion,
    Mode,
    ModelKind,
    NoVerdict,
    OpenedBy,
    Polarity,
    Privacy,
    Role,
    Signal,
    SourceState,
    Tone,
)
from edge.values.readings import (
    Absent,
    Cause,
    Driver,
    Evidence,
    Intelligibility,
    Spotted,
    VoiceReading,
    Word,
    WordsReading,
)
from edge.values.segments import (
    Activity,
    CallClosed,
    CallOpened,
    SegmentEvent,
    SpeechAudio,
    SpeechDropped,
    SpeechStarted,
    ToneHeard,
    Utterance,
)
from edge.values.sound import (
    FRAME_MS,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Block,
    Frame,
    Pcm,
    samples_to_ms,
)
from edge.values.verdict import (
    Part,
    Verdict,
)

__all__ = [
    "FRAME_MS",
    "FRAME_SAMPLES",
    "SAMPLE_RATE",
    "Absence",
    "Absent",
    "Activity",
    "Block",
    "Branch",
    "CallClosed",
    "CallOpened",
    "Cause",
    "ClosedBy",
    "Code",
    "Driver",
    "Emotion",
    "Evidence",
    "Frame",
    "Intelligibility",
    "Mode",
    "ModelKind",
    "NoVerdict",
    "OpenedBy",
    "Part",
    "Pcm",
    "Polarity",
    "Privacy",
    "Role",
    "SegmentEvent",
    "Signal",
    "SourceState",
    "SpeechAudio",
    "SpeechDropped",
    "SpeechStarted",
    "Spotted",
    "Tone",
    "ToneHeard",
    "Utterance",
    "Verdict",
    "VoiceReading",
    "Word",
    "WordsReading",
    "samples_to_ms",
]
