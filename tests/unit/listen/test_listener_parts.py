"""What a listener is made of: tokens, announcements, a log that no flood makes longer."""

import logging
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.listen.announced import Announced
from edge.listen.messages import Refusal
from edge.listen.tally import Tally
from edge.listen.tls import Certificate
from edge.listen.tokens import Tokens
from edge.values import Role
from edge.wire.commands import CallAnnounce, MediaIds
from tests.certificates import Authority

ONE, OTHER = "6B4162B2-17ca-4893-84f8-5bde2f6a33fe", "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no token"),
        ("# none\n\n", "no token"),
        ("short\n", "line 1"),
        ("# x\na token with spaces in it\n", "line 2"),
        ("ü" * 20, "line 1"),
    ],
)
def test_a_tokens_file_that_cannot_be_taken_names_the_line_and_not_the_token(tmp_path: Path, text, wrong):
    (tmp_path / "tokens").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=wrong) as refused:
        Tokens(tmp_path / "tokens")
    assert "short" not in str(refused.value)


def test_a_token_that_is_taken_out_counts_no_more_and_a_file_that_is_gone_changes_nothing(tmp_path: Path, caplog):
    path = tmp_path / "tokens"
    path.write_text("first-token-of-sixteen\nsecond-token-of-sixteen\n")
    tokens = Tokens(path)
    assert tokens.knows(["x", "second-token-of-sixteen"])
    path.write_text("first-token-of-sixteen\n")
    assert not tokens.knows(["second-token-of-sixteen"])
    path.unlink()
    assert tokens.knows(["first-token-of-sixteen"])
    assert not tokens.knows(["second-token-of-sixteen", ""])
    # However many connect meanwhile.
    assert caplog.text.count("tokens_unread") == 1


def test_an_announced_call_is_found_by_each_of_its_uuids_in_whatever_letters_until_it_is_taken_or_too_old():
    moment = [0.0]
    announced = Announced(120.0, lambda: moment[0])
    call = announced.add(CallAnnounce(media=MediaIds(customer=ONE, agent=OTHER), queue="billing"))
    assert announced.find(ONE.lower()) is announced.find(OTHER) is call
    assert call.media == {ONE.lower(): Role.CUSTOMER, OTHER: Role.AGENT}
    assert (call.context.pbx_call_id, call.context.queue) == (ONE.lower(), "billing")
    again = announced.add(CallAnnounce(media=MediaIds(customer=ONE, agent=OTHER), pbx_call_id="p-1"))
    assert announced.find(OTHER) is again
    assert again.context.pbx_call_id == "p-1"
    announced.take(again)
    assert announced.find(OTHER) is None
    announced.add(CallAnnounce(media=MediaIds(mixed=ONE)))
    moment[0] = 121.0
    assert announced.find(ONE.lower()) is None


def test_announcements_that_never_come_fill_no_memory():
    announced = Announced(120.0)
    for number in range(1000):
        announced.add(CallAnnounce(media=MediaIds(customer=f"{number:08d}-0000-4000-8000-000000000000")))
    assert announced.find("00000743-0000-4000-8000-000000000000") is None
    assert announced.find("00000744-0000-4000-8000-000000000000") is not None


def test_ten_thousand_refusals_a_minute_are_two_lines(caplog):
    moment = [0.0]
    tally = Tally("pbx", lambda: moment[0])
    with caplog.at_level(logging.WARNING):
        for number in range(10_000):
            moment[0] = number * 0.006
            tally.refused(Refusal.TOKEN, "192.0.2.1")
            tally.flush()
        moment[0] = 61.0
        tally.flush()
        moment[0] = 130.0
        tally.flush()
    assert [record.getMessage().partition("reason=token ")[2].partition(" in_s")[0] for record in caplog.records] == [
        "from=192.0.2.1 says='No token of tokens_file.'", "more=9999",
    ]  # fmt: skip
    assert tally.counts[Refusal.TOKEN] == 10_000


def test_a_certificate_is_taken_anew_when_it_is_renewed_and_a_damaged_one_changes_nothing(tmp_path: Path, caplog):
    authority = Authority(tmp_path)
    pair, other = authority.issue("box"), authority.issue("other")
    certificate = Certificate(pair.cert, pair.key)
    first = certificate.context()
    assert certificate.context() is first
    pair.cert.write_bytes(other.cert.read_bytes())
    pair.key.write_bytes(other.key.read_bytes())
    renewed = certificate.context()
    assert renewed is not first
    pair.cert.write_text("no certificate")
    assert certificate.context() is renewed
    pair.cert.unlink()
    assert [certificate.context() for _ in range(3)] == [renewed] * 3
    assert caplog.text.count("certificate_refused") == 2
    pair.cert.write_text("no certificate")
    with pytest.raises(ConfigError, match=r"certificate and key cannot be used .*; give cert"):
        Certificate(pair.cert, pair.key)
    with pytest.raises(ConfigError, match="cannot be used"):
        Certificate(other.cert, pair.cert)
