"""Stacks with `DatabaseMigration`, synthesized; imported only where CDK and Node are there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from infra.app import build
from infra.database_migration import DatabaseMigration
from infra.package import ImagePackage, Package
from tests.infra.resources import Resources


class Small(Stack):
    """A database that exists already, whose secrets are looked up or made; nothing more.

    Args:
        app: What it belongs to.
        key: Whether the secrets have a key of their own.
        by_name: Whether the secrets are looked up by their names.
        foreign_rotation: Whether AWS's own rotation is put on a secret, too.
        options: Given to `DatabaseMigration`.
    """

    def __init__(
        self,
        app: App | None = None,
        *,
        key: bool = False,
        by_name: bool = False,
        foreign_rotation: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(app or App(), "Small")
        vpc = ec2.Vpc(self, "Vpc", max_azs=2, nat_gateways=1)
        database = rds.DatabaseInstance(
            self,
            "Database",
            engine=rds.DatabaseInstanceEngine.POSTGRES,
            vpc=vpc,
            storage_encrypted=True,
        )
        self.key = kms.Key(self, "Key") if key else None
        secrets = [self._secret(name, by_name) for name in ("Migrator", "User", "TableCreator")]
        self.migration = DatabaseMigration(
            self,
            "Migration",
            vpc=vpc,
            database=database,
            migrator_secret=secrets[0],
            user_secret=secrets[1],
            table_creator_secret=secrets[2],
            **options,
        )
        if foreign_rotation:
            database.add_rotation_multi_user("Foreign", secret=secrets[1])

    def _secret(self, name: str, by_name: bool) -> secretsmanager.ISecret:
        if by_name:
            return secretsmanager.Secret.from_secret_name_v2(self, name, name)
        return secretsmanager.Secret(self, name, encryption_key=self.key)


def _template(stack: Stack) -> dict[str, Any]:
    return dict(Template.from_stack(stack).to_json())


def small(**options: Any) -> Resources:
    """Synthesize `Small`."""
    return Resources(_template(Small(**options)))


def minutes(number: int) -> Duration:
    """So many minutes."""
    return Duration.minutes(number)


def monthly() -> Duration:
    """Thirty days."""
    return Duration.days(30)


def example(context: dict[str, str] | None = None) -> Resources:
    """Synthesize the example's app with a context."""
    return Resources(_template(build(App(context=context))))


def example_with(package: Package) -> Resources:
    """Synthesize the migration of a small stack with a package."""
    return small(package=package)


def staged_image(project: Path) -> Path:
    """The folder that CDK would give to `docker build` for a project."""
    app = App(outdir=tempfile.mkdtemp())
    stack = Stack(app, "Image")
    ImagePackage(project=project).code(stack).code.bind(stack)
    assembly = Path(app.synth().directory)
    (asset,) = [path for path in assembly.glob("asset.*") if path.is_dir()]
    return asset


def of_text(text: str, name: str) -> Resources:
    """Synthesize a stack whose class is written in a page, with the imports that it leaves out."""
    known: dict[str, Any] = {
        "Stack": Stack,
        "Duration": Duration,
        "DatabaseMigration": DatabaseMigration,
        "ec2": ec2,
        "rds": rds,
        "secretsmanager": secretsmanager,
        "sns": sns,
    }
    exec(text, known)
    return Resources(_template(known[name](App(), "Page")))


def staged_framework() -> Path:
    """The folder of the code that CDK puts between CloudFormation and the function."""
    app = App(outdir=tempfile.mkdtemp())
    Small(app)
    (code,) = Path(app.synth().directory).glob("asset.*/framework.js")
    return code.parent
