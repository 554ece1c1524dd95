"""How the suite is shared out among workers (tests/conftest.py)."""

import pytest


def test_workers_keep_a_files_cases_together(request):
    """What pytest-xdist adds to a case's name is what it groups by: where pytest leaves it out, each worker sets up all fixtures."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("one process runs these cases, and has nobody to share them with: make test, make quick")
    assert request.node.nodeid.endswith("@unit/suite")
