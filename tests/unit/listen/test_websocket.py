"""WebSocket without a network: who gets in, and what the two shapes of a call say."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.http11 import Response
from websockets.uri import parse_uri

from edge.listen.messages import End, Hello, ProtocolError, Refusal, Sound
from edge.listen.tokens import Tokens
from edge.listen.websocket import MAX_MESSAGE, WebSocketSession
from edge.signal.pcm import mulaw as once_through
from edge.values import ClosedBy, Pcm, Role
from edge.wire.context import Context
from tests.switchboards.clients import mulaw

BOTH = (Role.CUSTOMER, Role.AGENT)
TOKEN = "a-token-of-sixteen-characters"


class Client:
    """A WebSocket client whose bytes go straight into a session."""

    def __init__(self, roles=BOTH, *, path: str = "/", header: str | None = None, tokens: Path | None = None, full: bool = False) -> None:
        self.session = WebSocketSession(roles=roles, rate=8000, tokens=Tokens(tokens), full=lambda: full)
        self.protocol = ClientProtocol(parse_uri(f"ws://box{path}"), max_size=None)
        request = self.protocol.connect()
        if header is not None:
            request.headers["Authorization"] = header
        self.protocol.send_request(request)
        self.heard: list[Hello | Sound | End] = []
        self.refusal: Refusal | None = None
        self.flush()

    def flush(self) -> None:
        """Both sides' bytes go to the other."""
        try:
            self.heard += self.session.receive(b"".join(self.protocol.data_to_send()))
        except ProtocolError as error:
            self.refusal = error.refusal
            self.session.refuse(error.refusal)
        self.protocol.receive_data(self.session.outgoing())

    def say(self, said: object) -> "Client":
        self.protocol.send_text((said if isinstance(said, str) else json.dumps(said)).encode())
        self.flush()
        return self

    def play(self, data: bytes) -> "Client":
        self.protocol.send_binary(data)
        self.flush()
        return self

    @property
    def status(self) -> int:
        return next(event.status_code for event in self.protocol.events_received() if isinstance(event, Response))

    @property
    def sound(self) -> Pcm:
        return np.concatenate([one.pcm for one in self.heard if isinstance(one, Sound)])


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# ours\n\n{TOKEN}\nanother-token-of-theirs\n")
    return path


@pytest.mark.parametrize(
    ("path", "header"),
    [("/", f"Bearer {TOKEN}"), ("/", f"bearer  {TOKEN} "), (f"/?token={TOKEN}", None), (f"/calls?x=1&token={TOKEN}", None),
     (f"/{TOKEN}", None), ("/?token=wrong", f"Bearer {TOKEN}")],
)  # fmt: skip
def test_who_has_a_token_gets_in(tokens, path, header):
    assert Client(path=path, header=header, tokens=tokens).status == 101


@pytest.mark.parametrize(
    ("path", "header"),
    [("/", None), ("/", f"Basic {TOKEN}"), ("/", f"Bearer {TOKEN[:-1]}"), (f"/?token={TOKEN}x", None), ("/?token=", None),
     ("/?" + "a&" * 100, None), ("/%00", None), ("/?token=%ff%fe", None), ("/?token=" + "ü" * 50, None)],
)  # fmt: skip
def test_who_has_none_is_told_so_before_anything_else(tokens, path, header):
    client = Client(path=path.encode("ascii", "ignore").decode(), header=header, tokens=tokens, full=True)
    assert (client.status, client.refusal) == (401, Refusal.TOKEN)


def test_a_box_that_is_full_says_so_as_a_status():
    client = Client(full=True)
    assert (client.status, client.refusal) == (503, Refusal.FULL)


@given(st.binary(max_size=300))
def test_what_is_no_websocket_is_refused(data):
    session = WebSocketSession(roles=BOTH, rate=8000, tokens=Tokens(None), full=lambda: False)
    with pytest.raises(ProtocolError) as refused:
        list(session.receive(b"\x16\x03" + data + b"\r\n\r\n"))
    assert refused.value.refusal is Refusal.NOT_UNDERSTOOD
    session.refuse(refused.value.refusal)
    assert session.outgoing() == b""


def test_a_forks_metadata_is_the_calls_context_and_what_else_is_in_it_is_nobodys_business():
    said = {"customer_ref": "c-7", "queue": "", "pbx_call_id": "p-1", "notice_given": True, "ours": {"a": [1]}, "callback": None}
    client = Client().say(said)
    assert client.heard == [Hello(context=Context(customer_ref="c-7", pbx_call_id="p-1", notice_given=True))]


@given(st.lists(st.integers(1, 999), max_size=20), st.integers(0, 2000))
def test_a_forks_sound_is_the_same_in_whatever_frames(cuts, samples):
    pcm = np.arange(2 * samples, dtype=np.int16).reshape(-1, 2)
    data, client, at = pcm.astype("<i2").tobytes(), Client().say({"rate": 16_000, "channels": 2}), 0
    for cut in cuts:
        client.play(data[at : at + cut])
        at += cut
    client.play(data[at:])
    sounds = [one for one in client.heard if isinstance(one, Sound)]
    assert all((one.rate, one.channels, one.at) == (16_000, (0, 1), None) for one in sounds)
    assert np.array_equal(np.concatenate([np.zeros((0, 2), np.int16), *(one.pcm for one in sounds)]), pcm)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ("no json", Refusal.NOT_UNDERSTOOD), ([1], Refusal.NOT_UNDERSTOOD), ("[" * 30_000, Refusal.NOT_UNDERSTOOD),
        ({"customer_ref": 7}, Refusal.NOT_UNDERSTOOD), ({"customer_ref": "x" * 129}, Refusal.NOT_UNDERSTOOD),
        ({"queue": "a\nb"}, Refusal.NOT_UNDERSTOOD), ({"notice_given": "maybe"}, Refusal.NOT_UNDERSTOOD),
        ({"rate": 44_100}, Refusal.RATE), ({"rate": [8000]}, Refusal.RATE), ({"channels": 1}, Refusal.CHANNELS),
        ({"mixType": "mono"}, Refusal.CHANNELS), ({"event": "start"}, Refusal.NOT_UNDERSTOOD),
        ({"event": "start", "start": {"mediaFormat": {"encoding": "audio/opus"}}}, Refusal.RATE),
    ],
)  # fmt: skip
def test_a_first_message_that_is_none_is_refused_by_its_kind(said, refusal):
    client = Client().say(said)
    assert (client.heard, client.refusal) == ([], refusal)
    client.protocol.receive_eof()
    assert client.protocol.close_code in (1002, 1003)


