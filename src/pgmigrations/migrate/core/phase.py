"""When an operation runs within its revision."""

from __future__ import annotations

import enum


class Phase(enum.IntEnum):
    """The order of operations across kinds; equal phases keep the order in which they were found.

    New things come before the tables that use them, and what tables used goes after them. A
    downgrade is sorted by the same numbers, so every operation's own direction decides.
    """

    RENAME = 3
    """A new name comes before all that speaks of it, in both directions."""
    CREATE_ROLE = 4
    CREATE_SCHEMA = 5
    REVOKE = 7
    """A privilege goes before what it is on."""
    CREATE_EXTENSION = 10
    CREATE_TYPE = 20
    CREATE_SEQUENCE = 30
    DROP_FOREIGN_KEY = 38
    """A foreign key goes before the key that it rests on."""
    DROP_DEPENDANT = 40
    """Constraints and indexes go before the columns that they are on."""
    SUSPEND = 44
    """A column that stays generated lets go of others before any of them becomes a plain one."""
    RELEASE = 45
    """A generated column lets go of the columns that it is made of, which may change then."""
    FREE_NAME = 46
    """A table goes early if something new takes its name."""
    TAKE_NAME = 48
    """What tables use waits for the names of what goes early."""
    TABLE = 50
    ALTER = 55
    GENERATE = 57
    """A generated column is made of others as they are in the end."""
    COMPLETE = 58
    """What the statement that makes a column has no word for comes once the column is there."""
    FREE_USED_NAME = 59
    """What tables used goes early if something new takes its name."""
    TAKE_USED_NAME = 60
    """Tables wait for the names of what they used."""
    CREATE_DEPENDANT = 62
    """Constraints and indexes come after the columns that they are on."""
    CREATE_FOREIGN_KEY = 65
    """A foreign key comes after the key or unique index that it rests on."""
    PARTITION = 67
    """A partition takes what its table has, and comes when that is complete."""
    NARROW_TYPE = 70
    DROP_TYPE = 80
    DROP_SEQUENCE = 85
    DROP_EXTENSION = 90
    DROP_SCHEMA = 95
    GRANT = 97
    """A privilege comes after what it is on."""
    DROP_ROLE = 99
    LEFT_OVER = 100
    """What a trial run has found to be left over by all the others."""
