// SPDX-License-Identifier: MIT
// Any text: the reader either refuses it or gives paragraphs that, written and read again, are the
// same. Versions found on the way must compare equal to themselves.
#include "base/error.hpp"
#include "debian/apt_sources.hpp"
#include "debian/deb822.hpp"
#include "debian/deb_version.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace kiln;

std::string written(const std::vector<Deb822Paragraph>& paragraphs) {
    std::string out;
    for (const Deb822Paragraph& paragraph : paragraphs) {
        out += paragraph.to_string() + "\n";
    }
    return out;
}

void check(bool condition) {
    if (!condition) {
        __builtin_trap();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(parse_apt_list(text));
    try {
        const std::string once = written(parse_deb822(text, "fuzz"));
        check(written(parse_deb822(once, "fuzz")) == once);
        for (const Deb822Paragraph& paragraph : parse_deb822(text, "fuzz")) {
            check(paragraph.fields().size() <= 1000);
            if (const auto version = DebVersion::parse(paragraph.get("Version"))) {
                check(*version == *version);
            }
        }
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): refusing is a fine answer
    }
    try {
        static_cast<void>(parse_apt_sources(text, "fuzz"));
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): refusing is a fine answer
    }
    return 0;
}
