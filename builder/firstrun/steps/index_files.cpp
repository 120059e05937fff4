// SPDX-License-Identifier: MIT
//
// Step: files that are announced to mirrors before anything writes them.
#include "firstrun/host/locations.hpp"
#include "firstrun/steps/steps.hpp"

#include <array>
#include <string_view>

namespace kiln::firstrun {

namespace {

const fs::path& pumpkings_file() {
    static const fs::path kPath = fs::path(locations::kPub) / "authors/08pumpkings.txt.gz";
    return kPath;
}

/// gzip's answer to nothing: a member of no bytes, without name and time.
constexpr std::array<char, 20> kEmptyGzip{'\x1f', '\x8b', '\x08', '\0',   '\0', '\0', '\0',
                                          '\0',   '\0',   '\x03', '\x03', '\0', '\0', '\0',
                                          '\0',   '\0',   '\0',   '\0',   '\0', '\0'};

} // namespace

Reasons index_files_needed(Context& context) {
    Reasons reasons;
    need_file(context, reasons, pumpkings_file());
    return reasons;
}

void apply_index_files(Context& context) {
    context.host.write_file(
        pumpkings_file(),
        std::string_view(kEmptyGzip.data(), kEmptyGzip.size()),
        owner_of(context.accounts.get("pause")),
        0664);
}

} // namespace kiln::firstrun
