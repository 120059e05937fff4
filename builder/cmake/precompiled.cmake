# SPDX-License-Identifier: MIT
# The headers of the standard library and of fmt are parsed once for the whole build instead of once a
# file, which halves the compiler's time. Not json.hpp: gcc instantiates its inline functions in every
# file that loads them, which costs the 90 % of files without JSON more than the others save.
# Every file still includes what it uses: -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON builds too.
set(KILN_PRECOMPILED
    <algorithm> <array> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <mutex> <optional>
    <ostream> <set> <span> <sstream> <string> <string_view> <thread> <utility> <vector> <fmt/format.h>)

# kiln_add_precompiled(NAME HEADERS header... [LINK target...]); others take it with REUSE_FROM NAME.
function(kiln_add_precompiled name)
    cmake_parse_arguments(ARG "" "" "HEADERS;LINK" ${ARGN})
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
    if(NOT EXISTS ${source})
        file(WRITE ${source} "")
    endif()
    add_library(${name} OBJECT ${source})
    target_link_libraries(${name} PRIVATE fmt::fmt ${ARG_LINK} kiln_options)
    target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()
