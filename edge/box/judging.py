"""The doctor lets the models judge: real inference, real decoding, known answers."""

import time

from edge.box.finding import Finding, failed, good, look, skipped
from edge.box.synthetic import made_up_customer, speech
from edge.config import Config
from edge.values import Absent, Mode

# A sentence whose judgement nobody would argue about.
_COMPLAINT = "this is the third time i call about the same bill and nobody helps me i am really angry"
_DECODED_S = 4
# Above this share of real time a second channel would not fit beside the first.
_SLOW_SHARE = 0.5


def voice(config: Config) -> Finding:
    """Let the serving voice model give its known answers (signature, checksums, golden vectors) and judge a made-up customer."""
    if config.mode is Mode.WORDS:
        return skipped("mode is words")
    from edge.bundle.proof import prove_folder
    from edge.bundle.shipped import trust_of
    from edge.bundle.store import find_bundle
    from edge.voice.emotion import EmotionModel

    folder = find_bundle("voice", config)
    began = time.monotonic()
    bundle = prove_folder(folder, config)
    proved_ms = (time.monotonic() - began) * 1000
    model = EmotionModel.load(folder, trust=trust_of(config))
    customer = made_up_customer(_DECODED_S)
    began = time.monotonic()
    reading = model.read(customer)
    took_ms = (time.monotonic() - began) * 1000
    if isinstance(reading, Absent):
        return failed(f"says nothing of {_DECODED_S} s of voice ({reading.reason})", "undertone model rollback voice, or take another one")
    signer = f"signed by {bundle.signed_by}" if bundle.signed_by else "UNSIGNED"
    says = (
        f"{bundle.label}, {signer}: gives its known answers ({proved_ms:.0f} ms), judges {_DECODED_S} s in {took_ms:.0f} ms; "
        f"licence: {bundle.manifest.licence}"
    )
    return look(says, "this box is slow: use a faster one, or mode: words") if took_ms > _SLOW_SHARE * _DECODED_S * 1000 else good(says)


def recogniser(config: Config) -> Finding:
    """Load the speech recogniser and let it decode syllables, which cost as much as words."""
    if config.mode is Mode.VOICE:
        return skipped("mode is voice")
    from edge.words.recogniser import Engine
    from edge.words.voskmodel import find_vosk

    folder = find_vosk(config)
    if folder is None:
        what = "no speech recogniser on this box"
        remedy = "undertone fetch-model (about 40 MB)"
        return failed(what, remedy) if config.mode is Mode.WORDS else look(f"{what}: it works with the voice alone", remedy)
    began = time.monotonic()
    channel = Engine(folder).channel()
    loaded_s = time.monotonic() - began
    began = time.monotonic()
    channel.accept(0, speech(_DECODED_S))
    channel.result()
    share = (time.monotonic() - began) / _DECODED_S
    channel.finish()
    says = f"{folder.name}: loaded in {loaded_s:.1f} s, decodes in {share:.2f} of real time"
    return look(says, "this box is slow: use a faster one, or mode: voice") if share > _SLOW_SHARE else good(says)


def words(config: Config) -> Finding:
    """Judge a sentence that is surely a complaint."""
    if config.mode is Mode.VOICE:
        return skipped("mode is voice")
    from edge.loading import load_judge

    reading = load_judge(config).judge_text(_COMPLAINT)
    if isinstance(reading, Absent):
        return failed(f"nothing to say of a plain complaint ({reading.reason})", "set lexicon and causes back to the shipped ones")
    says = f"a plain complaint is negative with {reading.p_negative:.2f}, cause {reading.cause.code if reading.cause else 'none'}"
    return good(says) if reading.p_negative > max(reading.p_neutral, reading.p_positive) else failed(says, "check lexicon and causes")
