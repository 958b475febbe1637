from __future__ import annotations

import inspect

import alembic.op

from pgmigrations import op
from pgmigrations.migrate.kinds import KINDS
from scripts import write_operations


def test_the_stub_is_what_the_operations_say() -> None:
    assert write_operations.STUB.read_text() == write_operations.stub(), (
        "run: .venv/bin/python -m scripts.write_operations"
    )


def test_the_page_is_what_the_operations_say() -> None:
    assert write_operations.PAGE.read_text() == write_operations.page(), (
        "run: .venv/bin/python -m scripts.write_operations"
    )


def test_the_rooms_are_what_the_kinds_say() -> None:
    assert write_operations.ROOMS.read_text() == write_operations.rooms(), (
        "run: .venv/bin/python -m scripts.write_operations"
    )


def test_every_operation_can_be_called_by_its_name() -> None:
    for kind in KINDS:
        for operation in kind.operations:
            assert callable(getattr(op, operation.operation_name))
            assert operation.operation_name in dir(op)


def test_alembics_operations_are_there_too() -> None:
    assert op.create_table is alembic.op.create_table


def test_every_operation_documents_its_arguments() -> None:
    for kind in KINDS:
        for operation in kind.operations:
            signature = inspect.signature(getattr(operation, operation.operation_name))
            text = write_operations.stub()
            assert f"def {operation.operation_name}(" in text
            for name in signature.parameters:
                assert name == "operations" or f"        {name}: " in text, (operation, name)
