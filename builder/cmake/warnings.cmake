# SPDX-License-Identifier: MIT
# kiln_options: linked PRIVATE by our own targets only, so that libraries' headers are not judged.
#
# gcc 12 warns of overflows in the inlined operations of std::string, which are none, and with precompiled
# headers does so for system headers as well: hence the four exceptions.
add_library(kiln_options INTERFACE)
target_compile_options(kiln_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op
        -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread>
    $<$<BOOL:${KILN_WERROR}>:-Werror>)
target_compile_definitions(kiln_options INTERFACE
    _FILE_OFFSET_BITS=64
    $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
