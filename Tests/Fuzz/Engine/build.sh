#!/bin/sh
# Builds the fuzzer of the engine: Tests/Fuzz/Engine/build.sh OUTPUT
#
# Unlike the others it needs OpenSSL and swift-collections. Our modules are compiled here,
# instrumented; what the engine needs of swift-collections is taken as `swift build` has left it.
set -eu
output=$1
root=$(cd "$(dirname "$0")/../../.." && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

# Each after those that it needs.
modules="Vocabulary Wire Crypto ESP Engine LoadTest TestKit"
flags="-swift-version 6 -parse-as-library -O -sanitize=fuzzer,address -use-ld=lld
    -package-name weir -enable-upcoming-feature ExistentialAny
    -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility -I $build -module-cache-path $build/cache
    -Xcc -fmodule-map-file=$root/Sources/COpenSSL/module.modulemap $(pkg-config --cflags openssl)"
link=$(pkg-config --libs openssl)

for part in InternalCollectionsUtilities ContainersPreview DequeModule HeapModule; do
    cp "$root/.build/debug/Modules/$part.swiftmodule" "$build/" 2>/dev/null || {
        echo "build.sh: $part is not built; run 'swift build' first" >&2
        exit 1
    }
    ar crs "$build/$part.a" "$root/.build/debug/$part.build/"*.o
    link="$build/$part.a $link"
done

for module in $modules; do
    folder=$root/Sources/$module
    if [ ! -d "$folder" ]; then folder=$root/Tests/$module; fi
    # TestKit takes one function of it; the rest needs sockets.
    if [ "$module" = LoadTest ]; then folder=$folder/InnerPacket.swift; fi
    # shellcheck disable=SC2046,SC2086
    swiftc $flags -wmo -module-name "$module" -emit-module \
        -emit-module-path "$build/$module.swiftmodule" -c \
        $(find "$folder" -name '*.swift') -o "$build/$module.o"
    link="$build/$module.o $link"
done
# shellcheck disable=SC2086
swiftc $flags -module-name FuzzEngine "$root/Tests/Fuzz/Engine/FuzzEngine.swift" $link -o "$output"
