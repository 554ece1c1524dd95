"""Words that go over the wire or into a file and flow through a call; those of the box, its alerts and its answers: edge.wire.codes."""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """A word that goes over the wire or into a file. `doc` is what it means: schemas and docs/bus.md take it from here."""

    doc: str

    def __new__(cls, value: str, doc: str = "") -> Self:
        """The member whose word is `value`."""
        member = str.__new__(cls, value)
        member._value_, member.doc = value, doc
        return member


class Role(Code):
    """Who speaks on a channel."""

    CUSTOMER = "customer", "The one who is served."
    AGENT = "agent", "Who serves; never judged."
    MIXED = "mixed", "Both on one channel: judged by words alone."
    SYSTEM = "system", "A machine: announcements, menus."


class Mode(Code):
    """Which branches take part in a verdict."""

    VOICE = "voice", "How it was said, alone."
    WORDS = "words", "What was said, alone."
    BOTH = "both", "Both, each with its weight."


class Branch(Code):
    """What a part of a verdict rests on."""

    VOICE = "voice", "How it was said."
    WORDS = "words", "What was said."


class ModelKind(Code):
    """What a model is for: a folder of models/, and of a box's own."""

    VOICE = "voice", "How it was said."
    WORDS = "words", "What was said, and what it is about."
    FUSION = "fusion", "What each branch weighs in the verdict."
    VOSK = "vosk", "The recogniser."


class ModelPart(Code):
    """What a model does in a call: what `info` and the events of a call name it by."""

    VOICE = "voice", "Judges how it was said."
    WORDS = "words", "Judges what was said."
    RECOGNISER = "recogniser", "Writes down what was said."
    FUSION = "fusion", "Weighs the two in the verdict."


class Privacy(Code):
    """What may leave the box: each tier includes the ones before it."""

    NUMBERS = "numbers", "Numbers, codes of causes, ids of rules."
    QUOTES = "quotes", "Also redacted quotes in alerts."
    TRANSCRIPT = "transcript", "Also the redacted words of each utterance, on a topic of their own."


class Polarity(Code):
    """The three-way judgement."""

    NEGATIVE = "negative", "The customer lets it be known that they are unhappy with how they are served."
    NEUTRAL = "neutral", "Neither; also a problem that is told calmly."
    POSITIVE = "positive", "The customer is pleased."


class Emotion(Code):
    """What a voice sounds like, in the order of the net's outputs."""

    ANGRY = "angry", "Bad news."
    DISGUST = "disgust", "Bad news."
    FEAR = "fear", "Bad news."
    HAPPY = "happy", "Good news."
    NEUTRAL = "neutral", "Neither."
    SAD = "sad", "Bad news."
    SURPRISED = "surprised", "Counted as good news: a choice, since TESS calls its own pleasant and the others leave it open."


class Signal(Code):
    """What the words speak of: the categories of the service lexicon that carry feeling, and the groups of phrases."""

    WAITING = "waiting", "Waiting, stated as a fact."
    REPEAT = "repeat", "How often it has happened before."
    THREAT = "threat", "To leave, to complain elsewhere, to go to law."
    UNMET = "unmet", "A promise that was not kept."
    BROKEN = "broken", "A product or service that fails."
    MONEY = "money", "Money taken, not returned or not explained."
    CONDUCT = "conduct", "How staff behaved, or what they refused."
    IRONY = "irony", "Praise of what failed."
    ANGER = "anger", "The feeling, named."
    RELIEF = "relief", "The trouble is over."
    THANKS = "thanks", "Thanks that are meant."
    PRAISE = "praise", "Praise."
    VULNERABLE = "vulnerable", "A group of phrases: somebody may be in danger."
    LEGAL_THREAT = "legal_threat", "A group of phrases: a lawyer, a court, a regulator or the press."
    CALLED_BEFORE = "called_before", "A group of phrases: the caller has called before, about this."


class Absence(Code):
    """Why a branch says nothing of an utterance."""

    MIXED_CHANNEL = "mixed_channel", "Both sides are on one channel: whose voice it is cannot be known."
    AGENT = "agent", "An agent or a machine spoke: nobody judges that."
    MODE = "mode", "This branch takes no part here (configuration: mode)."
    NO_MODEL = "no_model", "There is no model for it on this box."
    TOO_SHORT = "too_short", "Too little of it to judge."
    TOO_QUIET = "too_quiet", "Too quiet to judge."
    NOT_UNDERSTOOD = "not_understood", "Not understood: another language, no adult's speech, or too bad a line."
    LANGUAGE = "language", "The line's recogniser writes a language that the words model does not know."
    NO_WORDS = "no_words", "No words were recognised."
    NO_NOTICE = "no_notice", "The caller had not been told of the analysis yet, and require_notice asks for that."
    POOR_QUALITY = "poor_quality", "There is a reading, too poor to count in the verdict."
    OVERLOAD = "overload", "The box was too busy."
    FAILED = "failed", "The model failed on it."


class NoVerdict(Code):
    """Why an utterance has no label."""

    NO_EVIDENCE = "no_evidence", "No branch said anything; `absent` has each one's reason."
    WEAK_EVIDENCE = "weak_evidence", "So little that the prior decides, not what was heard."


class OpenedBy(Code):
    """What began a call."""

    VOICE = "voice", "Two seconds of voice within ten."
    COMMAND = "command", "A command (call/<line>/start)."
    CONNECTION = "connection", "The switchboard connected (a line that listens)."


class ClosedBy(Code):
    """What ended a call."""

    COMMAND = "command", "A command (call/<line>/end, or a start of the next)."
    BUSY = "busy", "A busy or reorder tone."
    DIAL = "dial", "A dial tone or howler: the line was put down."
    IDLE = "idle", "Nobody spoke for so long (configuration: idle_s)."
    END_OF_RECORDING = "end_of_recording", "The recording was over."
    HANG_UP = "hang_up", "The switchboard said so, or ended its connection properly."
    CONNECTION_LOST = "connection_lost", "The connection broke, or nothing came over it for idle_s."
    PROTOCOL_ERROR = "protocol_error", "What came over the connection was no sound, or the switchboard told of an error."
    STOP = "stop", "The box was stopped."


class Tone(Code):
    """What the telephone network or a machine plays."""

    DIAL = "dial", "Dial tone."
    RINGBACK = "ringback", "It rings at the other end."
    BUSY = "busy", "Busy tone."
    REORDER = "reorder", "Reorder (congestion) tone: fast busy."
    CALL_WAITING = "call_waiting", "Another call is waiting."
    UNOBTAINABLE = "unobtainable", "Number unobtainable."
    HOWLER = "howler", "The receiver is off the hook."
    SIT = "sit", "Special information tones: three steps upwards."
    DTMF = "dtmf", "A key was pressed."
    FAX = "fax", "A fax machine."
    MODEM = "modem", "A modem."
    MUSIC = "music", "Hold music."
    ANNOUNCEMENT = "announcement", "A recorded announcement."


class SourceState(Code):
    """How a line's source of sound is."""

    STARTING = "starting", "Being started."
    UP = "up", "Sound comes."
    LISTENING = "listening", "It waits for calls over the network, or has some."
    STALLED = "stalled", "It is there, and no sound comes; started anew."
    ABSENT = "absent", "The device is not there, or the address cannot be listened on; tried again."
    STOPPED = "stopped", "Stopped with the box."
    ENDED = "ended", "The recording is over."
