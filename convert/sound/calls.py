"""Real calm calls as training clips: the customer's utterances as the box's own endpointer cuts them, all neutral."""

from collections.abc import Iterator
from pathlib import Path

from convert.columns import read_columns
from convert.sound.corpora import Clip
from edge.capture import wavfile
from edge.errors import UsageError
from edge.segment.segmenter import Segmenter
from edge.signal.resample import frames
from edge.values import ClosedBy, Role, Utterance

CORPUS = "calls"
# Recordings of a line's own announcements and music are named so: calm, and nobody's call.
_NOT_PEOPLE = ("hold_", "ivr_")
_REMEDY = "give a CSV with the columns path,channels (customer,agent in order; quoted), one calm call a line"


def read_calls(table: Path, *, people: bool = False) -> list[Clip]:
    """The customer's utterances of every call in the CSV `table` that has a channel of theirs; paths are taken from its folder.

    A call is a speaker. `people`: without announcements (`ivr_...`) and music (`hold_...`).

    Raises UsageError naming the file and what is wrong with it, SourceError for a recording that cannot be read.
    """
    rows = [(row["path"], _roles(table, line, row["channels"])) for line, row in read_columns(table, "path", "channels")]
    rows = [(path, roles) for path, roles in rows if Role.CUSTOMER in roles and not (people and path.startswith(_NOT_PEOPLE))]
    clips = [clip for path, roles in rows for clip in _said(table.parent / path, roles)]
    if not clips:
        raise UsageError("holds no call with a customer who speaks", path=table, remedy=_REMEDY)
    return clips


def _roles(table: Path, line: int, text: str) -> tuple[Role, ...]:
    try:
        return tuple(Role(name.strip()) for name in text.split(","))
    except ValueError as error:
        raise UsageError(f"'{text}' names no channels", path=table, line=line, remedy=_REMEDY) from error


def _said(path: Path, roles: tuple[Role, ...]) -> Iterator[Clip]:
    segmenter = Segmenter(roles=roles)
    events = [
        event
        for frame in frames(wavfile.blocks(path, chunk_ms=200, realtime=False, channels=len(roles)))
        for event in segmenter.feed(frame)
    ]
    for event in (*events, *segmenter.close_call(ClosedBy.END_OF_RECORDING)):
        if isinstance(event, Utterance) and event.role is Role.CUSTOMER:
            piece = (event.channel + 1, event.start, event.end)
            yield Clip(path=path, label="neutral", speaker=f"{CORPUS}:{path.stem}", corpus=CORPUS, item=str(event.start), piece=piece)
