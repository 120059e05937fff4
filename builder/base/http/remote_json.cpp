// SPDX-License-Identifier: MIT
#include "base/http/remote_json.hpp"

#include "base/json_object.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace kiln {

namespace {

using Json = nlohmann::ordered_json;

/// `why` loses the name of the library's exception, "[json.exception.type_error.302] ".
Error invalid(const std::string& what, std::string why) {
    const std::size_t name = why.find("[json.exception.");
    const std::size_t end = why.find("] ", std::min(name, why.size()));
    if (end != std::string::npos) {
        why.erase(name, end + 2 - name);
    }
    return remote_error(fmt::format("{} is not valid: {}", what, excerpt(why)));
}

/// The deepest nesting of the text, wrong text included. A parser would keep a node of 100 bytes
/// for every bracket before it is asked anything.
unsigned depth_of(std::string_view text) {
    unsigned depth = 0;
    unsigned deepest = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            deepest = std::max(deepest, ++depth);
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

} // namespace

Error remote_error(std::string message) {
    return Error(std::move(message), ExitCode::remote_refused);
}

void read_remote_json(
    std::string_view text, const std::string& what, const std::function<void(const Json&)>& read) {
    if (depth_of(text) > kDeepestRemoteJson) {
        throw invalid(what, fmt::format("nested deeper than {} levels", kDeepestRemoteJson));
    }
    if (const std::string fault = json_fault(text); !fault.empty()) {
        throw invalid(what, fault);
    }
    try {
        read(Json::parse(text));
    } catch (const Json::exception& error) {
        throw invalid(what, error.what());
    } catch (const Error& error) {
        if (error.exit_code() != ExitCode::failed) {
            throw;
        }
        throw invalid(what, error.message());
    }
}

} // namespace kiln
