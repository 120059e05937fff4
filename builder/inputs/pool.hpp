// SPDX-License-Identifier: MIT
//
// The store of inputs: files named by the SHA-256 of what they hold. Fetches what is missing, in
// parallel, resumed, verified; two kilns may share a pool. Knows URLs, not mirrors or packages.
//
//     pool/sha256/ab/abcd...        the input
//     pool/sha256/ab/abcd....part   a download under way, locked with flock(2) by who writes it
//     pool/sha256/ab/abcd....damaged  was not what its name says; kept for whoever wonders why
#pragma once

#include "base/console.hpp"
#include "base/error.hpp"
#include "base/http/http.hpp"
#include "base/io/digest.hpp"
#include "base/io/stream.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace kiln {

/// A file that a bake needs.
struct PoolInput {
    std::string name; ///< for people: "nginx 1.22.1-9"
    Digest sha256;
    std::uint64_t size = 0;                      ///< bytes; 0 when it is not known
    std::vector<std::string> urls;               ///< tried in this order
    HttpPurpose purpose = HttpPurpose::user_url; ///< of the URLs
    /// Gives more URLs, asked only when the input has to be fetched; may be empty.
    std::function<std::vector<std::string>()> find_urls = {};
};

struct FetchOptions {
    unsigned connections = 8;
    bool offline = false; ///< never calls the HttpClient
    /// The command that makes a new lock, for the hint of a failure; empty: it was made just now.
    std::string refresh = "'kiln lock RECIPE' or 'kiln bake RECIPE --refresh'";
    RetryPolicy retry = {};
};

/// Inputs could not be fetched.
class FetchError : public ErrorOfKind<FetchError> {
  public:
    using ErrorOfKind::ErrorOfKind;

    /// What a server has in place of an input, by the input's digest: the file was replaced.
    std::map<Digest, Digest> replaced = {};
};

class Pool {
  public:
    /// The directory is made when something is first fetched.
    explicit Pool(std::filesystem::path directory) : directory_(std::move(directory)) {}

    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

    /// Where the input is or would lie. Looks at nothing.
    [[nodiscard]] std::filesystem::path path_of(const Digest& digest) const;
    /// Present with the right size. Does not read the content.
    [[nodiscard]] bool has(const PoolInput& input) const;
    /// Present, read and found to be what its name says. One that is not is set aside as
    /// NAME.damaged with a warning, so that it is fetched again; offline Error is thrown instead.
    [[nodiscard]] bool has_whole(const PoolInput& input, bool offline, Console& console) const;

    /// Opens an input that is present; the digest is computed while it is read, and the read that
    /// reaches the end throws Error when it is wrong. Throws Error when the input is absent.
    [[nodiscard]] std::unique_ptr<Source> open(const PoolInput& input) const;
    /// Reads the whole input. Throws Error that names path, expected and found digest.
    void verify(const PoolInput& input) const;

    /// After this all inputs are present and verified: those that were there were read and
    /// compared, too (0.1 s for 100 MB), so what a bake uses is what the lock says; damaged ones
    /// are fetched again, see has_whole(). Goes through all inputs before it throws one FetchError
    /// that lists all that are missing or wrong.
    void fetch(
        const std::vector<PoolInput>& inputs,
        HttpClient& client,
        const FetchOptions& options,
        Console& console) const;

    /// Stores a local file under its digest (a copy, then a rename) and returns the digest. Takes
    /// the place of a damaged one.
    Digest add(const std::filesystem::path& file) const;

  private:
    std::filesystem::path directory_;
};

} // namespace kiln
