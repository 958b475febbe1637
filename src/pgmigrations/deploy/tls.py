"""TLS to a database that a secret names: the server's certificate is verified unless said else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pgmigrations.errors import PgMigrationsError

BUNDLE = "rds-global-bundle.pem"
BUNDLE_URL = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
LAYER = Path("/opt")
"""Where a Lambda layer's files are."""


class NoRootCertificates(PgMigrationsError):
    """There is nothing to verify the server's certificate with."""


def tls_parameters(environ: Mapping[str, str]) -> dict[str, str]:
    """The parameters of libpq for a verified connection to RDS.

    `DB_SSLMODE` (else `PGSSLMODE`) is `verify-full` by default, and the certificates are those of
    `PGSSLROOTCERT`, else of `rds-global-bundle.pem` in a layer (`/opt`), in the function's folder
    (`LAMBDA_TASK_ROOT`), else in the working folder.
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html

    Example:
        >>> tls_parameters({"PGSSLROOTCERT": "/etc/rds.pem"})
        {'sslmode': 'verify-full', 'sslrootcert': '/etc/rds.pem'}

    Args:
        environ: The environment.

    Raises:
        NoRootCertificates: There is no such file, and no other `sslmode` is set.
    """
    mode = environ.get("DB_SSLMODE") or environ.get("PGSSLMODE") or ""
    given = environ.get("PGSSLROOTCERT", "")
    if given:
        return {"sslmode": mode or "verify-full", "sslrootcert": given}
    folders = (LAYER, Path(environ.get("LAMBDA_TASK_ROOT") or os.curdir))
    found = next((path for folder in folders if (path := folder / BUNDLE).is_file()), None)
    if found is not None:
        return {"sslmode": mode or "verify-full", "sslrootcert": str(found)}
    if not mode or mode.startswith("verify-"):
        raise NoRootCertificates(
            f"The database's certificate cannot be verified: there is no {BUNDLE} in "
            f"{' or '.join(map(str, folders))}",
            f"Package {BUNDLE_URL} under that name, or set PGSSLROOTCERT to a file of your own; "
            "DB_SSLMODE=require encrypts without verifying, DB_SSLMODE=disable does neither",
        )
    return {"sslmode": mode}
