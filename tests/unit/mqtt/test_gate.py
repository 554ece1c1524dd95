"""What may not pass is named in the log, and a flood of it cannot fill the disk."""

from edge.mqtt.gate import Gate


def test_a_flood_of_refused_commands_is_a_few_lines_that_count_the_others(caplog):
    moment = [0.0]
    gate = Gate(lambda: moment[0])
    for n in range(100_000):
        moment[0] = n / 10_000
        assert not gate.admits("undertone-cmd/v1/leeds/desk-1/hello", 1_000_000, retained=False)
    lines = [record.getMessage() for record in caplog.records]
    assert 20 <= len(lines) <= 31
    assert sum(int(line.rpartition("others=")[2]) for line in lines) + len(lines) > 80_000
