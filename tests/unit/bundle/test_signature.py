"""Keys are written once, read back and never mistaken for each other."""

import pytest

from edge.bundle.signature import read_private, read_public, write_keys
from edge.errors import ModelError
from tests.unit.bundle.made import KEY, PUBLIC


def test_keys_are_written_once_readable_by_their_owner_and_read_back(tmp_path):
    private, public = tmp_path / "k.key", tmp_path / "k.pub"
    write_keys(private, public, KEY, PUBLIC)
    assert private.stat().st_mode & 0o777 == 0o600
    assert read_private(private).id == KEY.id
    assert read_public(public) == (KEY.id, PUBLIC)
    assert KEY.secret.hex() not in repr(KEY)
    with pytest.raises(ModelError, match="never overwritten"):
        write_keys(private, public, KEY, PUBLIC)


def test_a_public_key_where_a_private_one_is_needed_is_named(tmp_path):
    write_keys(tmp_path / "k.key", tmp_path / "k.pub", KEY, PUBLIC)
    with pytest.raises(ModelError, match="other key file"):
        read_private(tmp_path / "k.pub")
    with pytest.raises(ModelError, match="no such key"):
        read_private(tmp_path / "none")
