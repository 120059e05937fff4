// SPDX-License-Identifier: MIT
#include "base/diagnostics.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace kiln {

namespace {

std::string line_of(const SourceFile& file, int line) {
    std::size_t begin = 0;
    for (int i = 1; i < line; ++i) {
        begin = file.text.find('\n', begin);
        if (begin == std::string::npos) {
            return {};
        }
        ++begin;
    }
    const std::size_t end = file.text.find('\n', begin);
    return file.text.substr(begin, end == std::string::npos ? end : end - begin);
}

/// Longer lines are cut to these many characters before and from the column on.
constexpr std::size_t kWholeLine = 160;
constexpr std::size_t kShownBefore = 40;
constexpr std::size_t kShownAfter = 80;
/// Names and values that a file gives may be of any length.
constexpr std::size_t kMaxMessage = 500;
constexpr std::size_t kMaxHint = 1000;

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

/// Bytes that the first `count` characters of `text` take up.
std::size_t bytes_of(std::string_view text, std::size_t count) {
    std::size_t i = 0;
    while (i < text.size() && count > 0) {
        i += std::max<std::size_t>(utf8_length(text.substr(i, 4)), 1);
        --count;
    }
    return i;
}

std::string render_source(const SourcePos& pos) {
    if (!pos.file || pos.line == 0) {
        return {};
    }
    std::string line = line_of(*pos.file, pos.line);
    std::replace(line.begin(), line.end(), '\t', ' ');
    const auto column = static_cast<std::size_t>(std::max(pos.column, 1)) - 1;
    const bool is_long = line.size() > kWholeLine;
    const std::size_t skipped = is_long && column > kShownBefore ? column - kShownBefore : 0;
    const std::string_view from = std::string_view(line).substr(bytes_of(line, skipped));
    const std::string_view before = from.substr(0, bytes_of(from, column - skipped));
    std::string_view after = from.substr(before.size());
    const std::size_t shown = is_long ? bytes_of(after, kShownAfter) : after.size();
    const bool is_cut = shown < after.size();
    after = after.substr(0, shown);

    std::string left = (skipped > 0 ? "..." : "") + printable(before);
    const std::size_t pad = count_characters(left) + (column - skipped - count_characters(before));
    const auto length = static_cast<std::size_t>(std::max(pos.length, 1));
    const std::size_t marked =
        count_characters(printable(after.substr(0, bytes_of(after, length))));
    const std::string number = std::to_string(pos.line);
    return fmt::format(
        "  {} | {}{}{}\n  {} | {}^{}\n",
        number,
        left,
        printable(after),
        is_cut ? "..." : "",
        std::string(number.size(), ' '),
        std::string(pad, ' '),
        std::string(std::max<std::size_t>(marked, 1) - 1, '~'));
}

} // namespace

std::string SourcePos::to_string() const {
    const std::string name = file ? file->name : "input";
    return line == 0 ? name : fmt::format("{}:{}:{}", name, line, column);
}

std::string render(const Diagnostic& diagnostic) {
    std::string out = fmt::format(
        "{}: {}: {}\n{}",
        printable(diagnostic.pos.to_string(), kMaxMessage),
        diagnostic.severity == Severity::error ? "error" : "warning",
        printable(diagnostic.message, kMaxMessage),
        render_source(diagnostic.pos));
    if (!diagnostic.hint.empty()) {
        out += fmt::format("hint: {}\n", printable(diagnostic.hint, kMaxHint));
    }
    return out;
}

void Diagnostics::error(SourcePos pos, std::string message, std::string hint) {
    if (!is_full()) {
        constexpr std::size_t kMaxKeptMessage = 4096; // programs that read it get more than people
        if (message.size() > kMaxKeptMessage) {
            message.resize(kMaxKeptMessage);
        }
        all_.push_back({Severity::error, std::move(pos), std::move(message), std::move(hint)});
    }
    ++error_count_;
}

void Diagnostics::warning(SourcePos pos, std::string message, std::string hint) {
    if (warning_count_ < kMaxKept) {
        all_.push_back({Severity::warning, std::move(pos), std::move(message), std::move(hint)});
    }
    ++warning_count_;
}

std::size_t Diagnostics::omitted() const noexcept {
    return error_count_ + warning_count_ - all_.size();
}

std::string Diagnostics::render_all() const {
    std::vector<const Diagnostic*> sorted;
    for (const Diagnostic& diagnostic : all_) {
        sorted.push_back(&diagnostic);
    }
    const auto place = [](const Diagnostic* d) {
        return std::tuple(
            d->pos.file ? std::string_view(d->pos.file->name) : std::string_view(),
            d->pos.line,
            d->pos.column);
    };
    std::stable_sort(sorted.begin(), sorted.end(), [&](const Diagnostic* a, const Diagnostic* b) {
        return place(a) < place(b);
    });
    std::string out;
    for (const Diagnostic* diagnostic : sorted) {
        out += render(*diagnostic);
    }
    if (omitted() > 0) {
        out += fmt::format("... and {} more\n", omitted());
    }
    return out;
}

void Diagnostics::throw_if_errors(std::string_view what) const {
    if (!has_errors()) {
        return;
    }
    std::vector<std::string> lines = split_lines(render_all());
    throw Error(
        fmt::format("{} has {} error{}", what, error_count_, error_count_ == 1 ? "" : "s"),
        ExitCode::invalid_recipe)
        .with_details(std::move(lines));
}

} // namespace kiln
