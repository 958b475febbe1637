"""The migrations of the OER assistant, in the style of its seeds."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.node_pg_migrate import write
from tests.support.project import REPOSITORY

OER_ASSISTANT = (
    "000_initial_schema",
    "001_update_year_to_publish_date",
    "002_update_sections_and_media_items",
    "003_refactor_session_relationships",
    "004_add_session_role_to_user_sessions",
    "005_add_role_to_shared_user_prompts",
    "006_add_name_to_sessions",
    "007_add_guided_prompts",
    "008_vector_faq",
    "009_faq_cache_sources",
    "010_add_reported_to_shared_prompts",
    "010_add_status_to_textbooks",
    "011_add_tokens_used_and_updated_at_to_user_sessions",
    "012_add_jobs_table",
    "013_add_practice_material_analytics",
    "013_textbook_logo_url",
    "014_add_system_settings",
    "015_add_cascade_delete",
)
EXAMPLE_TABLE = """pgm.createTable('example_table', {
    id: 'id',
    name: { type: 'varchar(100)', notNull: true },
    created_at: { type: 'timestamp', default: pgm.func('now()') },
})"""


def write_oer_assistant(folder: Path) -> None:
    """Write nineteen files that make its schema: two `010_`, two `013_`, and a lone `999_`.

    Args:
        folder: Where node-pg-migrate is installed.
    """
    parts = _schema().split("\n\n")
    size = -(-len(parts) // len(OER_ASSISTANT))
    starts = range(0, size * len(OER_ASSISTANT), size)
    pieces = ["\n\n".join(parts[start : start + size]) or "SELECT 1" for start in starts]
    works = [f"pgm.sql({json.dumps(piece)})" for piece in pieces]
    files = dict(zip((f"{name}.js" for name in OER_ASSISTANT), works, strict=True))
    write(folder, files | {"999_example_table.js": EXAMPLE_TABLE})


def _schema() -> str:
    text = (REPOSITORY / "tests" / "app" / "oer_assistant.sql").read_text()
    # As the seeds have it: an administrator may have made them.
    return text.replace("CREATE EXTENSION ", "CREATE EXTENSION IF NOT EXISTS ")
