"""Writing settings into alembic.ini, all else left as it stands."""

from __future__ import annotations

from collections.abc import Mapping


def with_settings(text: str, section: str, values: Mapping[str, str]) -> str:
    r"""Return the text of an .ini file with other values in one of its sections.

    Comments, order and other sections stay; a section that is missing is put at the end.

    Example:
        >>> with_settings("[a]\nx = 1\n", "a", {"x": "2"})
        '[a]\nx = 2\n'

    Args:
        text: The file.
        section: The section's name.
        values: The new values by key.
    """
    lines = text.splitlines()
    written = [f"{key} = {value}" for key, value in values.items()]
    if f"[{section}]" not in map(str.strip, lines):
        return "\n".join([*lines, "", f"[{section}]", *written]) + "\n"
    kept: list[str] = []
    is_inside = is_replaced = False
    for line in lines:
        if line.startswith("["):
            is_inside, is_replaced = line.strip() == f"[{section}]", False
        elif is_inside and line.strip() and not line[:1].isspace():
            is_replaced = line.replace(":", "=").partition("=")[0].strip() in values
        # What is indented goes on with the value before.
        if not is_replaced or not line.strip():
            kept.append(line)
        if line.startswith("[") and is_inside:
            kept += written
    return "\n".join(kept) + "\n"