def test_sound_before_metadata_and_messages_beyond_the_limit_end_the_connection():
    assert Client().play(b"\0" * 640).refusal is Refusal.NOT_UNDERSTOOD
    client = Client().say({}).play(b"\0" * (MAX_MESSAGE + 2))
    assert client.refusal is Refusal.NOT_UNDERSTOOD
    client.protocol.receive_eof()
    assert client.protocol.close_code == 1009


@pytest.mark.parametrize(("code", "by"), [(1000, ClosedBy.HANG_UP), (1001, ClosedBy.HANG_UP), (1011, ClosedBy.PROTOCOL_ERROR)])
def test_a_close_frame_is_the_end_of_the_call(code, by):
    client = Client().say({})
    client.protocol.send_close(code)
    client.flush()
    assert client.heard[-1] == End(by=by)


def stream(client: Client, *, start: dict | None = None) -> Client:
    """A Twilio-shaped stream, begun as Twilio's own documentation shows it."""
    client.say({"event": "connected", "protocol": "Call", "version": "1.0.0"})
    said = {"streamSid": "MZ1", "callSid": "CA1", "tracks": ["inbound", "outbound"], "customParameters": {"customer_ref": "c-7"}}
    return client.say({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": start or said})


def media(number: int, track: str, at_ms: int, pcm: Pcm) -> dict:
    payload = base64.b64encode(mulaw(pcm)).decode()
    return {
        "event": "media", "sequenceNumber": str(number), "streamSid": "MZ1",
        "media": {"track": track, "chunk": "1", "timestamp": str(at_ms), "payload": payload},
    }  # fmt: skip


def test_a_media_streams_tracks_are_the_lines_channels_by_role():
    pcm = np.array([0, 90, -90, 12_000, -32_768, 32_767], np.int16)
    client = stream(Client((Role.AGENT, Role.CUSTOMER)))
    client.say(media(2, "inbound", 20, pcm)).say(media(3, "outbound", 20, pcm))
    hello, caller, agent = client.heard
    assert hello == Hello(context=Context(pbx_call_id="CA1", customer_ref="c-7"))
    assert (caller.channels, caller.at, agent.channels) == ((1,), 160, (0,))
    assert np.array_equal(caller.pcm[:, 0], once_through(pcm))


def test_a_hole_in_the_numbers_is_lost_sound_of_each_track_and_a_pause_is_none():
    pcm, client = np.zeros(160, np.int16), stream(Client())
    for number, track, at_ms in ((2, "inbound", 0), (3, "inbound", 500), (6, "inbound", 540), (7, "outbound", 540), (8, "inbound", 560)):
        client.say(media(number, track, at_ms, pcm))
    assert [(one.channels, one.lost) for one in client.heard[1:]] == [
        ((0,), False),
        ((0,), False),
        ((0,), True),
        ((1,), True),
        ((0,), False),
    ]


def test_a_line_without_an_agent_hears_the_caller_alone_and_a_mixed_one_takes_one_track():
    pcm = np.zeros(160, np.int16)
    client = stream(Client((Role.CUSTOMER,))).say(media(2, "outbound", 0, pcm)).say(media(3, "inbound", 0, pcm))
    assert [one.channels for one in client.heard[1:]] == [(0,)]
    assert stream(Client((Role.MIXED,))).refusal is Refusal.CHANNELS


def test_stop_is_a_hang_up():
    assert stream(Client()).say({"event": "stop", "sequenceNumber": "2", "streamSid": "MZ1"}).heard[-1] == End(by=ClosedBy.HANG_UP)


@pytest.mark.parametrize(
    "broken",
    [{"streamSid": "MZ2"}, {"media": None}, {"media": {"track": "inbound", "payload": "%%"}}, {"media": {"track": "left", "payload": ""}},
     {"media": {"track": ["inbound"], "payload": ""}}, {"media": {"track": "inbound", "payload": 5}}],
)  # fmt: skip
def test_media_that_is_none_ends_the_stream(broken):
    client = stream(Client()).say(media(2, "inbound", 0, np.zeros(160, np.int16)) | broken)
    assert client.refusal is Refusal.NOT_UNDERSTOOD


@pytest.mark.parametrize("stamp", ["x", None, True, -5, 1e9, 10**30, "9" * 5000, [1]])
def test_times_and_numbers_that_are_none_count_for_nothing(stamp):
    said = media(2, "inbound", 0, np.zeros(160, np.int16))
    said["media"]["timestamp"] = said["sequenceNumber"] = stamp
    (_, sound) = stream(Client()).say(said).heard
    assert sound.at is None
