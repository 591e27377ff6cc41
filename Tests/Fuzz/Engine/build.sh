#!/bin/sh
exec "$(dirname "$0")/../../../.ci/fuzz-build" "$1" Engine Vocabulary Wire Crypto ESP Engine LoadTest TestKit
