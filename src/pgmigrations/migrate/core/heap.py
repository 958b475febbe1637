"""What the garbage collector need not go through again and again."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def settled_heap() -> Iterator[None]:
    """Leave all that is there now to the end, as `gc.freeze()` does.

    Modules and models stay anyway; looking through them takes a tenth of the time of whatever
    makes many objects beside them.
    """
    # Somebody else's frozen objects are not ours to thaw.
    is_free = not gc.get_freeze_count()
    if is_free:
        gc.freeze()
    try:
        yield
    finally:
        if is_free:
            gc.unfreeze()


@contextmanager
def growing_heap() -> Iterator[None]:
    """Make objects that stay without a collection among them.

    Afterwards they are among the oldest, as if the collector had found them in use.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Else the next collection, which should be of the youngest, is of all that was made.
        with settled_heap():
            gc.enable()


def skip_at_exit() -> None:
    """Spare the process the collection with which it begins to end.

    It would go through everything that is still in use. What nothing uses any more goes with the
    modules, soon after.
    """
    atexit.unregister(_disable)
    atexit.register(_disable)


def _disable() -> None:
    gc.disable()
