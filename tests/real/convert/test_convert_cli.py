"""undertone-convert as a technician meets it: through its command line, with its one-line errors."""

import csv
import json
import shutil
import subprocess
import sys

import msgspec
import pytest

from convert.__main__ import build_parser, main
from convert.evaluation.score import CONDITIONS
from convert.pack import finish, write_manifest
from convert.voice.keras_file import check_features, label_order
from edge.__main__ import main as undertone
from edge.bundle.golden import Recipe
from edge.bundle.manifest import MANIFEST, load, parse
from edge.bundle.signature import shipped_models
from edge.capture import wavfile
from edge.errors import UsageError
from edge.signal.spec import SPEC
from edge.voice.labels import LABELS
from tests.nets import TENSORFLOW
from tests.paths import PATIENT, ROOT
from tests.unit.bundle.made import make


def run(*arguments):
    return main([str(argument) for argument in arguments])


def said(capsys):
    captured = capsys.readouterr()
    return captured.out + captured.err


# --- keys and bundles ------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path, capsys):
    """A site's key, a voice bundle packed with it, and the configuration of a box that trusts it."""
    assert run("keygen", tmp_path / "leeds") == 0
    shutil.copytree(shipped_models() / "voice", tmp_path / "ours")
    manifest = load(tmp_path / "ours").manifest
    write_manifest(tmp_path / "ours", msgspec.structs.replace(manifest, version="7.0.0"))
    assert run("pack", tmp_path / "ours", "--key", tmp_path / "leeds.key") == 0
    (tmp_path / "box.yaml").write_text("state_dir: state\nmodels: {trusted_keys: [leeds.pub]}\n")
    capsys.readouterr()
    return tmp_path


