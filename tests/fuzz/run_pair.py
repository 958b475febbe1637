"""One pair on its way: to the first schema, to the second, back down, up and back by a revision."""

from __future__ import annotations

import difflib
import io
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from sqlalchemy import MetaData, create_engine
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.quoting import identifier
from tests.contract.contract import VERSION_TABLE
from tests.fuzz.build import build
from tests.fuzz.draw_pair import Pair
from tests.fuzz.hint import mirrored
from tests.fuzz.name import SCHEMAS
from tests.fuzz.row import insert, read
from tests.fuzz.spec import SchemaSpec
from tests.support.database import Databases
from tests.support.dump import schema_dump
from tests.support.project import Project
from tests.support.script import run_script


class PairFailed(Exception):
    """A pair did not go as it should.

    Attributes:
        step: Where.
        message: What.
    """

    def __init__(self, step: str, message: str) -> None:
        super().__init__(f"{step}: {message}")
        self.step = step
        self.message = message


class PairRun:
    """Runs pairs on a server, one after another.

    Args:
        databases: Makes the databases.
        folder: Where a pair's project goes; what is there is removed.
        rounds: How many revisions may be needed to get from one schema to another.
    """

    def __init__(self, databases: Databases, folder: Path, *, rounds: int = 1) -> None:
        self._databases = databases
        self._folder = folder
        self._rounds = rounds
        self._schemas: list[str] = []
        self.more_rounds = 0
        self.rows = 0

    def run(self, pair: Pair) -> None:
        """Run a pair.

        Raises:
            PairFailed: It did not go as it should.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        self._schemas = sorted(pair.before.schemas | pair.after.schemas)
        empty = self._databases.template("schemas of the fuzzer", _create_schemas)
        fresh = self._databases.fresh
        with (
            warnings.catch_warnings(),
            # Alembic says there that it generates a file.
            redirect_stdout(io.StringIO()),
            fresh(empty) as url,
            fresh(empty) as one,
            fresh(empty) as two,
        ):
            # SQLAlchemy does not recognise a type whose name has double quotes.
            warnings.simplefilter("ignore")
            with _step("create the first by create_all"):
                before = self._created(one, pair.before)
            with _step("create the second by create_all"):
                after = self._created(two, pair.after)
            project = Project(self._folder, url)
            with _step("make the first"):
                self._start(project, pair)
            rows = insert(url, two, pair)
            held = read(url, rows)
            self.rows += len(rows)
            start = project.revisions()[-1].stem if project.revisions() else "base"
            self._same(project.url, one, before, "make the first")
            with _step("to the second"):
                written = self._changed(project.models(self._models(pair.after)))
            self._same(project.url, two, after, "to the second")
            with _step("to the second, again"):
                for revision in written:
                    project.again(revision)
            if written:
                self._same(project.url, two, after, "to the second, again")
                with _step("down to the first"):
                    project.downgrade(start)
                self._same(project.url, one, before, "down to the first")
                with _step("up to the second"):
                    project.upgrade()
            with _step("to the first by a revision"):
                self._changed(project.models(self._models(mirrored(pair.before, pair.after))))
            self._same(project.url, one, before, "to the first by a revision")
            if (left := read(url, rows)) != held:
                raise PairFailed("rows", f"there were {held}, and are {left}")

    def _models(self, spec: SchemaSpec) -> MetaData:
        return build(spec, self._schemas)

    def _created(self, url: str, spec: SchemaSpec) -> str:
        _create_all(url, self._models(spec))
        return _dump(url)

    def _start(self, project: Project, pair: Pair) -> None:
        project.models(self._models(pair.before))
        if not pair.is_created:
            self._changed(project)
            return
        _create_all(project.url, self._models(pair.before))
        project.run("revision", "-m", "start", "--rev-id", "001_start")
        project.run("stamp", "head")
        if (written := project.autogenerate()) is not None:
            raise PairFailed("compare with itself", written.read_text())

    def _changed(self, project: Project) -> list[Path]:
        """Bring the database to the models, by as many revisions as may be needed."""
        written = []
        for _ in range(self._rounds):
            revision = project.autogenerate()
            if revision is None:
                break
            written.append(revision)
            project.upgrade()
        self.more_rounds += max(0, len(written) - 1)
        if (left := project.autogenerate()) is not None:
            raise PairFailed("second comparison", left.read_text())
        return written

    def _same(self, url: str, wanted_url: str, wanted: str, step: str) -> None:
        found = _dump(url)
        if found == wanted:
            return
        # What the server prints at first may differ from what it prints after a restore.
        again, other = self._restored(url), self._restored(wanted_url)
        if again != other:
            lines = difflib.unified_diff(
                other.splitlines(), again.splitlines(), "wanted", "found", lineterm="", n=1
            )
            raise PairFailed(f"{step}, compared", "\n".join(lines))

    def _restored(self, url: str) -> str:
        with self._databases.fresh() as copy:
            run_script(copy, _dump(url))
            return _dump(copy)


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except PairFailed:
        raise
    except Exception as error:
        raise PairFailed(name, f"{type(error).__name__}: {error}") from error


def _create_schemas(url: str) -> None:
    schemas = {schema for schema in SCHEMAS if schema}
    run_script(url, "".join(f"CREATE SCHEMA {identifier(schema)};" for schema in sorted(schemas)))


def _create_all(url: str, metadata: MetaData) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        metadata.create_all(connection, checkfirst=False)


def _dump(url: str) -> str:
    return schema_dump(url, exclude_tables=[f"{VERSION_TABLE}*"])
