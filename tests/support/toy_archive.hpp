// SPDX-License-Identifier: MIT
//
// A signed Debian archive made on the spot: real .deb files, Packages, Release, InRelease, and a
// key of its own.
#pragma once

#include "base/io/file.hpp"
#include "base/process/process.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace kiln::test {

/// A package to be made; `fields` are further control fields ("Depends", "Essential").
struct ToyPackage {
    std::string name;
    std::string version = "1.0";
    std::map<std::string, std::string> fields = {};
    std::map<std::string, std::string> files = {}; ///< relative path to content
};

class ToyArchive {
  public:
    /// Makes a key pair; throws ProcessError when gpg or dpkg-deb is missing.
    explicit ToyArchive(std::filesystem::path root);
    ToyArchive(const ToyArchive&) = delete;
    ToyArchive& operator=(const ToyArchive&) = delete;
    ~ToyArchive();

    /// Builds the .deb below pool/ and puts it into the suite's index. Architecture is "all" unless
    /// a field says otherwise.
    void add(const std::string& suite, const ToyPackage& package);
    /// Puts a source package into the suite's index of sources: "NAME_UPSTREAM.orig.tar.gz" with
    /// `content`, below pool/, beside a .dsc that is named only.
    void add_source(
        const std::string& suite,
        const std::string& name,
        const std::string& version,
        const std::string& content);
    /// Takes it out of the suite's index, and its file out of the pool.
    void remove(const std::string& suite, const std::string& name);
    /// Writes and signs the indices of every suite.
    void publish(const std::string& date = "Sat, 09 May 2026 09:47:45 UTC");

    /// Adds "Valid-Until" to the Release files that are written from now on.
    void expire(std::string date) { valid_until_ = std::move(date); }

    /// Writes and signs a flat repository of the suite's packages in the archive's `folder`, "" for
    /// its root.
    void publish_flat(const std::string& suite, const std::string& folder);

    [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }

    [[nodiscard]] std::filesystem::path keyring() const { return home_.path() / "toy.gpg"; }

    [[nodiscard]] std::filesystem::path
    deb(const std::string& name, const std::string& version = "1.0") const;

  private:
    void gpg(std::vector<std::string> args);
    [[nodiscard]] std::string packages_of(const std::string& suite);
    void sign(const std::filesystem::path& folder, const std::string& release);
    void publish_suite(const std::string& suite, const std::string& date);

    std::filesystem::path root_;
    TempDir home_;
    SystemProcessRunner runner_;
    /// suite -> name -> paragraphs by version
    std::map<std::string, std::map<std::string, std::map<std::string, std::string>>> suites_;
    std::map<std::string, std::string> sources_; ///< suite -> index
    std::string valid_until_;
};

} // namespace kiln::test
