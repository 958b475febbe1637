"""The CDK app of the example: `cd infra && npx aws-cdk@2 deploy`.

The context `package=zip` takes the zips of `python -m scripts.package_lambda` instead of an image.
"""

from __future__ import annotations

import sys

from aws_cdk import App

from infra.example_stack import ExampleStack
from infra.package import ImagePackage, Package, ZipPackage
from pgmigrations.errors import PgMigrationsError

PACKAGES: dict[str, type[Package]] = {"image": ImagePackage, "zip": ZipPackage}


class UnknownPackage(PgMigrationsError):
    """The context names a package that there is not."""


def build(app: App) -> ExampleStack:
    """Add the example's stack to an app.

    Args:
        app: Its context `package` is `image` (default) or `zip`.

    Raises:
        UnknownPackage: The context names another.
    """
    chosen = str(app.node.try_get_context("package") or "image")
    if chosen not in PACKAGES:
        raise UnknownPackage(f"package={chosen} is not known", f"Known: {', '.join(PACKAGES)}")
    return ExampleStack(app, "PgmigrationsExample", package=PACKAGES[chosen]())


if __name__ == "__main__":
    example = App()
    try:
        build(example)
    except PgMigrationsError as error:
        sys.exit(str(error))
    example.synth()
