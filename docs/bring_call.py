"""A recording as a switchboard would bring it: `python docs/bring_call.py call.wav ws://127.0.0.1:8700/ [TOKEN]`.

For a box whose line is `source: {listen: {protocol: websocket, port: 8700}}`; docs/try-without-a-phone.md has the whole of it. Needs only
what a box has. Raw s16le at the recording's own rate (8 or 16 kHz), as fast as it was spoken, as FreeSWITCH's audio forks send it.
"""

# ruff: noqa: INP001 (a page of the docs, not a package)
import argparse
import json
import sys
import time
import wave

from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.sync.client import connect

_PIECE_MS = 100


def bring(recording: str, url: str, token: str | None = None) -> None:
    """Bring it, and hang up."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with wave.open(recording) as wav, connect(url, additional_headers=headers) as switchboard:
        rate, channels = wav.getframerate(), wav.getnchannels()
        if rate not in (8000, 16000) or wav.getsampwidth() != 2:  # noqa: PLR2004 (bytes a sample)
            raise wave.Error(f"{rate} samples a second of {wav.getsampwidth()} bytes")
        # What the switchboard knows of the call comes with it; notice_given counts where the site's require_notice asks for it.
        switchboard.send(json.dumps({"rate": rate, "channels": channels, "customer_ref": "K-1", "notice_given": True}))
        began, sent = time.monotonic(), 0
        while piece := wav.readframes(rate * _PIECE_MS // 1000):
            switchboard.send(piece)
            sent += 1
            time.sleep(max(0.0, began + sent * _PIECE_MS / 1000 - time.monotonic()))


def main() -> int:
    """0 when it was brought, 1 when the box did not take it, 2 for wrong use; what went wrong is told in a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", help="a WAV of 8 or 16 kHz, 16 bits, with as many channels as the line")
    parser.add_argument("url", help="where the box listens: ws://HOST:PORT/ or wss://HOST:PORT/")
    parser.add_argument("token", nargs="?", help="one of the line's tokens_file, where it has one")
    args = parser.parse_args()
    try:
        bring(args.recording, args.url, args.token)
    except KeyboardInterrupt:
        return 130
    except (wave.Error, EOFError, WebSocketException, OSError, ValueError) as error:
        code, says = what_went_wrong(error, args.recording, args.url)
        print(f"bring_call: {says}", file=sys.stderr)
        return code
    return 0


def what_went_wrong(error: Exception, recording: str, url: str) -> tuple[int, str]:
    """The exit code, and a line with what to do."""
    match error:
        case wave.Error() | EOFError():
            says = 2, f"{recording}: {str(error) or 'no WAV'}: write it as one that a box takes: sox IN -r 16000 -b 16 OUT.wav"
        case OSError() if error.filename == recording:
            says = 2, f"{recording}: {error.strerror}: check the path"
        case InvalidURI() | ValueError():
            says = 2, f"{url}: no address of a WebSocket: give ws://HOST:PORT/ or wss://HOST:PORT/"
        case InvalidStatus():
            # The box says why it does not take a call: `token`, `full` and the like (docs/switchboards.md).
            why = error.response.body.decode(errors="replace").strip() or error.response.status_code
            says = 1, f"{url}: refused: {why}: is the token one of tokens_file, and has the line room (max_calls)?"
        case ConnectionClosed():
            why = error.rcvd.reason if error.rcvd else "no reason given"
            says = 1, f"{url}: the box hung up: {why}: see its log, and docs/switchboards.md"
        case OSError():
            says = 1, f"{url}: {error.strerror or error}: does `undertone run` listen there? (source.listen.port)"
        case _:
            says = 1, f"{url}: {error}: is that the port of a line that listens (protocol: websocket)? wss:// where it has a cert"
    return says


if __name__ == "__main__":
    sys.exit(main())
