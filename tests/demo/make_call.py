"""Makes tests/demo/call.wav from tests/demo/call.yaml: `python -m tests.demo.make_call`."""

from pathlib import Path

import yaml

from tests.calls.build import build

HERE = Path(__file__).parent

if __name__ == "__main__":
    call = build(yaml.safe_load((HERE / "call.yaml").read_text(encoding="utf-8")))
    call.write(HERE / "call.wav")
    print(f"{HERE / 'call.wav'}: {call.seconds:.1f} s, {(HERE / 'call.wav').stat().st_size / 1e6:.2f} MB")
    for turn in call.spoken:
        print(f"{turn.start:6.2f} {turn.end:6.2f} {turn.role:9}{turn.text}")
