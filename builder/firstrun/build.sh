#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the static first-run program that goes into images, with g++ alone.
#
#     build.sh SOURCE_ROOT OUTPUT_DIR
#
# SOURCE_ROOT holds base/ and firstrun/. Needs g++, libfmt-dev, libyaml-cpp-dev, nlohmann-json3-dev
# and libcrypt-dev. $JOBS is the number of compilers at once (1). The result, OUTPUT_DIR/first-run,
# depends on the sources and the compiler only.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: build.sh SOURCE_ROOT OUTPUT_DIR" >&2
    exit 2
fi
source_root=$(cd "$1" && pwd)
mkdir -p "$2"
output=$(cd "$2" && pwd)
objects=$output/objects
mkdir -p "$objects"

# REPRO: no path and no time of the build gets into the program.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
LC_ALL=C.UTF-8
TZ=UTC
export SOURCE_DATE_EPOCH LC_ALL TZ source_root objects

base='environment error interrupt io/directory io/file io/stream process/process text'
for name in $base; do
    printf '%s\n' "base/$name"
done >"$objects/sources"
# Debian has no static libfmt: firstrun/static/ holds what would be in it.
(cd "$source_root" && LC_ALL=C ls firstrun/*/*.cpp) | sed 's/\.cpp$//' >>"$objects/sources"

# shellcheck disable=SC2016
xargs -n 1 -P "${JOBS:-1}" sh -c '
    object=$objects/$(printf %s "$1" | tr / _).o
    exec ${CXX:-g++} -std=c++20 -O2 -DNDEBUG -D_FILE_OFFSET_BITS=64 \
        -Wall -Wextra -fPIE -ffunction-sections -fdata-sections \
        -ffile-prefix-map="$source_root"=. -frandom-seed="$1" \
        -I "$source_root" -c "$source_root/$1.cpp" -o "$object"
' compile <"$objects/sources"

# In the order of the list, whatever order they were compiled in.
set --
while read -r name; do
    set -- "$@" "$objects/$(printf %s "$name" | tr / _).o"
done <"$objects/sources"
${CXX:-g++} -static -O2 -Wl,--gc-sections -Wl,--build-id=none -Wl,-s \
    -o "$output/first-run" "$@" -lyaml-cpp -lcrypt
rm -r "$objects"
