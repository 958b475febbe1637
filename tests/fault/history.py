"""Twenty revisions as a project has them after a while."""

from __future__ import annotations

from tests.support.project import Project

_HEAD = """\
from __future__ import annotations
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from pgmigrations import op
revision, down_revision = {revision!r}, {parent!r}

def upgrade():
{body}

def downgrade():
    pass
"""
_TABLE = """\
op.create_table(
    "{name}",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("n", sa.Integer, server_default=sa.text("0"), nullable=False),
    if_not_exists=True,
)
"""
REVISIONS = (
    _TABLE.format(name="book")
    + "op.execute(\"INSERT INTO book (title, n) SELECT 'b' || g, g "
    + 'FROM generate_series(1, 50) g")',
    _TABLE.format(name="reader"),
    'op.create_enum("state", ["new", "done"])\n'
    'op.add_column("book", sa.Column("state", postgresql.ENUM(name="state", create_type=False), '
    'server_default="new"), if_not_exists=True)',
    'op.add_enum_value("state", "kept", after="new")\n'
    "op.execute(\"UPDATE book SET state = 'kept' WHERE n > 40\")",
    'op.execute("UPDATE book SET n = n * 2")\n'
    'op.create_index("ix_book_n", "book", ["n"], postgresql_concurrently=True)\n'
    'op.execute("UPDATE book SET n = n + 1")',
    'op.add_column("reader", sa.Column("book_id", sa.Integer), if_not_exists=True)\n'
    'op.create_foreign_key("fk_reader_book", "reader", "book", ["book_id"], ["id"])',
    'op.create_check_constraint("ck_book_n", "book", "n >= 0")',
    "op.get_bind().execute(sa.text(\"INSERT INTO reader (title, book_id) VALUES ('r', 1)\"))",
    'op.add_enum_value("state", "lost", before="done")\n'
    'op.add_enum_value("state", "found", after="lost")\n'
    "op.execute(\"UPDATE book SET state = 'lost' WHERE n = 3\")",
    'with op.get_context().autocommit_block():\n    op.execute("VACUUM book")\n'
    'op.execute("UPDATE book SET n = n + 1")',
    _TABLE.format(name="shelf") + 'op.bulk_insert(sa.table("shelf", sa.column("title")), '
    '[{"title": "a"}, {"title": "b"}])',
    'rows = op.get_bind().execute(sa.text("SELECT count(*) FROM book")).scalar_one()\n'
    'op.execute(f"UPDATE shelf SET n = n + {rows}")\n'
    'op.create_index("ix_shelf", "shelf", ["n", "title"], unique=True, if_not_exists=True, '
    "postgresql_concurrently=True)\n"
    "op.get_bind().execute(sa.text(\"INSERT INTO shelf (title) VALUES ('c')\"))",
    'op.drop_index("ix_book_n", table_name="book", postgresql_concurrently=True)',
    'op.alter_column("reader", "title", type_=sa.String(100))',
    'op.execute("ALTER TABLE shelf ADD COLUMN hand int")\nop.execute("UPDATE shelf SET hand = 1")',
    'op.create_unique_constraint("uq_reader", "reader", ["title"])',
    'op.drop_constraint("ck_book_n", "book", type_="check")',
    'op.execute("DELETE FROM book WHERE n > 95")',
    _TABLE.format(name="loan"),
    'op.execute("INSERT INTO loan (title) SELECT title FROM book")',
)
CONTENTS = (
    "SELECT id, title, n, state::text FROM book ORDER BY id",
    "SELECT title, n, book_id FROM reader ORDER BY title",
    "SELECT title, n, hand FROM shelf ORDER BY title",
    "SELECT title FROM loan ORDER BY title",
    "TABLE pgmigrations",
    "SELECT revision, count(*) FROM pgmigrations_history WHERE status = 'applied' "
    "GROUP BY revision ORDER BY revision",
    "SELECT relname::text FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid "
    "WHERE NOT indisvalid",
)
"""Queries whose answers say all that is in the database.

A number that a sequence has given in a transaction that was taken back is not given again.
"""


def write_history(project: Project) -> None:
    """Write the revisions into a project."""
    parent = None
    for number, body in enumerate(REVISIONS, start=1):
        revision = f"{number:03}_step"
        indented = "".join(f"    {line}\n" for line in body.splitlines()).rstrip()
        text = _HEAD.format(revision=revision, parent=parent, body=indented)
        (project.versions / f"{revision}.py").write_text(text)
        parent = revision
