"""The short form of `make crash-test`: a gateway killed five times under fifty messages."""
import asyncio

import pytest

from benchmarks.crash_test import run


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_or_doubled(tmp_path):
    result = asyncio.run(run(50, tmp_path))
    assert result["acknowledged"] == 50 and result["kills"] == 5
    assert result["lost"] == 0 and result["doubled"] == 0
