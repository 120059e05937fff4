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

std::string render_source(const SourcePos& pos) {
    if (!pos.file || pos.line == 0) {
        return {};
    }
    std::string line = line_of(*pos.file, pos.line);
    std::replace(line.begin(), line.end(), '\t', ' ');
    const auto column = static_cast<std::size_t>(std::max(pos.column, 1));
    const std::size_t room = line.size() >= column ? line.size() - column + 1 : 1;
    const std::size_t length = std::clamp<std::size_t>(
        static_cast<std::size_t>(std::max(pos.length, 1)), 1, std::max<std::size_t>(room, 1));
    const std::string number = std::to_string(pos.line);
    return fmt::format(
        "  {} | {}\n  {} | {}^{}\n",
        number,
        line,
        std::string(number.size(), ' '),
        std::string(column - 1, ' '),
        std::string(length - 1, '~'));
}

} // namespace

std::string SourcePos::to_string() const {
    const std::string name = file ? file->name : "input";
    return line == 0 ? name : fmt::format("{}:{}:{}", name, line, column);
}

std::string render(const Diagnostic& diagnostic) {
    std::string out = fmt::format(
        "{}: {}: {}\n{}",
        diagnostic.pos.to_string(),
        diagnostic.severity == Severity::error ? "error" : "warning",
        diagnostic.message,
        render_source(diagnostic.pos));
    if (!diagnostic.hint.empty()) {
        out += fmt::format("hint: {}\n", diagnostic.hint);
    }
    return out;
}

void Diagnostics::error(SourcePos pos, std::string message, std::string hint) {
    all_.push_back({Severity::error, std::move(pos), std::move(message), std::move(hint)});
    ++error_count_;
}

void Diagnostics::warning(SourcePos pos, std::string message, std::string hint) {
    all_.push_back({Severity::warning, std::move(pos), std::move(message), std::move(hint)});
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
    return out;
}

void Diagnostics::throw_if_errors(std::string_view what) const {
    if (!has_errors()) {
        return;
    }
    std::vector<std::string> lines = split_lines(render_all());
    throw Error(
        fmt::format("{} has {} fault{}", what, error_count_, error_count_ == 1 ? "" : "s"),
        ExitCode::invalid_recipe)
        .with_details(std::move(lines));
}

} // namespace kiln
