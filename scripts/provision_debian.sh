#!/bin/sh
# Installs PostgreSQL with pgvector on Debian, for `make test-all`; run as root; does nothing twice.
#
# PostgreSQL comes from Debian's packages. Where the release has no package of pgvector for it
# (bookworm has none), pgvector is built from the source package of a later release of Debian.
set -eu

later_release=trixie
packages="apt-get install --yes --quiet --no-install-recommends"

newest() {
    ls /usr/lib/postgresql 2>/dev/null | sort -n | tail -n 1
}

has_vector() {
    [ -n "$(newest)" ] && [ -f "/usr/share/postgresql/$(newest)/extension/vector.control" ]
}

if has_vector; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "PostgreSQL with pgvector is not installed; as root on Debian: $0" >&2
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

apt-get update --quiet
if [ -z "$(newest)" ] || [ ! -x "/usr/lib/postgresql/$(newest)/bin/postgres" ]; then
    # The tests start servers of their own; a cluster of the machine's own is not wanted.
    $packages postgresql-common
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/pgmigrations.conf
    $packages postgresql
fi
version=$(newest)

if $packages "postgresql-$version-pgvector" >/dev/null 2>&1 && has_vector; then
    exit 0
fi

# The later release is read from the mirror that this machine uses already, through lists of its
# own: the machine's own package lists stay as they are.
mirror=$(
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources \
        2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1
)
[ -n "$mirror" ] || {
    echo "No mirror of Debian is configured on this machine" >&2
    exit 1
}
mkdir -p "$work/lists/partial" "$work/source"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $later_release main" \
    >"$work/sources.list"
later() {
    apt-get --quiet -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o "Dir::State::Lists=$work/lists" -o APT::Sandbox::User=root "$@"
}

$packages "postgresql-server-dev-$version" dpkg-dev make gcc libc6-dev
later update
cd "$work/source"
later source pgvector
cd pgvector-*/
# No bitcode for the just-in-time compiler, which needs clang; no instructions of this machine only.
config=/usr/lib/postgresql/$version/bin/pg_config
make -s PG_CONFIG="$config" OPTFLAGS= with_llvm=no
make -s PG_CONFIG="$config" with_llvm=no install
has_vector
