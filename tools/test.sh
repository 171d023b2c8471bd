#!/usr/bin/env bash
# Installs what is missing, builds release, runs every test. Ends with ctest's summary; fails if a test fails.
# Usage: tools/test.sh [ctest argument ...]          e.g. tools/test.sh -R codec
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/install_packages.sh build test
cmake --preset release
cmake --build --preset release
exec ctest --preset release --parallel "$(nproc)" "$@"
