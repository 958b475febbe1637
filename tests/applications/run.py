"""Takes one application through everything, within the application's own environment.

python -m tests.applications.run NAME SERVER_URL RUN PROGRAMS OUTCOMES [whole] [edits] [=edit]
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path

from tests.applications.application import applications
from tests.applications.edited import EditedModels
from tests.applications.edits import edits
from tests.applications.outcome import Outcomes
from tests.applications.part import closed_part
from tests.applications.whole import go_through
from tests.support.database import Databases
from tests.support.server import ServerAddress


def main(arguments: list[str]) -> int:
    """Run what is asked for; 0 where all of it holds."""
    name, url, run, programs, path, *wanted = arguments
    application = applications()[name]
    outcomes = Outcomes(Path(path))
    # Where the proof of a revision looks for pg_dump.
    os.environ["PATH"] = os.pathsep.join([programs, os.environ["PATH"]])
    # Those of the application's own code are not ours to mend.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metadata = application.load()
    databases = Databases(ServerAddress(url, None, run))
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if "whole" in wanted:
            try:
                go_through(application, metadata, databases, Path(programs), folder, outcomes)
            except Exception as error:
                failed += 1
                print(f"whole: {type(error).__name__}: {error}", file=sys.stderr)
        only = {one[1:] for one in wanted if one.startswith("=")}
        if "edits" in wanted or only:
            keys = closed_part(metadata)
            tried = EditedModels(
                application, metadata, keys, databases, Path(programs), folder, outcomes
            )
            for edit in edits():
                if only and edit.name not in only:
                    continue
                try:
                    tried.attempt(edit)
                except Exception as error:
                    failed += 1
                    print(f"{edit.name}: {type(error).__name__}: {error}", file=sys.stderr)
    databases.drop_all()
    databases.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
