"""The doctor looks at the box: its disk, memory and secrets, and the service that runs."""

from pathlib import Path

from edge.config import Config, LineConfig, MqttConfig, SourceConfig
from edge.doctor import host
from edge.doctor.finding import Outcome
from edge.values import Role
from tests.real.doctor.running import service_says


def test_what_a_running_service_says_is_wrong_is_in_the_table_with_the_remedy(config, outbox):
    service_says(config)
    assert host.service(config).says == "runs, online, lines: line-1 up"
    wrong = {"fault": "line-1: customer: clipped", "remedy": "turn the capture gain down"}
    service_says(config, [wrong], state="degraded")
    found = host.service(config)
    assert found.outcome is Outcome.LOOK
    assert (found.says, found.remedy) == ("runs, degraded: line-1: customer: clipped", "turn the capture gain down")


def test_the_state_directory_is_written_and_nothing_is_left_in_it(config):
    found = host.disk(config)
    assert found.outcome is not Outcome.FAILED
    assert "MB free" in found.says
    assert list(Path(config.state_dir).iterdir()) == []


def test_a_state_directory_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    found = host.disk(Config(state_dir=str(tmp_path / "file" / "state")))
    assert found.outcome is Outcome.FAILED
    assert str(tmp_path / "file") in found.says


def test_too_little_room_for_the_outbox_is_told(tmp_path):
    assert host.disk(Config(state_dir=str(tmp_path), outbox_max_mb=100_000)).outcome is not Outcome.SKIPPED
    shown = host.disk(Config(state_dir=str(tmp_path), outbox_max_mb=100_000))
    free_mb = float(shown.says.split(" MB free")[0].rsplit(" ", 1)[1])
    assert (shown.outcome is Outcome.FAILED) == (free_mb < 100_200)


def test_more_lines_than_memory_are_told():
    lines = tuple(
        LineConfig(name=f"l{number}", source=SourceConfig(device="auto"), channels=(Role.CUSTOMER, Role.AGENT)) for number in range(2000)
    )
    assert host.memory(Config(lines=lines)).outcome is Outcome.FAILED
    assert host.memory(Config()).outcome is Outcome.GOOD


def test_secrets_that_others_may_read_are_told(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("hush")
    secret.chmod(0o644)
    config = Config(mqtt=MqttConfig(password_file=str(secret)))
    assert host.permissions(config).remedy == f"chmod 600 {secret}"
    secret.chmod(0o600)
    assert host.permissions(config).outcome is Outcome.GOOD
    secret.unlink()
    assert host.permissions(config).outcome is Outcome.FAILED
