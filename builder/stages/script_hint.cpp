// SPDX-License-Identifier: MIT
#include "stages/script_hint.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace kiln {

namespace {

/// What programs print without a network: of libc (getaddrinfo, connect), curl, wget, git, apt,
/// pip.
constexpr std::array<std::string_view, 8> kNoNetwork{
    "ould not resolve",
    "unable to resolve",
    "emporary failure in name resolution",
    "emporary failure resolving",
    "Name or service not known",
    "No address associated with hostname",
    "etwork is unreachable",
    "getaddrinfo"};

} // namespace

std::string hint_of_failed_script(const ProcessResult& result) {
    const std::string_view output = result.output;
    if (std::any_of(kNoNetwork.begin(), kNoNetwork.end(), [&](std::string_view words) {
            return output.find(words) != std::string_view::npos;
        })) {
        return "scripts have no network access: add what they download to 'sources', or install it "
               "as a package";
    }
    if (result.stopped.empty() && !result.timed_out && trim(output).empty()) {
        return "the script printed nothing: add 'set -x' as its first line to show each command";
    }
    return {};
}

} // namespace kiln
