#!/bin/sh
# Builds one fuzzer: Tests/Fuzz/build.sh NAME OUTPUT
#
# The first line of Tests/Fuzz/NAME/FuzzNAME.swift names the modules that it needs, in the order
# of their dependencies. Each is compiled here, instrumented. What Engine needs of swift-collections
# is taken as `swift build` has left it, not instrumented.
set -eu
name=$1
output=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

modules=$(sed -n '1s|^// modules: ||p' "$root/Tests/Fuzz/$name/Fuzz$name.swift")
flags="-swift-version 6 -parse-as-library -O -sanitize=fuzzer -package-name weir
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility -I $build -module-cache-path $build/cache"
link=

take_collections() {
    for part in InternalCollectionsUtilities ContainersPreview DequeModule HeapModule; do
        cp "$root/.build/debug/Modules/$part.swiftmodule" "$build/" 2>/dev/null || {
            echo "build.sh: $part is not built; run 'swift build' first" >&2
            exit 1
        }
        ar crs "$build/$part.a" "$root/.build/debug/$part.build/"*.o
        link="$build/$part.a $link"
    done
}

for module in $modules; do
    if [ "$module" = COpenSSL ]; then
        flags="$flags -Xcc -fmodule-map-file=$root/Sources/COpenSSL/module.modulemap $(pkg-config --cflags openssl)"
        link="$link $(pkg-config --libs openssl)"
        continue
    fi
    if [ "$module" = Engine ]; then take_collections; fi
    folder=$root/Sources/$module
    if [ ! -d "$folder" ]; then folder=$root/Tests/$module; fi
    # shellcheck disable=SC2046,SC2086
    swiftc $flags -wmo -module-name "$module" -emit-module \
        -emit-module-path "$build/$module.swiftmodule" -c \
        $(find "$folder" -name '*.swift') -o "$build/$module.o"
    link="$build/$module.o $link"
done
# shellcheck disable=SC2086
swiftc $flags -module-name "Fuzz$name" "$root/Tests/Fuzz/$name/"*.swift $link -o "$output"
