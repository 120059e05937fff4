// SPDX-License-Identifier: MIT
#include "lock/request_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

namespace kiln {

namespace {

/// "package perl" -> "package", "perl".
struct Saying {
    std::string_view what;
    std::string_view value;
};

Saying split_saying(std::string_view text) {
    const std::size_t space = text.find(' ');
    return space == std::string_view::npos ? Saying{text, {}}
                                           : Saying{text.substr(0, space), text.substr(space + 1)};
}

std::string words_of(const Saying& saying) {
    return saying.value.empty() ? std::string(saying.what)
                                : fmt::format("{} '{}'", saying.what, saying.value);
}

/// What `texts` say that `others` do not, in order, by what it is.
std::map<std::string_view, std::vector<Saying>>
only_in(const std::vector<std::string>& texts, const std::vector<std::string>& others) {
    std::map<std::string_view, std::vector<Saying>> out;
    for (const std::string& text : texts) {
        if (std::find(others.begin(), others.end(), text) == others.end()) {
            const Saying saying = split_saying(text);
            out[saying.what].push_back(saying);
        }
    }
    return out;
}

void compare_part(
    const RequestPart& before, const RequestPart& after, std::vector<std::string>& out) {
    const std::size_t known = out.size();
    auto gone = only_in(before.says, after.says);
    for (const auto& [what, added] : only_in(after.says, before.says)) {
        const auto old = gone.find(what);
        if (old != gone.end() && old->second.size() == 1 && added.size() == 1) {
            out.push_back(fmt::format(
                "{}: {} changed from '{}' to '{}'",
                after.part,
                what,
                old->second.front().value,
                added.front().value));
            gone.erase(old);
            continue;
        }
        for (const Saying& saying : added) {
            out.push_back(fmt::format("{}: {} was added", after.part, words_of(saying)));
        }
    }
    for (const auto& [what, removed] : gone) {
        for (const Saying& saying : removed) {
            out.push_back(fmt::format("{}: {} was removed", after.part, words_of(saying)));
        }
    }
    if (out.size() == known && before.says != after.says) {
        out.push_back(fmt::format("{}: the order changed", after.part));
    }
}

std::map<std::string_view, const RequestPart*> by_name(const std::vector<RequestPart>& parts) {
    std::map<std::string_view, const RequestPart*> out;
    for (const RequestPart& part : parts) {
        out.emplace(part.part, &part);
    }
    return out;
}

} // namespace

std::vector<std::string> describe_request_changes(
    const std::vector<RequestPart>& before, const std::vector<RequestPart>& after) {
    std::vector<std::string> out;
    const auto old = by_name(before);
    const auto now = by_name(after);
    for (const RequestPart& part : after) {
        if (const auto found = old.find(part.part); found == old.end()) {
            out.push_back(fmt::format("{} was added", part.part));
        } else {
            compare_part(*found->second, part, out);
        }
    }
    for (const RequestPart& part : before) {
        if (!now.contains(part.part)) {
            out.push_back(fmt::format("{} was removed", part.part));
        }
    }
    if (out.empty() && before != after) {
        out.emplace_back("the order of archives or stages changed");
    }
    return out;
}

} // namespace kiln
