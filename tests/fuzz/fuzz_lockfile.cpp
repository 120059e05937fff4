// SPDX-License-Identifier: MIT
// Any text: the reader reports faults, or gives a lock that is the same when written and read
// again.
#include "formats/lockfile.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kiln;
    const auto read = [](std::string text, Diagnostics& diagnostics) {
        return parse_lockfile(
            std::make_shared<SourceFile>(SourceFile{"fuzz", std::move(text)}), diagnostics);
    };
    Diagnostics diagnostics;
    const Lockfile lock = read(std::string(reinterpret_cast<const char*>(data), size), diagnostics);
    static_cast<void>(diagnostics.render_all());
    if (!diagnostics.has_errors()) {
        Diagnostics again;
        if (read(lock.to_text(), again) != lock || again.has_errors()) {
            __builtin_trap();
        }
    }
    return 0;
}
