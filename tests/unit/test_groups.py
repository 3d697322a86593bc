"""Tests of one group run in one process: pytest-xdist knows it by the end of their ids."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("groups")
def test_the_group_stands_in_the_id_where_tests_are_shared_out_by_group(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@groups") == request.config.getoption("loadgroup", default=False)
