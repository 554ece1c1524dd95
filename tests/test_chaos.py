"""The short form of `python -m tests.chaos`."""

from tests.chaos import damaged_files, kills


def test_kills_of_broker_and_box_at_random_instants_lose_nothing_and_keep_the_order(tmp_path):
    outcome = kills(tmp_path, events=400, broker_kills=3, box_kills=3, seed=20261123)
    assert (outcome.lost, outcome.out_of_order, outcome.numbers_with_two_ids, outcome.unproven) == (0, 0, 0, 0)


def test_an_outbox_file_with_random_damage_never_keeps_a_box_from_going_on(tmp_path):
    assert sum(damaged_files(tmp_path, count=15, seed=20261123).values()) == 15
