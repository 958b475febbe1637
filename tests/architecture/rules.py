"""The rules of the house as functions: each takes sources and gives what breaks the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.architecture.source import Import, Source, is_private, private_names_of

CORE = "pgmigrations.migrate.core"
ROOMS = "pgmigrations.migrate.objects"
RUN = "pgmigrations.run"
DECLARE = "pgmigrations.declare"
EMBEDDED = "pgmigrations.embedded"
PLUGIN = "pgmigrations.plugin"
DEPLOY = "pgmigrations.deploy"
AWS = "pgmigrations.aws"
MODELS = "app.models"
ALEMBIC_PRIVATE = f"{CORE}.alembic_private"

FORBIDDEN_FILES = frozenset({"common.py", "helpers.py", "misc.py", "utils.py"})
MOST_LINES = 400

Rule = Callable[[Iterable[Source]], Iterator[str]]


def is_in(module: str, package: str) -> bool:
    """Whether a module is the package or lies in it."""
    return module == package or module.startswith(f"{package}.")


def core_knows_no_room(sources: Iterable[Source]) -> Iterator[str]:
    """The core finds the kinds through the list it is handed, never by name."""
    return _imports(sources, CORE, lambda _, found: found.is_of(ROOMS))


def rooms_know_no_other_room(sources: Iterable[Source]) -> Iterator[str]:
    """A room imports the core and itself; what two rooms share belongs to the core."""

    def is_other(source: Source, found: Import) -> bool:
        room, other = _room(source.module), _room(found.name)
        return other != "" and other != room

    return _imports(sources, ROOMS, is_other)


def run_knows_no_room(sources: Iterable[Source]) -> Iterator[str]:
    """The runner applies what was written; it compares nothing."""
    return _imports(sources, RUN, lambda _, found: found.is_of(ROOMS))


def models_import_only_declarations(sources: Iterable[Source]) -> Iterator[str]:
    """A model page needs SQLAlchemy and the declarations, nothing else of this project."""

    def is_foreign(_: Source, found: Import) -> bool:
        if found.name in {"pgmigrations", "app"}:
            return False  # `from pgmigrations import declare` names the package on the way.
        ours = found.is_of("pgmigrations") or found.is_of("app")
        return found.is_of("alembic") or (
            ours and not found.is_of(DECLARE) and not found.is_of(MODELS)
        )

    return _imports(sources, MODELS, is_foreign)


def names_from_own_package(sources: Iterable[Source]) -> Iterator[str]:
    """A package that imports its modules has no names of its own yet when they are imported."""
    sources = list(sources)
    modules = {source.module for source in sources}
    loading = {
        source.module
        for source in sources
        if any(found.name.startswith(f"{source.module}.") for found in _at_once(source))
    }
    for source in sources:
        for found in _at_once(source):
            package = found.name.rpartition(".")[0]
            is_own = package in loading and source.module.startswith(f"{package}.")
            if is_own and found.name not in modules:
                yield f"{source.module}:{found.line} imports {found.name}"


def imports_that_go_round(sources: Iterable[Source]) -> Iterator[str]:
    """What is imported at once needs nothing of what imports it."""
    sources = list(sources)
    modules = {source.module for source in sources}
    needed = {
        source.module: {
            package
            for found in _at_once(source)
            for package in _packages(found.name)
            if package in modules and not is_in(source.module, package)
        }
        for source in sources
    }
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        yield " needs ".join(reversed(error.args[1]))


def _at_once(source: Source) -> Iterator[Import]:
    return (one for one in source.imports if not one.function and not one.typing_only)


def _packages(name: str) -> Iterator[str]:
    """Yield a name and the packages that it is in, the outermost first."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def embedded_needs_no_database_library(sources: Iterable[Source]) -> Iterator[str]:
    """The server can be started where neither Alembic nor SQLAlchemy can be imported."""

    def is_heavy(_: Source, found: Import) -> bool:
        return found.is_of("alembic") or found.is_of("sqlalchemy")

    return _imports(sources, EMBEDDED, is_heavy)


def plugin_imports_alembic_in_functions(sources: Iterable[Source]) -> Iterator[str]:
    """Entry points load while Alembic is still importing, so its parts are imported when needed."""

    def is_early(_: Source, found: Import) -> bool:
        return found.is_of("alembic") and not found.function and not found.typing_only

    return _imports(sources, PLUGIN, is_early)


def deployment_knows_no_cloud(sources: Iterable[Source]) -> Iterator[str]:
    """A container job needs no boto3; only the store of secrets is made where it is asked for."""

    def is_cloud(_: Source, found: Import) -> bool:
        ours = found.is_of(AWS) and not found.function
        return ours or found.is_of("boto3") or found.is_of("botocore")

    return _imports(sources, DEPLOY, is_cloud)


def deployment_loads_little(sources: Iterable[Source]) -> Iterator[str]:
    """A function with nothing to do loads neither Alembic, nor SQLAlchemy, nor boto3 too early."""
    lazy = {f"{DEPLOY}.other_tool", f"{DEPLOY}.verification"}
    heavy = ("alembic", "sqlalchemy", "boto3", "botocore", "pgmigrations.migrate", *lazy)

    def is_early(source: Source, found: Import) -> bool:
        now = not found.function and not found.typing_only
        return now and source.module not in lazy and any(map(found.is_of, heavy))

    yield from _imports(sources, DEPLOY, is_early)
    yield from _imports(sources, AWS, is_early)


def alembic_private_names_have_one_home(sources: Iterable[Source]) -> Iterator[str]:
    """One file touches Alembic's underscore names, so that one file shows when they change."""
    theirs = private_names_of("alembic")
    for source in sources:
        if source.module == ALEMBIC_PRIVATE or not is_in(source.module, "pgmigrations"):
            continue
        for found in source.imports:
            if found.is_of("alembic") and any(map(is_private, found.name.split("."))):
                yield f"{source.module}:{found.line} imports {found.name}"
        for name, line in source.attributes:
            if name in theirs and name not in source.own_names:
                yield f"{source.module}:{line} uses Alembic's {name}"


def files_say_what_they_are(paths: Iterable[Path]) -> Iterator[str]:
    """A drawer for everything is where things get lost."""
    return (
        f"{path} has a name that says nothing" for path in paths if path.name in FORBIDDEN_FILES
    )


def files_are_short(paths: Iterable[Path]) -> Iterator[str]:
    """Files stay within `MOST_LINES` lines; generated revisions are as long as they are."""
    for path in paths:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > MOST_LINES and path.parent.name != "versions":
            yield f"{path} has {lines} lines, more than {MOST_LINES}"


def _room(module: str) -> str:
    if not module.startswith(f"{ROOMS}."):
        return ""
    return module.removeprefix(f"{ROOMS}.").split(".")[0]


def _imports(
    sources: Iterable[Source], package: str, is_wrong: Callable[[Source, Import], bool]
) -> Iterator[str]:
    for source in sources:
        if is_in(source.module, package):
            for found in source.imports:
                if is_wrong(source, found):
                    yield f"{source.module}:{found.line} imports {found.name}"
