"""Certificates of an authority of the test's own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """Files of one certificate, PEM.

    Attributes:
        file: The certificate.
        key: Its private key.
    """

    file: Path
    key: Path


def authority(folder: Path, name: str) -> Certificate:
    """Make an authority.

    Args:
        folder: Where its files are put.
        name: What they are called.
    """
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    _openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-keyout", str(made.key), "-out", str(made.file)),
        *("-addext", "basicConstraints=critical,CA:TRUE"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    return made


def certificate(signer: Certificate, host: str) -> Certificate:
    """Make a server's certificate.

    Args:
        signer: The authority.
        host: The server's name.
    """
    folder = signer.file.parent
    made = Certificate(folder / f"{host}.pem", folder / f"{host}.key")
    request, extra = folder / f"{host}.csr", folder / f"{host}.ext"
    # Python 3.13 is strict about what a certificate has to say.
    extra.write_text(
        f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    _openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}"),
        *("-keyout", str(made.key), "-out", str(request)),
    )
    _openssl(
        *("x509", "-req", "-days", "2", "-in", str(request), "-CA", str(signer.file)),
        *("-CAkey", str(signer.key), "-CAcreateserial"),
        *("-extfile", str(extra), "-out", str(made.file)),
    )
    return made


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)
