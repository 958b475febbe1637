"""The template's models against the reference schema, which is written by hand as SQL."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, func, select
from sqlalchemy.orm import Session

from app.models import (
    Embedding,
    Job,
    JobStatus,
    MediaItem,
    MediaType,
    Section,
    Textbook,
    TextbookFavorite,
    UserSession,
    metadata,
)
from tests.support.dump import schema_dump

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REFERENCE = ("oer_assistant.sql", "textbook_favorites.sql")
ALLOWED = ("sqlalchemy", "pgvector", "app.models", "pgmigrations.declare")

needs_extensions = pytest.mark.needs_extension("vector", "uuid-ossp")


def create_from_models(url: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql('CREATE EXTENSION "uuid-ossp"')
        connection.exec_driver_sql("CREATE EXTENSION vector")
        metadata.create_all(connection)


def create_from_reference(url: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for name in REFERENCE:
            connection.exec_driver_sql((HERE / name).read_text())


def imported_modules(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def is_allowed(module: str) -> bool:
    of_python = module.partition(".")[0] in sys.stdlib_module_names
    return of_python or any(module == name or module.startswith(f"{name}.") for name in ALLOWED)


@needs_extensions
def test_models_create_the_reference_schema(database_url: str) -> None:
    create_from_models(database_url)
    from_models = schema_dump(database_url)
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        metadata.drop_all(connection)
        connection.exec_driver_sql('DROP EXTENSION vector, "uuid-ossp"')
    assert "TABLE" not in schema_dump(database_url)

    create_from_reference(database_url)
    assert from_models == schema_dump(database_url)


def test_models_import_nothing_of_ours_but_declarations() -> None:
    files = sorted((ROOT / "app" / "models").rglob("*.py"))
    assert len(files) > 5
    strangers = {
        f"{file.name}: {module}"
        for file in files
        for module in imported_modules(file)
        if not is_allowed(module)
    }
    assert strangers == set()


def test_mappers_configure_without_a_warning() -> None:
    program = "import app.models, sqlalchemy.orm; sqlalchemy.orm.configure_mappers()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_extensions
def test_a_textbook_that_is_deleted_takes_its_parts_with_it(database_url: str) -> None:
    create_from_models(database_url)
    with Session(create_engine(database_url, poolclass=NullPool)) as session:
        book = Textbook(title="Botany", authors=["A", "B"])
        chapter = Section(title="Roots", order_index=1, textbook=book)
        book.sections.append(Section(title="Root hairs", order_index=2, parent=chapter))
        book.media_items.append(MediaItem(media_type=MediaType.PDF, uri="botany.pdf"))
        book.jobs.append(Job())
        session.add(UserSession(favorites=[TextbookFavorite(textbook=book)]))
        session.commit()
        assert [section.title for section in chapter.children] == ["Root hairs"]

        session.delete(book)
        session.commit()
        for parts in (Section, MediaItem, Job, TextbookFavorite):
            assert session.scalar(select(func.count()).select_from(parts)) == 0
        assert session.scalar(select(func.count()).select_from(UserSession)) == 1


@needs_extensions
def test_models_read_what_the_database_filled_in(database_url: str) -> None:
    create_from_models(database_url)
    with Session(create_engine(database_url, poolclass=NullPool)) as session:
        job = Job(textbook=Textbook(title="Botany"))
        embedding = Embedding(vector=[1, 2.5])
        session.add_all([job, embedding])
        session.commit()
        assert job.status is JobStatus.PENDING
        assert job.metadata_ == {}
        assert job.created_at is not None
        assert job.created_at.tzinfo is not None
        assert job.textbook.status == "Disabled"
        assert list(embedding.vector) == [1.0, 2.5]