def test_a_key_a_bundle_and_a_box_that_takes_it_and_gives_it_back(site, capsys):
    config = str(site / "box.yaml")
    assert undertone(["model", "verify", str(site / "voice-7.0.0.tar"), "--config", config]) == 0
    assert "gives its known answers" in said(capsys)
    assert undertone(["model", "install", str(site / "voice-7.0.0.tar"), "--config", config]) == 0
    assert "voice-7.0.0: serves" in said(capsys)
    assert undertone(["model", "list", "--json", "--config", config]) == 0
    rows = {row["model"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["voice-7.0.0"]["state"] == "installed, serving"
    assert rows["voice-7.0.0"]["signed_by"]
    assert undertone(["model", "rollback", "voice", "--config", config]) == 0
    assert "voice-7.0.0" not in said(capsys)


def test_the_same_bundle_once_more_changes_nothing_and_says_so(site, capsys):
    install = ["model", "install", str(site / "voice-7.0.0.tar"), "--config", str(site / "box.yaml")]
    assert undertone(install) == 0
    pointer = (site / "state/bundles/voice/serving.json").read_bytes()
    capsys.readouterr()
    assert undertone(install) == 0
    assert "serves already, to the byte" in said(capsys)
    assert (site / "state/bundles/voice/serving.json").read_bytes() == pointer
    assert undertone(["model", "pin", "voice", *install[-2:]]) == 0
    for command in ("install", "verify"):
        assert undertone(["model", command, *install[2:]]) == 0
        assert "voice-7.0.0: serves already, to the byte" in said(capsys)


def test_a_quick_training_is_refused_by_pack_sign_and_install_unless_it_is_meant(site, capsys):
    quick = site / "quick"
    shutil.copytree(site / "ours", quick)
    made = parse((quick / MANIFEST).read_bytes(), quick / MANIFEST)
    write_manifest(quick, msgspec.structs.replace(made, version="7.0.1", provenance={**made.provenance, "quick": True}))
    key, tar, config = site / "leeds.key", site / "voice-7.0.1.tar", site / "box.yaml"
    sealed = [("pack", quick, "--key", key), ("sign", quick, "--key", key)]
    for command in sealed:
        assert run(*command) == 1
        assert "quick training" in (refused := said(capsys))
        assert "--quick" in refused.splitlines()[-1]
        assert not tar.exists()
        assert run(*command, "--quick") == 0
        tar.unlink(missing_ok=command[0] == "sign")
        finish(quick, None)
    assert run(*sealed[0], "--quick") == 0
    assert undertone(["model", "install", str(tar), "--config", str(config)]) == 1
    assert "quick training" in (refused := said(capsys))
    assert undertone(["model", "verify", str(tar), "--config", str(config)]) == 1
    assert refused.splitlines()[-1].removeprefix("undertone: ") in said(capsys)
    assert undertone(["model", "verify", str(tar), "--quick", "--config", str(config)]) == 0
    assert "not for use" in said(capsys)
    assert undertone(["model", "install", str(tar), "--quick", "--config", str(config)]) == 0
    for command in ("install", "verify"):
        assert undertone(["model", command, str(tar), "--config", str(config)]) == 0


def test_another_box_refuses_it_and_says_how_to_trust_it(site, capsys):
    (site / "other.yaml").write_text("state_dir: other\n")
    assert undertone(["model", "install", str(site / "voice-7.0.0.tar"), "--config", str(site / "other.yaml")]) == 1
    assert "models.trusted_keys" in said(capsys)
    assert not list((site / "other").rglob("manifest.json"))


def test_a_bundle_is_inspected_and_compared_in_figures(site, capsys):
    make(site / "new", key=None, version="1.1.0", metrics={"uar": 0.75}, files={"net.tflite": b"another net"})
    make(site / "old", key=None, metrics={"uar": 0.7}, files={"net.tflite": b"a net"})
    assert run("pack", site / "old", "--out", site / "old.tar") == 0
    assert run("inspect", site / "old.tar") == 0
    assert "site-1.0.0: every file is as its manifest says" in said(capsys)
    assert run("inspect", site / "old", "--json") == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == {"uar": 0.7}
    assert run("diff", site / "old", site / "new") == 0
    shown = said(capsys)
    assert "+0.05" in shown
    assert "1.1.0" in shown
    assert "net.tflite" in shown
    assert run("diff", site / "old", site / "old") == 0
    assert "nothing differs" in said(capsys)
    voice = shipped_models() / "voice"
    assert run("diff", voice, voice) == 0
    assert f"undertone-convert diff {voice} {voice} --csv clips.csv " in said(capsys)
    words = shipped_models() / "words"
    assert run("diff", words, words) == 0
    assert f"undertone-convert diff {words} {words} --text sentences.txt " in said(capsys)
    assert run("diff", site / "old", ROOT / "models" / "words") == 2
    assert "give two of one kind" in said(capsys)


def test_a_damaged_bundle_is_not_signed(site, capsys):
    (site / "ours" / "model.tflite").write_bytes(b"not a net")
    assert run("sign", site / "ours", "--key", site / "leeds.key") == 1
    assert "damaged" in said(capsys)


def test_a_folder_without_manifest_and_a_missing_key_are_told(site, capsys):
    (site / "empty").mkdir()
    assert run("pack", site / "empty") == 1
    assert "manifest.json: missing" in said(capsys)
    assert run("pack", site / "ours", "--key", site / "none.key") == 1
    assert "no such key file" in said(capsys)
    assert run("inspect", site / "nothing.tar") == 1
    assert "no such file" in said(capsys)


# --- convert ---------------------------------------------------------------------------------------------------------


def test_labels_in_any_order_are_found_and_wrong_ones_named():
    assert label_order(",".join(LABELS)) == tuple(range(7))
    assert label_order(",".join(reversed(LABELS))) == (6, 5, 4, 3, 2, 1, 0)
    for wrong, what in (("angry", "'disgust' is missing"), (",".join(LABELS) + ",bored", "'bored'"), (",".join([*LABELS, "sad"]), "twice")):
        with pytest.raises(UsageError, match=what):
            label_order(wrong)


def test_other_features_are_refused_with_the_first_difference(tmp_path):
    check_features("undertone")
    (tmp_path / "same.json").write_text(json.dumps(SPEC.as_dict()))
    check_features(str(tmp_path / "same.json"))
    (tmp_path / "other.json").write_text(json.dumps(SPEC.as_dict() | {"hop_samples": 160}))
    with pytest.raises(UsageError, match=r"hop_samples.*160.*320"):
        check_features(str(tmp_path / "other.json"))
    with pytest.raises(UsageError, match="neither"):
        check_features(str(tmp_path / "none.json"))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Synthetic voices, 12 speakers, a label each pitch glide; nobody's recording."""
    folder = tmp_path_factory.mktemp("clips")
    with (folder / "clips.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "speaker"])
        for speaker in range(12):
            for number, label in enumerate(LABELS):
                recipe = Recipe(seed=speaker * 10 + number, seconds=1.0, pitch_hz=90 + 10 * speaker, glide_hz=20 * number - 60)
                wavfile.write(folder / f"{speaker}-{label}.wav", recipe.pcm(), 16_000)
                rows.writerow([f"{speaker}-{label}.wav", label, f"s{speaker}"])
    return folder / "clips.csv"


def convert(*arguments):
    command = [sys.executable, "-m", "convert", *[str(argument) for argument in arguments]]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False)


def one_after_the_other(*commands):
    """Several command lines in one process, which loads TensorFlow once; their exit codes are the last line of its stdout."""
    code = "import json, sys; from convert.__main__ import main; print([main(given) for given in json.loads(sys.argv[1])])"
    given = json.dumps([[str(argument) for argument in command] for command in commands])
    return subprocess.run([*PATIENT, sys.executable, "-c", code, given], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not TENSORFLOW, reason="TensorFlow is not installed here; `make setup` brings it")
@pytest.mark.takes(30)
def test_a_keras_net_that_fits_becomes_a_bundle_and_another_is_told_what_would(tmp_path, clips, site, keras_nets):
    order = ",".join(reversed(LABELS))
    shared = ["--labels", order, "--features", "undertone", "--csv", clips, "--cache", tmp_path / "cache"]
    fits = ["convert", keras_nets / "softmax.keras", *shared, "--out", tmp_path / "made", "--key", tmp_path / "leeds.key"]
    done = one_after_the_other(["convert", keras_nets / "bands.keras", *shared], fits)
    assert json.loads(done.stdout.splitlines()[-1]) == [1, 0], done.stderr
    says = "bands.keras: it takes (150, 64, 1); a net that fits takes (150, 40, 2) and gives 7 scores"
    assert len([line for line in done.stderr.splitlines() if says in line]) == 1
    assert undertone(["model", "verify", str(tmp_path / "made"), "--older", "--config", str(site / "box.yaml")]) == 0
    page = tmp_path / "report.html"
    judged = convert("evaluate", "--bundle", tmp_path / "made", "--csv", clips, "--json", "--clips", "14", "--html", page)
    assert judged.returncode == 0, judged.stderr
    report = json.loads(judged.stdout)
    assert [result["condition"] for result in report["results"]] == list(CONDITIONS)
    assert all(result["figures"]["clips"] == 14 for result in report["results"])
    assert "<svg" in page.read_text()


# --- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["train", "convert", "evaluate", "keygen", "pack", "sign", "inspect", "diff"])
def test_every_commands_help_teaches_by_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])
    assert ended.value.code == 0
    assert f"undertone-convert {command}" in capsys.readouterr().out.split("options:")[-1]
