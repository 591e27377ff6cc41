#!/bin/sh
exec "$(dirname "$0")/../../../.ci/fuzz-build" "$1" RADIUS Vocabulary Crypto RADIUS
