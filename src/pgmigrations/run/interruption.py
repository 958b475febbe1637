"""Being interrupted: the statement that runs is cancelled, and what must be done is still done.

A Python signal handler runs when the driver's call returns, which a long statement keeps from
happening; and SIGTERM ends Python at once, without a `finally`.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a process to end."""


class Ended(SystemExit):
    """What a signal ends the process by."""


_running: list[Any] = []
_noted: list[int] = []
_is_watched = False
_is_handled = threading.Event()
_CANCELS, _PAUSE = 50, 0.1
"""How often a statement is cancelled, and seconds in between, until Python hears of the signal."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP end the work inside as an exception, at once.

    SIGINT is a KeyboardInterrupt as ever, the others a SystemExit of 128 + their number; the
    statements of `cancellable()` connections are cancelled. A handler that the process has set up
    itself is left alone. Outside the main thread, where Python allows no handlers, nothing
    happens.
    """
    global _is_watched
    if _is_watched or threading.current_thread() is not threading.main_thread():
        yield
        return
    with contextlib.ExitStack() as stack:
        ours: set[signal.Signals] = set()
        for number in ENDING:
            if signal.getsignal(number) in (signal.SIG_DFL, _DEFAULT_SIGINT):
                stack.callback(signal.signal, number, signal.signal(number, _end))
                ours.add(number)
        _is_handled.clear()
        stack.enter_context(_watching(ours))
        _is_watched = True
        try:
            yield
        except Exception as error:
            # A statement that was cancelled for it may have been quicker than the signal.
            if _noted:
                raise _ending(_noted[0]) from error
            raise
        finally:
            _is_watched = False
            _noted.clear()


@contextmanager
def cancellable(connection: Connection) -> Iterator[Connection]:
    """Let an interruption cancel what runs on a connection.

    Args:
        connection: A connection by psycopg2.
    """
    dbapi = connection.connection.dbapi_connection
    _running.append(dbapi)
    try:
        yield connection
    finally:
        _running.remove(dbapi)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold signals back until the work inside is done; in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _: FrameType | None) -> None:
        _is_handled.set()
        held.append(number)

    def raise_again() -> None:
        for number in held[:1]:
            signal.raise_signal(number)

    with contextlib.ExitStack() as stack:
        # Called last, when the handlers are back.
        stack.callback(raise_again)
        for one in ENDING:
            handler = signal.getsignal(one)
            if handler not in (signal.SIG_IGN, None):
                stack.callback(signal.signal, one, handler)
                signal.signal(one, hold)
        yield


@contextmanager
def ending_undisturbed(context: AbstractContextManager[T]) -> Iterator[T]:
    """Enter a context whose end no signal cuts short."""
    with contextlib.ExitStack() as stack:
        entered = stack.enter_context(context)
        try:
            yield entered
        finally:
            with undisturbed():
                stack.close()


_DEFAULT_SIGINT = signal.default_int_handler


def _end(number: int, _: FrameType | None) -> None:
    _is_handled.set()
    raise _ending(number)


def _ending(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else Ended(128 + number)


@contextmanager
def _watching(numbers: set[signal.Signals]) -> Iterator[None]:
    """Hear of signals on another thread while the main one is inside the driver."""
    ear, mouth = socket.socketpair()
    with ear, mouth:
        mouth.setblocking(False)
        before = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
        if before != -1:
            # An event loop is listening.
            signal.set_wakeup_fd(before)
            yield
            return
        thread = threading.Thread(
            target=_listen, args=(ear, numbers), name="pgmigrations-signals", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            mouth.shutdown(socket.SHUT_WR)
            thread.join()


def _listen(ear: socket.socket, numbers: set[signal.Signals]) -> None:
    import psycopg2

    while heard := ear.recv(16):
        asked = [number for number in heard if number in numbers]
        if asked:
            _noted.extend(asked)
            # A statement that was only about to be sent is not cancelled by the first.
            for _ in range(_CANCELS):
                for connection in list(_running):
                    with contextlib.suppress(psycopg2.Error):
                        connection.cancel()
                if _is_handled.wait(_PAUSE):
                    break
