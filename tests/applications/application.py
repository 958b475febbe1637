"""Which applications: their data file, and the virtual environment that each is given."""

from __future__ import annotations

import importlib
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData

from tests.applications.part import copied

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENTS = ROOT / ".servers" / "applications"


@dataclass(frozen=True)
class Application:
    """One application.

    Attributes:
        name: What the tables of results call it, and its folder and lock file.
        python: The version of Python that it is installed for, such as `3.12`.
        metadata: Where its models are, as `module:attribute.attribute`.
        imports: Modules to import before, so that every model is there.
        modules: Package, pattern of file names: the modules to import before, wherever they are in
            the package.
        calls: Functions without arguments that import more, as `module:function`.
        environment: Variables that it wants to be set while it is imported.
        extensions: What its `create_all()` expects the database to have.
        listeners: Whether its `create_all()` makes tables and what belongs to them only; where it
            also makes views or triggers by listeners, the models are taken without those.
    """

    name: str
    python: str
    metadata: str
    imports: tuple[str, ...] = ()
    modules: tuple[str, str] | tuple[()] = ()
    calls: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    listeners: bool = True

    @property
    def lock(self) -> Path:
        """Its pinned requirements, the application's first."""
        return HERE / "requirements" / f"{self.name}.txt"

    @property
    def release(self) -> str:
        """The pinned application, such as `mbdata==31.0.1`."""
        return self.lock.read_text(encoding="utf-8").splitlines()[0]

    def load(self) -> MetaData:
        """Import the models in this process, which must be the application's own."""
        os.environ.update(self.environment)
        for module in (*self.imports, *self._found_modules()):
            importlib.import_module(module)
        for call in self.calls:
            _named(call)()
        found = _named(self.metadata)
        assert isinstance(found, MetaData)
        # A copy has no listeners.
        return found if self.listeners else copied(found, [*found.tables])

    def _found_modules(self) -> Iterator[str]:
        if self.modules:
            package, pattern = self.modules
            (folder,) = map(Path, importlib.import_module(package).__path__)
            for file in sorted(folder.rglob(pattern)):
                yield ".".join([package, *file.relative_to(folder).with_suffix("").parts])

    def provide(self, python: str) -> Path:
        """Make its virtual environment, unless it is up to date.

        Only what the models import is installed, all of it pinned in the lock file.

        Args:
            python: An interpreter of the right version.

        Returns:
            The environment's interpreter.
        """
        folder = ENVIRONMENTS / self.name
        stamp = folder / ".installed"
        wanted = f"{ROOT}\n{self.lock.read_text(encoding='utf-8')}"
        interpreter = folder / "bin" / "python"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return interpreter
        pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([*pip, "--requirement", str(self.lock)], check=True)
        tools = ["--no-build-isolation", "--editable", str(ROOT)]
        subprocess.run([*pip, *tools], check=True)
        stamp.write_text(wanted, encoding="utf-8")
        return interpreter


def _named(path: str) -> Any:
    module, _, attributes = path.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in attributes.split("."):
        found = getattr(found, attribute)
    return found


def applications() -> dict[str, Application]:
    """Read the data file."""
    with (HERE / "applications.toml").open("rb") as file:
        found = tomllib.load(file)
    return {name: Application(name, **_fields(values)) for name, values in found.items()}


def _fields(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
