"""Who is looking: advice that goes away by itself."""

from datetime import UTC, datetime, timedelta

from desk.web.presence import look, lookers

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def test_a_look_is_told_to_others_and_does_not_stay(store):
    other = store.again()
    assert look(store.database, 1, "ann", after(0)) == []
    assert look(other.database, 1, "ben", after(10)) == ["ann"]
    assert lookers(store.database, after(20)) == {1: ["ann", "ben"]}
    # Ann closed her browser without a word.
    assert look(other.database, 1, "ben", after(26)) == []
    assert lookers(store.database, after(60)) == {}
    other.database.close()


def test_somebody_new_is_told_at_once_and_who_stays_is_not_told_again(store):
    for second in range(0, 60, 5):
        look(store.database, 1, "ann", after(second))
    assert len(store.table("changes")) == 1
    look(store.database, 1, "ben", after(60))
    assert len(store.table("changes")) == 2
