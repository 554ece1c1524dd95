"""The doctor lets the models judge: real inference, real decoding, known answers."""

import time
from pathlib import Path

from edge.config import Config
from edge.doctor.finding import Finding, Outcome, Stopwatch, failed, good, look, skipped
from edge.errors import StoreError
from edge.segment.synthetic import made_up_customer, speech
from edge.values import Absent, Mode, ModelKind

# A sentence whose judgement nobody would argue about.
_COMPLAINT = "this is the third time i call about the same bill and nobody helps me i am really angry"
_DECODED_S = 4
# Above this share of real time a second channel would not fit beside the first.
_SLOW_SHARE = 0.5


def voice(config: Config) -> Finding:
    """Let the serving voice model give its known answers (signature, checksums, golden vectors) and judge a made-up customer."""
    if config.mode is Mode.WORDS:
        return skipped("mode is words")
    from edge.bundle.signature import trust_of
    from edge.bundle.store import require_bundle
    from edge.models.install import prove_folder
    from edge.voice.emotion import EmotionModel

    folder = require_bundle(ModelKind.VOICE, config)
    began = time.monotonic()
    bundle = prove_folder(folder, config)
    proved_ms = (time.monotonic() - began) * 1000
    model = EmotionModel.load(folder, trust=trust_of(config))
    customer = made_up_customer(_DECODED_S)
    watch = Stopwatch()
    reading = model.read(customer)
    took_ms, remedy = watch.took_s * 1000, watch.slow("mode: words")
    if isinstance(reading, Absent):
        return failed(f"says nothing of {_DECODED_S} s of voice ({reading.reason})", "undertone model rollback voice, or take another one")
    signer = f"signed by {bundle.signed_by}" if bundle.signed_by else "UNSIGNED"
    says = (
        f"{bundle.label}, {signer}: gives its known answers ({proved_ms:.0f} ms), judges {_DECODED_S} s in {took_ms:.0f} ms; "
        f"licence: {bundle.manifest.licence}"
    )
    return look(says, remedy) if took_ms > _SLOW_SHARE * _DECODED_S * 1000 else good(says)


def baseline(config: Config) -> Finding:
    """What the lines' voices are used to: whether the file fits the voice model, and whether the last calls sound the same."""
    if config.mode is Mode.WORDS:
        return skipped("mode is words")
    from edge.bundle.manifest import load
    from edge.bundle.signature import trust_of
    from edge.bundle.store import require_bundle
    from edge.service.baselines import DRIFT_REMEDY, drift_of
    from edge.voice import baseline_file
    from edge.voice.prior import prior_of

    prior = prior_of(load(require_bundle(ModelKind.VOICE, config), kind=ModelKind.VOICE, trust=trust_of(config)).label)
    try:
        known = baseline_file.read(Path(config.state_dir) / baseline_file.FILE, model=prior.model)
    except FileNotFoundError:
        return good(f"no call yet: the voice model's prior is used ({prior.calls} calm calls, {prior.utterances} utterances)")
    except StoreError as error:
        return Finding(outcome=Outcome.LOOK, says=error.problem.fault, remedy=error.problem.remedy)
    for name, line in known.items():
        if (drifted := drift_of(line)) is not None:
            return look(f"{name}: {drifted}", DRIFT_REMEDY)
    each = (f"{name} {line.negative.centre:+.1f} ({line.calls} calls)" for name, line in known.items())
    return good(f"the lines' voices are used to, nats of negative: {', '.join(each)}")


def recogniser(config: Config) -> Finding:
    """Load the speech recogniser and let it decode syllables, which cost as much as words."""
    if config.mode is Mode.VOICE:
        return skipped("mode is voice")
    from edge.asr.fitted import fitted_graph
    from edge.asr.recogniser import Engine
    from edge.asr.vosk_model import PINS, configured, find_vosk, sha256_of

    for number, line in enumerate(config.lines):
        if line.models.vosk is not None:
            configured(line.models.vosk, f"lines[{number}].models.vosk")
    folder = find_vosk(config)
    if folder is None:
        what = "no speech recogniser on this box"
        remedy = "undertone fetch-model (about 40 MB)"
        return failed(what, remedy) if config.mode is Mode.WORDS else look(f"{what}: it works with the voice alone", remedy)
    began = time.monotonic()
    channel = Engine(folder).channel()
    loaded_s = time.monotonic() - began
    watch = Stopwatch()
    channel.accept(0, speech(_DECODED_S))
    channel.result()
    share, remedy = watch.took_s / _DECODED_S, watch.slow("mode: voice")
    channel.finish()
    says = f"{folder.name}: loaded in {loaded_s:.1f} s, decodes in {share:.2f} of real time"
    graph = folder / "graph" / "Gr.fst"
    if fitted_graph(folder):
        says += ", fitted to service calls"
    elif graph.is_file() and sha256_of(graph) == PINS["graph/Gr.fst"].sha256:
        return look(f"{says}; its language model is not fitted to service calls", "undertone fetch-model (some seconds)")
    return look(says, remedy) if share > _SLOW_SHARE else good(says)


def words(config: Config) -> Finding:
    """Judge a sentence that is surely a complaint."""
    if config.mode is Mode.VOICE:
        return skipped("mode is voice")
    from edge.bundle.store import find_bundle
    from edge.words.branch import WordsJudge

    reading = WordsJudge.configured(config, find_bundle(ModelKind.WORDS, config)).judge_text(_COMPLAINT)
    if isinstance(reading, Absent):
        return failed(f"nothing to say of a plain complaint ({reading.reason})", "set lexicon and causes back to the shipped ones")
    says = f"a plain complaint is negative with {reading.p_negative:.2f}, cause {reading.cause.code if reading.cause else 'none'}"
    return good(says) if reading.p_negative > max(reading.p_neutral, reading.p_positive) else failed(says, "check lexicon and causes")
