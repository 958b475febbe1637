from __future__ import annotations

import pytest

from pgmigrations.settings import InvalidSetting, Settings, UnknownSetting


def test_keys_of_the_file_and_keywords_win_over_defaults() -> None:
    settings = Settings.load(
        {"revision_number_floor": "16", "ignore_extensions": "postgis, pg_cron\n pgaudit"},
        "alembic.ini",
        revision_names="timestamp",
    )
    assert settings.revision_number_floor == 16
    assert settings.ignore_extensions == ("postgis", "pg_cron", "pgaudit")
    assert settings.revision_names == "timestamp"
    assert settings.version_table == "pgmigrations"


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(UnknownSetting, match=r"Did you mean revision_names\?") as refused:
        Settings.load({"revison_name": "timestamp"}, "alembic.ini")
    assert "[pgmigrations] of alembic.ini" in str(refused.value)


def test_a_key_like_no_other_lists_all() -> None:
    with pytest.raises(UnknownSetting, match="Known settings: version_table"):
        Settings.load({"xyzzy": "1"}, "alembic.ini")


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(UnknownSetting, match="version_table"):
        Settings.load({}, "alembic.ini", version_tabel="x")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("revision_names", "random"),
        ("revision_number_floor", "many"),
        ("revision_number_floor", "-1"),
        ("revision_number_width", "0"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(key: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=key):
        Settings.load({key: value}, "alembic.ini")
