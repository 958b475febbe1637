"""ALTER DEFAULT PRIVILEGES for another role, by one that may only grant itself that role."""

from __future__ import annotations

from pgmigrations.migrate.core.quoting import do_block, identifier, literal


def altering(for_role: str, statement: str, *, needed: str = "") -> str:
    """Write a block that changes what a role gives away on what it will make.

    The server wants the privileges of that role for it. Who may act as the role does so; who has
    made the role may grant them to himself (from PostgreSQL 16 on he has nothing but that right):
    where they are missing, either is done, and undone, within the block.

    Args:
        for_role: Who will make it.
        statement: The statement.
        needed: A condition without which nothing is done; empty for none.
    """
    role, name = identifier(for_role), literal(for_role)
    begin = f"  IF NOT ({needed}) THEN\n    RETURN;\n  END IF;\n" if needed else ""
    return do_block(f"""\
DECLARE
  may_set text := CASE WHEN current_setting('server_version_num')::int >= 160000
                  THEN 'SET' ELSE 'MEMBER' END;
  before text := current_setting('role');
BEGIN
{begin}  IF pg_has_role({name}, 'USAGE') THEN
    {statement};
  ELSIF pg_has_role({name}, may_set) THEN
    SET LOCAL ROLE {role};
    {statement};
    PERFORM set_config('role', before, true);
  ELSE
    GRANT {role} TO CURRENT_USER;
    {statement};
    REVOKE {role} FROM CURRENT_USER;
  END IF;
END""")


def known(*names: str) -> str:
    """Write the condition that roles are there; `public` always is."""
    tests = [
        f"EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = {literal(name)})"
        for name in names
        if name != "public"
    ]
    return " AND ".join(tests)
