"""The block of PL/pgSQL that gives an enumerated type another list of labels.

One text serves the connected run and `--sql` output: it finds the columns and what hangs on them
in the catalogs at the moment it runs. It looks and locks (`rebuild_survey`), writes down what it
must take away (`rebuild_dependants`), and makes the type and its columns anew (`rebuild_type`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgmigrations.migrate.core.quoting import do_block, literal, text_array
from pgmigrations.migrate.objects.enum.rebuild_dependants import gather
from pgmigrations.migrate.objects.enum.rebuild_survey import (
    COUNT_BEFOREHAND,
    COUNT_ROWS,
    SURVEY_AND_LOCK,
)
from pgmigrations.migrate.objects.enum.rebuild_type import CHANGE_COLUMNS, GIVE_BACK, MAKE_TYPE


def rebuild_block(
    schema: str | None,
    name: str,
    old: Sequence[str],
    new: Sequence[str],
    replace: Mapping[str, str],
) -> str:
    """Write the block for one type.

    Args:
        schema: The type's schema; None for the first of the search path.
        name: The type.
        old: Its labels as they are.
        new: Its labels as they shall be.
        replace: For labels of `old`, the labels that rows and defaults get instead.
    """
    lost = [label for label in old if label not in new and label not in replace]
    changed = {label: substitute for label, substitute in replace.items() if label != substitute}
    parameters = f"""\
DECLARE
  type_schema text := {literal(schema) if schema else "current_schema()"};
  type_name text := {literal(name)};
  old_labels text[] := {text_array(old)};
  new_labels text[] := {text_array(new)};
  lost_labels text[] := {text_array(lost)};
  replaced text[] := {text_array(changed.keys())};
  replacements text[] := {text_array(changed.values())};
"""
    return do_block(parameters + _VARIABLES + _BODY)


def count_block(schema: str | None, name: str, lost: Sequence[str]) -> str:
    """Write the block that only refuses where rows hold a label that is to go.

    Args:
        schema: The type's schema; None for the first of the search path.
        name: The type.
        lost: The labels that are to go.
    """
    parameters = f"""\
DECLARE
  type_schema text := {literal(schema) if schema else "current_schema()"};
  type_name text := {literal(name)};
  lost_labels text[] := {text_array(lost)};
"""
    return do_block(f"{parameters}{_VARIABLES}BEGIN\n{COUNT_BEFOREHAND}\nEND")


_VARIABLES = """\
  type_id oid;
  array_id oid;
  type_owner oid;
  labels text[];
  full_name text := format('%I.%I', type_schema, type_name);
  column_keys text[];     -- 'relation.number' of the columns that change or are made again
  generated_keys text[];  -- of these, the generated ones
  relation_ids oid[];     -- the tables of these columns
  hanging text[];         -- 'catalog.object' of what depends on the type or on such a column
  index_ids oid[];        -- the indexes among these, a constraint's too
  table_ids oid[];        -- every table that something happens to, parents before children
  trouble text;
  counted text;
  path text := current_setting('search_path');
  tablespace text := current_setting('default_tablespace');
  takes text[] := '{}';   -- statements that take dependants away
  gives text[] := '{}';   -- pairs of what, and the statement that makes it again
  given text[];
  item record;
"""

_BODY = f"""\
BEGIN
{SURVEY_AND_LOCK}
{COUNT_ROWS}
{gather()}
{MAKE_TYPE}
{CHANGE_COLUMNS}
{GIVE_BACK}
END"""
