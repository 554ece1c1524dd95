"""Makes the demo call from tests/demo/call.yaml: `python -m tests.demo.make_call`.

It is written twice: call.wav for the demo, and the same sound packed (Vorbis) for the box, which measures itself with it.
"""

from pathlib import Path

import soundfile
import yaml

from tests.calls.build import build

HERE = Path(__file__).parent
PACKED = HERE.parent.parent / "edge" / "box" / "call.ogg"

if __name__ == "__main__":
    call = build(yaml.safe_load((HERE / "call.yaml").read_text(encoding="utf-8")))
    call.write(HERE / "call.wav")
    sound, rate = soundfile.read(HERE / "call.wav", dtype="int16")
    soundfile.write(PACKED, sound, rate, format="OGG", subtype="VORBIS", compression_level=0.5)
    print(f"{HERE / 'call.wav'}: {call.seconds:.1f} s, {(HERE / 'call.wav').stat().st_size / 1e6:.2f} MB")
    for turn in call.spoken:
        print(f"{turn.start:6.2f} {turn.end:6.2f} {turn.role:9}{turn.text}")
