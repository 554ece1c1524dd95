"""What a desk keeps, once more, on PostgreSQL; backup and schema are SQLite's own."""

from tests.unit.desk.test_keeping import (  # noqa: F401 (pytest collects them)
    store,
    test_a_number_is_never_given_twice,
    test_every_action_is_delivered_signed_and_again_where_it_failed,
    test_read_then_write_is_never_locked_out,
    test_readers_see_one_state_and_never_wait_for_a_writer,
    test_what_has_outlived_its_time_goes_and_the_rest_rebuilds_to_the_same,
)
