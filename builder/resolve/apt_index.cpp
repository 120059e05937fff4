// SPDX-License-Identifier: MIT
#include "resolve/apt_index.hpp"

#include "base/io/file.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace kiln {

namespace {

/// Debian's largest index is a tenth of it.
constexpr std::uint64_t kMaxIndexBytes = std::uint64_t{1} << 30U;

} // namespace

void AptIndex::load(const std::filesystem::path& file, std::size_t archive) {
    texts_.push_back(std::make_unique<const std::string>(read_text_file(file, kMaxIndexBytes)));
    const std::string_view text = *texts_.back();
    Deb822Reader reader(text, file.string());
    Deb822View view;
    std::size_t begin = 0;
    while (reader.next(view)) {
        add(view, text.substr(begin, reader.offset() - begin), archive);
        begin = reader.offset();
    }
}

void AptIndex::add(const Deb822View& view, std::string_view raw, std::size_t archive) {
    const std::string_view name = view.get("Package");
    packages_[name].push_back({archive, view.get("Version"), raw});
    if (view.get("Essential") == "yes") {
        essential_.emplace_back(name);
    }
    const std::string_view provides = view.get("Provides");
    if (provides.empty()) {
        return;
    }
    for (const std::string& each : split(provides, ',')) {
        // "name (= 1.2)"
        const std::string_view provided = trim(each);
        provided_.emplace(provided.substr(0, provided.find_first_of(" \t\n(:")));
    }
}

bool AptIndex::knows(std::string_view name) const {
    return packages_.contains(name) || provided_.contains(std::string(name));
}

std::optional<AptIndex::Found>
AptIndex::find(std::string_view name, std::string_view version) const {
    const auto places = packages_.find(name);
    if (places == packages_.end()) {
        return std::nullopt;
    }
    const Place* best = nullptr;
    for (const Place& place : places->second) {
        if (place.version == version && (best == nullptr || place.archive < best->archive)) {
            best = &place;
        }
    }
    if (best == nullptr) {
        return std::nullopt;
    }
    return Found{best->archive, parse_deb822(best->paragraph, "index").front()};
}

std::vector<AptIndex::Found> AptIndex::all(std::string_view name) const {
    std::vector<Found> out;
    const auto places = packages_.find(name);
    if (places != packages_.end()) {
        for (const Place& place : places->second) {
            out.push_back({place.archive, parse_deb822(place.paragraph, "index").front()});
        }
    }
    return out;
}

std::vector<std::string_view> AptIndex::names() const {
    std::vector<std::string_view> out;
    out.reserve(packages_.size());
    for (const auto& [name, places] : packages_) {
        out.push_back(name);
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::string> AptIndex::essential() const {
    std::vector<std::string> out = essential_;
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

} // namespace kiln
