from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pgmigrations.migrate.core.revision_file import RevisionFileError, read_revision_files


def write(folder: Path, name: str, revision: str, parent: object = None) -> Path:
    path = folder / name
    path.write_text(f"revision = {revision!r}\ndown_revision = {parent!r}\n")
    return path


def test_reads_revisions_with_their_parents_and_numbers(tmp_path: Path) -> None:
    write(tmp_path, "001_first.py", "001_first")
    write(tmp_path, "002_second.py", "002_second", "001_first")
    files = read_revision_files([tmp_path])
    assert [(file.revision, file.parents, file.number) for file in files] == [
        ("001_first", (), 1),
        ("002_second", ("001_first",), 2),
    ]


def test_reads_annotated_assignments_and_merges(tmp_path: Path) -> None:
    write(tmp_path, "001_a.py", "001_a")
    write(tmp_path, "002_b.py", "002_b")
    (tmp_path / "003_merge.py").write_text(
        "revision: str = '003_merge'\ndown_revision: tuple[str, str] = ('001_a', '002_b')\n"
    )
    assert read_revision_files([tmp_path])[-1].parents == ("001_a", "002_b")


def test_does_not_run_the_files(tmp_path: Path) -> None:
    (tmp_path / "001_a.py").write_text("revision = '001_a'\nraise SystemExit('it was run')\n")
    assert len(read_revision_files([tmp_path])) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("010_a.py", "010_b.py"),
        ("1704110400000_a.py", "1704110400000_b.py"),
        ("7_a.py", "007_b.py"),
    ],
)
def test_same_number_is_refused_and_both_files_are_named(
    tmp_path: Path, first: str, second: str
) -> None:
    for name in (first, second):
        write(tmp_path, name, name.removesuffix(".py"))
    with pytest.raises(RevisionFileError, match="same number") as refused:
        read_revision_files([tmp_path])
    assert first in str(refused.value)
    assert second in str(refused.value)


def test_same_numbers_that_a_revision_joins_are_none(tmp_path: Path) -> None:
    write(tmp_path, "001_base.py", "001_base")
    write(tmp_path, "002_a.py", "002_a", "001_base")
    write(tmp_path, "002_b.py", "002_b", "001_base")
    write(tmp_path, "003_b.py", "003_b", "002_b")
    with pytest.raises(RevisionFileError, match="alembic merge heads"):
        read_revision_files([tmp_path])
    write(tmp_path, "004_both.py", "004_both", ("002_a", "003_b"))
    assert len(read_revision_files([tmp_path])) == 5


def test_same_id_is_refused_and_both_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, "001_a.py", "001_a")
    write(tmp_path, "002_copy.py", "001_a")
    with pytest.raises(RevisionFileError, match=r"001_a\.py and 002_copy\.py have the same"):
        read_revision_files([tmp_path])


def test_missing_parent_is_refused_and_both_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, "003_c.py", "003_c", "002_b")
    with pytest.raises(RevisionFileError, match=r"003_c\.py follows 002_b, .* no 002_b\.py"):
        read_revision_files([tmp_path])


def test_a_parent_named_by_the_beginning_of_its_id_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "001_first.py", "001_first")
    write(tmp_path, "002_second.py", "002_second", "001_fir")
    with pytest.raises(RevisionFileError, match=r"002_second\.py follows 001_fir, "):
        read_revision_files([tmp_path])


@pytest.mark.parametrize("recursive", [False, True])
def test_subfolders_count_where_alembic_reads_them(tmp_path: Path, recursive: bool) -> None:
    (tmp_path / "old").mkdir()
    write(tmp_path, "002_second.py", "002_second")
    write(tmp_path / "old", "001_first.py", "001_first")
    found = {file.revision for file in read_revision_files([tmp_path], recursive=recursive)}
    assert found == ({"001_first", "002_second"} if recursive else {"002_second"})


def test_two_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "001_a.py", "001_a")
    with pytest.raises(RevisionFileError, match=r"^one.001_a\.py and two.001_a\.py have the same"):
        read_revision_files([tmp_path / "one", tmp_path / "two"])


def test_a_folder_that_is_called_like_a_file_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "001_a.py", "001_a")
    (tmp_path / "002_b.py").mkdir()
    assert len(read_revision_files([tmp_path])) == 1


def test_a_link_to_nothing_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "001_a.py").symlink_to(tmp_path / "gone.py")
    with pytest.raises(RevisionFileError, match=r"001_a\.py cannot be read: No such file"):
        read_revision_files([tmp_path])


def test_a_file_that_nobody_may_read_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "001_a.py", "001_a")
    if os.geteuid() == 0:
        # The system refuses root nothing.
        def refuse(_path: Path) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr("tokenize.open", refuse)
    path.chmod(0)
    with pytest.raises(RevisionFileError, match=r"001_a\.py cannot be read: Permission denied"):
        read_revision_files([tmp_path])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def upgrade(:\n", r"001_a\.py \(line 1\) is not valid Python"),
        ("down_revision = None\n", "no usable revision id: None"),
        ("revision = ''\n", "no usable revision id: ''"),
        ("revision = 'a b'\n", "no usable revision id: 'a b'"),
        ("revision = 'é'\n", "no usable revision id"),
        (f"revision = '{'a' * 256}'\n", "256 characters"),
    ],
)
def test_an_unusable_file_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "001_a.py").write_text(text)
    with pytest.raises(RevisionFileError, match=told):
        read_revision_files([tmp_path])


def test_a_wrong_encoding_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "001_a.py").write_bytes("revision = '001_a'  # é\n".encode("latin-1"))
    with pytest.raises(RevisionFileError, match=r"001_a\.py"):
        read_revision_files([tmp_path])


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "001_a.py", "001_a")
    (tmp_path / "README").write_text("not a revision")
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / ".#001_a.py").write_text("an editor's lock")
    assert len(read_revision_files([tmp_path])) == 1


def test_a_missing_folder_has_no_revisions(tmp_path: Path) -> None:
    assert read_revision_files([tmp_path / "versions"]) == []
