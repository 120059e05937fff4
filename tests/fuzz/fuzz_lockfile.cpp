// SPDX-License-Identifier: MIT
//
// Any text: the reader reports faults in text that a terminal shows, or gives a lock whose paths
// stay where they belong and that is the same when written and read again.
#include "base/text.hpp"
#include "lock/lockfile.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace {

void check(bool condition) {
    if (!condition) {
        __builtin_trap();
    }
}

/// Whether `path` can be joined to a folder and stays below it.
bool stays_below(const std::string& path) {
    const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
    return !normal.empty() && normal.is_relative() && *normal.begin() != "..";
}

void check_lock(const kiln::Lockfile& lock) {
    for (const auto& package : lock.packages) {
        check(stays_below(package.path) && package.package.find('/') == std::string::npos);
        check(package.size > 0 && package.version.find_first_of("/ \n") == std::string::npos);
        check(package.pre_depends.find('\n') == std::string::npos);
    }
    for (const auto& source : lock.sources) {
        check(stays_below(source.name) && !source.location.starts_with('-'));
        check(source.archive.empty() || stays_below(source.location));
    }
    for (const auto& keyring : lock.keyrings) {
        check(stays_below(keyring) && keyring.find('/') == std::string::npos);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kiln;
    const auto read = [](std::string text, Diagnostics& diagnostics) {
        return parse_lockfile(
            std::make_shared<SourceFile>(SourceFile{"fuzz", std::move(text)}), diagnostics);
    };
    Diagnostics diagnostics;
    const Lockfile lock = read(std::string(reinterpret_cast<const char*>(data), size), diagnostics);
    const std::string said = diagnostics.render_all();
    check(printable_lines(said) == said);
    if (!diagnostics.has_errors()) {
        check_lock(lock);
        Diagnostics again;
        if (read(lock.to_text(), again) != lock || again.has_errors()) {
            __builtin_trap();
        }
    }
    return 0;
}
