#!/usr/bin/env bash
# Installs the Debian packages of tools/packages.txt that are missing.
# Usage: tools/install_packages.sh [SECTION ...]     (sections: build, test; default: all)
set -euo pipefail

list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"
wanted=" ${*:-build test} "

fail() {
    echo "install_packages: $*" >&2
    exit 1
}

packages=()
section=""
while read -r word _; do
    case "$word" in
        '' | '#'*) ;;
        '['*']') section="${word:1:-1}" ;;
        *) [[ "$wanted" == *" $section "* ]] && packages+=("$word") ;;
    esac
done <"$list"

command -v dpkg-query >/dev/null ||
    fail "this is not a Debian system: install the packages of tools/packages.txt by hand."

missing=()
for package in "${packages[@]}"; do
    status="$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)"
    [[ "$status" == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ $EUID -ne 0 ]]; then
    command -v sudo >/dev/null ||
        fail "not root and no sudo: ask an administrator to install: ${missing[*]}"
    as_root=(sudo)
    # Without a terminal nobody can answer a password prompt.
    [[ -t 0 ]] || as_root=(sudo -n)
fi

echo "install_packages: installing ${missing[*]}"
"${as_root[@]}" apt-get -o DPkg::Lock::Timeout=600 update -qq ||
    fail "apt-get update failed; these packages are needed: ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install: ${missing[*]}"
