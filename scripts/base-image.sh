#!/usr/bin/env bash
# Makes debian:bookworm-slim out of Debian's packages, for machines that reach no image registry.
# usage: base-image.sh <docker or podman> [options of that program …]; wants root and debootstrap
set -euo pipefail

image=debian:bookworm-slim
cache="${XDG_CACHE_HOME:-$HOME/.cache}/claude-hub"
architecture="$(dpkg --print-architecture)"
archive="$cache/bookworm-$architecture.tar"

fail() { echo "base-image: $1" >&2; exit 1; }

[ "$#" -gt 0 ] || fail "name the program that imports the image: docker or podman"
engine=("$@")
if "${engine[@]}" image inspect "$image" >/dev/null 2>&1; then exit 0; fi

if [ ! -f "$archive" ]; then
  [ "$(id -u)" = 0 ] || fail "debootstrap must be run by root"
  command -v debootstrap >/dev/null || fail "debootstrap is missing; run: apt-get install debootstrap"
  # The mirror that this machine itself installs from.
  mirror="$(apt-get indextargets --format '$(SITE) $(CODENAME)' 2>/dev/null | awk '$2 == "bookworm" { print $1; exit }')"
  [ -n "$mirror" ] || fail "apt names no mirror of Debian 12 on this machine"
  mkdir -p "$cache"
  root="$(mktemp -d "$cache/bookworm.XXXXXX")"
  trap 'rm -rf "$root" "$archive.$$"' EXIT
  # As in the image that Docker offers: nobody needs each file on the disk before the next one.
  mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/docker-apt-speedup"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$cache/debootstrap.log" 2>&1 \
    || fail "debootstrap failed, see $cache/debootstrap.log"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  # Whole under its name, or not at all.
  tar -C "$root" --numeric-owner -cf "$archive.$$" .
  mv "$archive.$$" "$archive"
fi
"${engine[@]}" import "$archive" "$image" >/dev/null
