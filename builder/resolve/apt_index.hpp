// SPDX-License-Identifier: MIT
//
// The Packages or Sources indices of a private apt directory, in memory: which packages there are,
// and the paragraph of a version that apt chose.
#pragma once

#include "debian/deb822.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace kiln {

class AptIndex {
  public:
    struct Found {
        std::size_t archive = 0; ///< what load() was given for the file
        Deb822Paragraph paragraph;
    };

    /// Adds a Packages or a Sources file. Throws Error on bad syntax.
    void load(const std::filesystem::path& file, std::size_t archive);

    /// A real package, or one that another provides.
    [[nodiscard]] bool knows(std::string_view name) const;
    /// The version in the archive with the lowest number that has it.
    [[nodiscard]] std::optional<Found> find(std::string_view name, std::string_view version) const;
    /// All versions in all archives, in the order of loading.
    [[nodiscard]] std::vector<Found> all(std::string_view name) const;
    /// Names of all real packages, sorted; views into the index.
    [[nodiscard]] std::vector<std::string_view> names() const;
    /// Sorted names of all packages that are marked Essential in some archive.
    [[nodiscard]] std::vector<std::string> essential() const;

  private:
    struct Place {
        std::size_t archive;
        std::string_view version;
        std::string_view paragraph; ///< raw text
    };

    void add(const Deb822View& view, std::string_view raw, std::size_t archive);

    std::vector<std::unique_ptr<const std::string>> texts_;
    // Never iterated in an order that shows: names() sorts.
    std::unordered_map<std::string_view, std::vector<Place>> packages_;
    std::unordered_set<std::string> provided_;
    std::vector<std::string> essential_;
};

} // namespace kiln
