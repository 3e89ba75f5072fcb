from collections.abc import Iterator

import pytest
from tests.support.ledger_stack import LedgerStack, ledger_stack


@pytest.fixture(scope="module")
def shared_stack() -> Iterator[LedgerStack]:
    with ledger_stack() as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: LedgerStack) -> Iterator[LedgerStack]:
    """A stack without workers; those that the test starts end with it."""
    yield shared_stack
    shared_stack.stop_workers()
