#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What CI runs: the commands of the README, timed one by one.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
  local start=$SECONDS
  echo "== $*"
  "$@"
  echo "== $* took $((SECONDS - start)) s"
}

step make setup
step make lint
step make demo
step make docs
step make test
step make package
step make bench-check
step make tflite
