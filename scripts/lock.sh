#!/bin/sh
# Writes the lock files from pyproject.toml; run by `make lock`, needs uv.
#
#   requirements/dev.txt     the newest releases, for Linux and macOS and every supported Python
#   requirements/wheel16.txt the wheel that make test-all takes PostgreSQL 16 from
#   requirements/lowest.txt  the oldest releases that pyproject.toml allows, on the oldest Python
#   requirements/build.txt   what builds the wheel of this project, for images and packages
#   requirements/aws.txt     what a deployment in AWS installs beside that wheel
#   requirements/cdk.txt     dev.txt with CDK and linters, which make cdk installs into an environment of its own
#
# The settings of the machine (indexes, caps, wheel folders) stay out: the lock is the same anywhere.
set -eu
cd "$(dirname "$0")/.."

uv=${UV:-uv}
command -v "$uv" >/dev/null || {
    echo "make lock needs uv, which was not found; set UV=/path/to/uv" >&2
    exit 1
}

compile() {
    output=$1
    shift
    env -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS -u UV_CONSTRAINT \
        "$uv" --no-config --quiet pip compile --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" --output-file "$output" "$@"
}

project="pyproject.toml --extra embedded --group dev"
compile requirements/dev.txt $project "$@"
compile requirements/lowest.txt $project --resolution lowest-direct "$@"
compile requirements/wheel16.txt requirements/wheel16.in --no-deps "$@"
# The same releases as in dev.txt, so that what is deployed is what was tested.
same="--constraint requirements/dev.txt"
compile requirements/build.txt $same --group pyproject.toml:build "$@"
compile requirements/aws.txt pyproject.toml --extra aws $same "$@"
compile requirements/cdk.txt $project --extra cdk --group infra $same "$@"
