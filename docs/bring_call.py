"""A recording as a switchboard would bring it: `python docs/bring_call.py call.wav ws://127.0.0.1:8700/ [TOKEN]`.

For a box whose line is `source: {listen: {protocol: websocket, port: 8700}}`; docs/try-without-a-phone.md has the whole of it. Needs only
what a box has. Raw s16le at the recording's own rate (8 or 16 kHz), as fast as it was spoken, as FreeSWITCH's audio forks send it.
"""

# ruff: noqa: INP001 (a page of the docs, not a package)
import json
import sys
import time
import wave

from websockets.sync.client import connect

_PIECE_MS = 100


def main(recording: str, url: str, token: str | None = None) -> None:
    """Bring it, and hang up."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with wave.open(recording) as wav, connect(url, additional_headers=headers) as switchboard:
        rate, channels = wav.getframerate(), wav.getnchannels()
        # What the switchboard knows of the call comes with it; notice_given counts where the site's require_notice asks for it.
        switchboard.send(json.dumps({"rate": rate, "channels": channels, "customer_ref": "K-1", "notice_given": True}))
        began, sent = time.monotonic(), 0
        while piece := wav.readframes(rate * _PIECE_MS // 1000):
            switchboard.send(piece)
            sent += 1
            time.sleep(max(0.0, began + sent * _PIECE_MS / 1000 - time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
