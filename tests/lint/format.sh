#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C++ file is as clang-format-19 would write it, every script passes shellcheck.
set -eu
cd "$(dirname "$0")/../.."
for program in clang-format-19 shellcheck; do
    command -v "$program" >/dev/null || { echo "skipped: needs $program"; exit 77; }
done
find builder tests -name '*.[ch]pp' -print0 | xargs -0 clang-format-19 --dry-run --Werror
find kiln .ci/run builder/tools tests -type f ! -name '*.py' | while read -r file; do
    case $(head -c 9 "$file") in "#!/bin/sh"*) shellcheck "$file" ;; esac
done
