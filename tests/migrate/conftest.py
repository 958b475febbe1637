"""What tests of comparisons and revisions share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.own_server import OwnServers


@pytest.fixture
def urls(own_servers: OwnServers) -> Iterator[tuple[str, str]]:
    """A database on a server of its own, and one on another, where trials run, too."""
    with own_servers() as url, own_servers() as scratch:
        yield url, scratch
