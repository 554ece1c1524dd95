"""Makes the demo's calls: `python -m tests.demo.make_call`.

tests/demo/call.yaml is written twice: call.wav for `make demo`, and the same sound packed (Vorbis) for the box, which measures itself
with it. The calls that the boxes of `make desk` hear are scripted ones of tests/calls/suite.yaml, packed, so that a fresh machine
needs no synthesiser.
"""

import argparse
from pathlib import Path

import soundfile
import yaml

from tests.calls.build import Recording, build
from tests.calls.measure import suite

HERE = Path(__file__).parent
PACKED = HERE.parent.parent / "edge" / "service" / "call.ogg"
# Each ends in an alert of another rule, or in none.
FOR_THE_DESK = ("regulator", "third_call", "retention", "anger_about_a_repair", "somebody_in_danger", "calm_bill", "calm_address")


def _pack(call: Recording, path: Path) -> None:
    soundfile.write(path, call.pcm, 8000, format="OGG", subtype="VORBIS", compression_level=0.5)


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m tests.demo.make_call", description=__doc__).parse_args()
    demo = build(yaml.safe_load((HERE / "call.yaml").read_text(encoding="utf-8")))
    demo.write(HERE / "call.wav")
    _pack(demo, PACKED)
    print(f"{HERE / 'call.wav'}: {demo.seconds:.1f} s, {(HERE / 'call.wav').stat().st_size / 1e6:.2f} MB")
    for turn in demo.spoken:
        print(f"{turn.start:6.2f} {turn.end:6.2f} {turn.role:9}{turn.text}")
    for name in FOR_THE_DESK:
        path = HERE / "calls" / f"{name}.ogg"
        call = build(suite()[name])
        _pack(call, path)
        print(f"{path}: {call.seconds:.1f} s, {path.stat().st_size / 1e3:.0f} kB")
