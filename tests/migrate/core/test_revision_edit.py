"""A revision file gets another id and parent, and stays as it is otherwise."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from pgmigrations.migrate.core.revision_edit import Renamed, rename_files
from pgmigrations.migrate.core.revision_file import RevisionFileError


def renamed(path: Path, parent: str | None = "003_base", new: str = "006_b") -> Renamed:
    return Renamed(path, path.with_name(f"{new}.py"), path.stem, new, parent, "005_a")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "revision, down_revision = '004_b', '003_base'\n",
            "revision, down_revision = '006_b', '005_a'\n",
        ),
        (
            '"""Revision ID: 004_b"""\nrevision: str = "004_b"; down_revision = ("003_base",)\n',
            '"""Revision ID: 006_b"""\nrevision: str = "006_b"; down_revision = "005_a"\n',
        ),
        (
            "'''a\n\f\n\nRevision ID:004_b\nRevises: 003_base # no\n'''\n"
            "revision = ('004' # half\n '_b')\ndown_revision = r'003_base'",
            "'''a\n\f\n\nRevision ID: 006_b\nRevises: 003_base # no\n'''\n"
            "revision = ('006_b')\ndown_revision = '005_a'",
        ),
        (
            "x = 'ä'; revision = '004_b'\r\ndown_revision = '003_base'\r\r\ny = 1 \r",
            "x = 'ä'; revision = '006_b'\r\ndown_revision = '005_a'\r\r\ny = 1 \r",
        ),
    ],
)
def test_only_the_id_and_the_parent_change(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "004_b.py"
    path.write_bytes(before.encode())
    assert renamed(path).content().decode() == after


@pytest.mark.parametrize("parent", ["\n", " \n", "\r\n"])
def test_a_first_revision_gets_a_parent(tmp_path: Path, parent: str) -> None:
    path = tmp_path / "004_b.py"
    code = "revision = '004_b'\ndown_revision = None\n"
    path.write_bytes(f'"""\nRevises:{parent}"""\n{code}'.encode())
    expected = f'"""\nRevises: 005_a{parent.lstrip(" ")}"""\n'
    assert renamed(path, None).content().decode() == expected + (
        "revision = '006_b'\ndown_revision = \"005_a\"\n"
    )


def test_the_encoding_stays(tmp_path: Path) -> None:
    path = tmp_path / "004_b.py"
    text = "# coding: latin-1\nx = 'é'; revision = '004_b'\ndown_revision = '003_base'\n"
    path.write_bytes(text.encode("latin-1"))
    expected = text.replace("004_b", "006_b").replace("003_base", "005_a")
    assert renamed(path).content() == expected.encode("latin-1")
    text = text.partition("\n")[2]
    path.write_bytes(codecs.BOM_UTF8 + text.encode())
    expected = expected.partition("\n")[2]
    assert renamed(path).content() == codecs.BOM_UTF8 + expected.encode()


@pytest.mark.parametrize(
    "text",
    [
        "revision = '004' + f()\ndown_revision = '003_base'\n",
        "revision = '004_b'\n",
        "revision = '004_b'\ndown_revision = '003_base'\nrevision = '004_b'\n",
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "004_b.py"
    path.write_text(text)
    with pytest.raises(RevisionFileError, match=r"004_b\.py does not assign"):
        renamed(path).content()


def test_files_may_take_each_others_names(tmp_path: Path) -> None:
    first, second = tmp_path / "004_b.py", tmp_path / "005_b.py"
    for path in (first, second):
        path.write_text(f"revision = '{path.stem}'\ndown_revision = '003_base'\n")
    first.chmod(0o640)
    rename_files([renamed(first, new="005_b"), renamed(second)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["005_b.py", "006_b.py"]
    assert "revision = '005_b'" in second.read_text()
    assert second.stat().st_mode & 0o777 == 0o640


def test_a_failure_restores_all(tmp_path: Path) -> None:
    first, second = tmp_path / "004_b.py", tmp_path / "005_b.py"
    for path in (first, second):
        path.write_text(f"revision = '{path.stem}'\ndown_revision = '003_base'\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    elsewhere = Renamed(
        second, tmp_path / "missing" / "006_b.py", "005_b", "006_b", "004_b", "005_b"
    )
    with pytest.raises(RevisionFileError, match="cannot be written"):
        rename_files([renamed(first, new="005_b"), elsewhere])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
