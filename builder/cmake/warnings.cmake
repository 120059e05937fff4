# SPDX-License-Identifier: MIT
# kiln_options: linked PRIVATE by our own targets only, so that libraries' headers are not judged.
add_library(kiln_options INTERFACE)
target_compile_options(kiln_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
    $<$<BOOL:${KILN_WERROR}>:-Werror>)
target_compile_definitions(kiln_options INTERFACE
    _FILE_OFFSET_BITS=64
    $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
