"""What the tests of the outbox share."""

import shutil
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.unit.outbox.killed import Image


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Copies of one image, each to be spoilt."""
    whole = Image(tmp_path_factory.mktemp("image"))

    @contextmanager
    def one():
        with TemporaryDirectory() as folder:
            image = copy(whole)
            image.folder = Path(folder) / "killed"
            shutil.copytree(whole.folder, image.folder)
            yield image

    return one
