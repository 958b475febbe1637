"""The server's certificate is verified, with the name and the authority, unless said else."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from pgmigrations.aws.secrets_manager import SecretsManager
from pgmigrations.deploy.run import deploy
from pgmigrations.deploy.tls import BUNDLE, BUNDLE_URL, NoRootCertificates, tls_parameters
from pgmigrations.deploy.wiring import Wiring
from pgmigrations.embedded import EmbeddedServer
from pgmigrations.run.failure import TlsFailure
from tests.support.certificate import authority, certificate
from tests.support.database import Databases
from tests.support.deployment import Stage, stage
from tests.support.secrets_manager import SecretsServer
from tests.support.server import ServerAddress, data_base, find_tree


@dataclass(frozen=True)
class Trusted:
    """A database behind TLS.

    Attributes:
        made: The database; its host is the name in the certificate.
        root: The authority that has signed it.
        other: One that has not.
        ini: A project.
    """

    made: Stage
    root: Path
    other: Path
    ini: Path

    def wiring(self, environ: Mapping[str, str], host: str = "localhost") -> Wiring:
        """Where a deployment goes, with only these variables for TLS."""
        own = {key: value for key, value in self.made.environ().items() if key != "DB_SSLMODE"}
        name = f"{self.made.migrator_secret}/{os.urandom(4).hex()}"
        fields = self.made.secrets.read(self.made.migrator_secret)
        self.made.secrets.create(name, fields | {"host": host})
        store = SecretsManager(self.made.secrets.client())
        return Wiring.of(self.ini, own | {"DB_SECRET_NAME": name} | dict(environ), store)


@pytest.fixture(scope="module")
def tls_server() -> Iterator[tuple[EmbeddedServer, Path, Path]]:
    """A server with a certificate for localhost; its authority, and another one."""
    try:
        tree = find_tree("debian")
    except LookupError as error:
        pytest.skip(f"no server that knows TLS: {error}")
    folder = Path(tempfile.mkdtemp(prefix="pgmt-tls-", dir=data_base()))
    folder.chmod(0o755)
    data, settings = folder / "data", {"listen_addresses": "127.0.0.1"}
    try:
        # The server's account is known when it has started once.
        with EmbeddedServer(data, tree=tree, settings=settings, throwaway=True) as server:
            socket_dir = server.status().socket_dir
            assert socket_dir
            owner = socket_dir.stat().st_uid
        root, other = authority(folder, "authority"), authority(folder, "other")
        own = certificate(root, "localhost")
        for path in (own.file, own.key):
            shutil.chown(path, owner)
            path.chmod(0o600)
        settings |= {"ssl": "on", "ssl_cert_file": str(own.file), "ssl_key_file": str(own.key)}
        with EmbeddedServer(data, tree=tree, settings=settings, throwaway=True) as server:
            yield server, root.file, other.file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def trusted(
    tmp_path: Path, tls_server: tuple[EmbeddedServer, Path, Path], secrets: SecretsServer
) -> Iterator[Trusted]:
    server, root, other = tls_server
    port = server.status().port
    assert port
    tcp = ("127.0.0.1", port)
    with (
        closing(Databases(ServerAddress(server.url("postgres"), tcp, "pgmt_tls"))) as databases,
        databases.fresh() as url,
        stage(url, tcp, secrets) as made,
    ):
        made.make_secrets()
        project = made.project(tmp_path / "project")
        yield Trusted(made, root, other, project.path / "alembic.ini")


def test_a_deployment_is_encrypted_and_verified_by_default(trusted: Trusted) -> None:
    wiring = trusted.wiring({"PGSSLROOTCERT": str(trusted.root)})
    assert wiring.server.url.libpq["sslmode"] == "verify-full"
    assert deploy(wiring).status == "deployed"
    with closing(wiring.server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT ssl, application_name FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
            "WHERE pid = pg_backend_pid()"
        )
        assert cursor.fetchone() == (True, "pgmigrations deploy")


def test_another_authority_is_refused(trusted: Trusted) -> None:
    wiring = trusted.wiring({"PGSSLROOTCERT": str(trusted.other)})
    with pytest.raises(TlsFailure, match="certificate verify failed"):
        deploy(wiring, wait=0)


def test_another_host_is_refused(trusted: Trusted) -> None:
    wiring = trusted.wiring({"PGSSLROOTCERT": str(trusted.root)}, host="127.0.0.1")
    with pytest.raises(TlsFailure, match="does not match host name"):
        deploy(wiring, wait=0)


def test_the_check_can_be_turned_off(trusted: Trusted) -> None:
    wiring = trusted.wiring({"DB_SSLMODE": "require"}, host="127.0.0.1")
    assert deploy(wiring).status == "deployed"


def test_the_bundle_is_found_in_the_functions_folder(tmp_path: Path) -> None:
    (tmp_path / BUNDLE).write_text("")
    assert tls_parameters({"LAMBDA_TASK_ROOT": str(tmp_path)}) == {
        "sslmode": "verify-full",
        "sslrootcert": str(tmp_path / BUNDLE),
    }


def test_without_a_bundle_it_says_where_to_get_it(tmp_path: Path) -> None:
    for mode in ({}, {"DB_SSLMODE": "verify-ca"}):
        with pytest.raises(NoRootCertificates, match="DB_SSLMODE=require") as caught:
            tls_parameters({"LAMBDA_TASK_ROOT": str(tmp_path), **mode})
        assert BUNDLE_URL in str(caught.value)
    assert tls_parameters({"LAMBDA_TASK_ROOT": str(tmp_path), "PGSSLMODE": "require"}) == {
        "sslmode": "require"
    }
