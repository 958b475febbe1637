"""The contract's own assertions shall say what differs, too."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.contract.contract")
