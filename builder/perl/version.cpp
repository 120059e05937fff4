// SPDX-License-Identifier: MIT
#include "perl/version.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace kiln {

namespace {

bool is_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "5" -> 500, "05" -> 50, "0504" -> 50, 400: three decimal digits make one dotted part.
bool add_fraction(std::string fraction, std::vector<std::uint64_t>& parts) {
    constexpr std::size_t kDigits = 3;
    if (!is_digits(fraction)) {
        return false;
    }
    fraction.resize((fraction.size() + kDigits - 1) / kDigits * kDigits, '0');
    for (std::size_t at = 0; at < fraction.size(); at += kDigits) {
        parts.push_back(*parse_unsigned(std::string_view(fraction).substr(at, kDigits)));
    }
    return true;
}

} // namespace

std::optional<PerlVersion> PerlVersion::parse(std::string_view text) {
    std::string clean(trim(text));
    std::erase(clean, '_');
    const bool has_v = clean.starts_with('v');
    const std::vector<std::string> fields = split(has_v ? clean.substr(1) : clean, '.');
    PerlVersion out;
    if (!has_v && fields.size() == 2) {
        const auto whole = parse_unsigned(fields[0].empty() ? "0" : fields[0]);
        if (!whole) {
            return std::nullopt;
        }
        out.parts_.push_back(*whole);
        if (!fields[1].empty() && !add_fraction(fields[1], out.parts_)) {
            return std::nullopt;
        }
        return out;
    }
    for (const std::string& field : fields) {
        const auto number = parse_unsigned(field);
        if (!number) {
            return std::nullopt;
        }
        out.parts_.push_back(*number);
    }
    return out;
}

std::strong_ordering PerlVersion::operator<=>(const PerlVersion& other) const {
    for (std::size_t i = 0; i < std::max(parts_.size(), other.parts_.size()); ++i) {
        const std::uint64_t mine = i < parts_.size() ? parts_[i] : 0;
        const std::uint64_t theirs = i < other.parts_.size() ? other.parts_[i] : 0;
        if (mine != theirs) {
            return mine <=> theirs;
        }
    }
    return std::strong_ordering::equal;
}

std::optional<VersionRange::Condition> VersionRange::parse_condition(std::string_view text) {
    struct Sign {
        std::string_view text;
        Relation relation;
    };

    constexpr std::array<Sign, 6> kSigns{
        {{">=", Relation::at_least},
         {"<=", Relation::at_most},
         {"==", Relation::equal},
         {"!=", Relation::unequal},
         {">", Relation::more},
         {"<", Relation::less}}};
    text = trim(text);
    Relation relation = Relation::at_least;
    for (const Sign& sign : kSigns) {
        if (text.starts_with(sign.text)) {
            relation = sign.relation;
            text = trim(text.substr(sign.text.size()));
            break;
        }
    }
    auto version = PerlVersion::parse(text);
    if (!version) {
        return std::nullopt;
    }
    return Condition{relation, std::move(*version)};
}

std::optional<VersionRange> VersionRange::parse(std::string_view text) {
    VersionRange out;
    const std::string_view trimmed = trim(text);
    if (trimmed.empty() || trimmed == "0" || trimmed == "undef") {
        return out;
    }
    out.text_ = std::string(trimmed);
    for (const std::string& part : split(trimmed, ',')) {
        auto condition = parse_condition(part);
        if (!condition) {
            return std::nullopt;
        }
        out.conditions_.push_back(std::move(*condition));
    }
    return out;
}

bool VersionRange::holds(const PerlVersion& version) const {
    return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
        const auto order = version <=> condition.version;
        switch (condition.relation) {
        case Relation::at_least:
            return order >= 0;
        case Relation::more:
            return order > 0;
        case Relation::at_most:
            return order <= 0;
        case Relation::less:
            return order < 0;
        case Relation::equal:
            return order == 0;
        default:
            return order != 0;
        }
    });
}

} // namespace kiln
