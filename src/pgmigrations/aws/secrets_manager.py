"""Logins in AWS Secrets Manager."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from pgmigrations.deploy.secret import Secret, SecretStoreFailure, Version

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
_NOT_FOUND = "ResourceNotFoundException"
_HINTS = {
    "AccessDeniedException": "Allow the role secretsmanager:GetSecretValue, PutSecretValue and "
    "UpdateSecretVersionStage on this secret, and kms:Decrypt and GenerateDataKey on its key",
    _NOT_FOUND: "Create it, or correct its name in the environment",
    "DecryptionFailure": "Allow the role kms:Decrypt on the secret's key",
}


class Client(Protocol):
    """The part of boto3's client that is used."""

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, Any]:  # noqa: N803
        """Read a version."""
        ...

    def put_secret_value(
        self,
        *,
        SecretId: str,  # noqa: N803
        ClientRequestToken: str,  # noqa: N803
        SecretString: str,  # noqa: N803
        VersionStages: list[str],  # noqa: N803
    ) -> dict[str, Any]:
        """Add a version."""
        ...

    def update_secret_version_stage(self, **arguments: str) -> dict[str, Any]:
        """Move a stage from one version to another."""
        ...


def secrets_manager_client() -> Client:
    """A client with short timeouts and a few retries.

    The region and the credentials are those of the environment, as in a Lambda function;
    `AWS_ENDPOINT_URL_SECRETS_MANAGER` names another endpoint, such as that of a VPC.

    Raises:
        SecretStoreFailure: boto3 is not installed, or no region is named.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise SecretStoreFailure(
            "boto3 is not installed", "Run: pip install 'alembic-pgmigrations[aws]'"
        ) from None
    # At DEBUG it writes what it sends and gets, secrets included.
    for logger in map(logging.getLogger, ("boto3", "botocore", "urllib3")):
        logger.setLevel(max(logger.getEffectiveLevel(), logging.INFO))
    # Short enough for another try within the shortest limit of a function.
    limits = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard"})
    try:
        made: Client = boto3.client("secretsmanager", config=limits)
    except BotoCoreError as error:
        raise SecretStoreFailure(
            f"No client for Secrets Manager: {error}", "Set AWS_REGION", reason=type(error).__name__
        ) from None
    return made


class SecretsManager:
    """Keeps logins in Secrets Manager: current is `AWSCURRENT`, pending is `AWSPENDING`.

    Every call names its stage. A version keeps `AWSPENDING` when it becomes current, as after a
    rotation by AWS's own functions, so that one call tells that no rotation is under way.

    Args:
        client: boto3's client; by default one is made when it is first needed.
    """

    def __init__(self, client: Client | None = None) -> None:
        self._client = client

    @property
    def client(self) -> Client:
        """The client, made at its first use and kept: making one takes longer than a call."""
        if self._client is None:
            self._client = secrets_manager_client()
        return self._client

    def current(self, name: str) -> Version | None:
        """The version staged `AWSCURRENT`; None where the secret has no value yet.

        Raises:
            SecretUnusable: It is no JSON object.
            SecretStoreFailure: Secrets Manager refuses.
        """
        return self._version(name, CURRENT)

    def pending(self, name: str) -> Version | None:
        """The version staged `AWSPENDING`; None where there is none, or it has no value yet.

        One that is staged `AWSPREVIOUS`, too, has been current, and somebody has gone back.
        """
        return self._version(name, PENDING, unless=PREVIOUS)

    def put_pending(self, name: str, secret: Secret, token: str) -> str:
        """Add a version staged `AWSPENDING`, which takes the stage from any other.

        Args:
            name: Name or ARN of the secret.
            secret: The login.
            token: The version's id; 32 to 64 characters.
        """
        with _explained(name):
            self.client.put_secret_value(
                SecretId=name,
                ClientRequestToken=token,
                SecretString=secret.text,
                VersionStages=[PENDING],
            )
        return token

    def promote(self, name: str, version: str, current: str) -> None:
        """Move `AWSCURRENT`; Secrets Manager then stages the old one `AWSPREVIOUS` by itself."""
        if not current:
            # The first version of a secret gets AWSCURRENT whatever stage is asked for.
            found = self.current(name)
            if found is not None and found.id == version:
                return
        source = {"RemoveFromVersionId": current} if current else {}
        try:
            with _explained(name):
                self.client.update_secret_version_stage(
                    SecretId=name, VersionStage=CURRENT, MoveToVersionId=version, **source
                )
        except SecretStoreFailure:
            # Where the answer was lost, the client has asked once more for what was done by then.
            found = self.current(name)
            if found is None or found.id != version:
                raise

    def _version(self, name: str, stage: str, unless: str = "") -> Version | None:
        from botocore.exceptions import ClientError

        with _explained(name):
            try:
                found = self.client.get_secret_value(SecretId=name, VersionStage=stage)
            except ClientError as error:
                # Also where there is no such secret, which writing to it tells.
                if _code(error) == _NOT_FOUND:
                    return None
                raise
        if unless in found["VersionStages"]:
            return None
        created: datetime | None = found.get("CreatedDate")
        secret = Secret.parse(found.get("SecretString") or "", name)
        return Version(found["VersionId"], secret, created, PENDING in found["VersionStages"])


@contextmanager
def _explained(name: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _failure(name, error) from None
    except BotoCoreError as error:
        raise _unreachable(name, error) from None


def _failure(name: str, error: ClientError) -> SecretStoreFailure:
    code = _code(error)
    said = " ".join(str(error.response.get("Error", {}).get("Message") or code).split())
    return SecretStoreFailure(
        f"Secrets Manager refuses the secret {name}: {said.rstrip('.')} ({code})",
        _HINTS.get(code, ""),
        reason=code,
    )


def _unreachable(name: str, error: BotoCoreError) -> SecretStoreFailure:
    return SecretStoreFailure(
        f"Secrets Manager cannot be asked for the secret {name}: {str(error).rstrip('.')}",
        "In a VPC it needs an interface endpoint or a NAT gateway, and the function a role",
        reason=type(error).__name__,
    )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
