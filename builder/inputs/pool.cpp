// SPDX-License-Identifier: MIT
#include "inputs/pool.hpp"

#include "base/error_list.hpp"
#include "base/io/file.hpp"
#include "base/parallel.hpp"
#include "inputs/pool_download.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

namespace kiln {

namespace {

Error damaged(const fs::path& path, const PoolInput& input, const std::string& found) {
    const std::string expected =
        input.size == 0 ? input.sha256.to_string()
                        : fmt::format("{}, {} bytes", input.sha256.to_string(), input.size);
    return Error(fmt::format("checksum mismatch for '{}' in the download cache", path.string()))
        .with_details(
            {fmt::format("input:    {}", input.name),
             fmt::format("expected: {}", expected),
             fmt::format("found:    {}", found)})
        .with_hint("run without --offline to download it again");
}

/// What a file is, whatever its name: nothing when it is gone.
std::optional<std::pair<dev_t, ino_t>> identity_of(const fs::path& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 ? std::optional(std::pair(info.st_dev, info.st_ino))
                                            : std::nullopt;
}

/// Where a damaged file goes.
fs::path aside(const fs::path& path) {
    return path.string() + ".damaged";
}

std::optional<std::uint64_t> size_of(const fs::path& path) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    return error ? std::nullopt : std::optional<std::uint64_t>(size);
}

class VerifiedSource final : public Source {
  public:
    VerifiedSource(fs::path path, PoolInput input)
        : path_(std::move(path)), input_(std::move(input)), file_(path_) {}

    std::size_t read(std::span<std::byte> buffer) override {
        if (ended_ || buffer.empty()) {
            return 0;
        }
        const std::size_t count = file_.read(buffer);
        if (count > 0) {
            hash_.update(buffer.first(count));
            return count;
        }
        ended_ = true;
        if (const Digest found = hash_.finish(); found != input_.sha256) {
            throw damaged(path_, input_, found.to_string());
        }
        return 0;
    }

  private:
    fs::path path_;
    PoolInput input_;
    FileSource file_;
    Sha256 hash_;
    bool ended_ = false;
};

std::vector<const PoolInput*>
inputs_of(const ErrorList& failures, const std::vector<PoolInput>& inputs) {
    std::vector<const PoolInput*> out;
    for (const auto& [place, error] : failures.errors()) {
        out.push_back(&inputs[place]);
    }
    return out;
}

/// What to do about these, which could not be fetched.
std::string fetch_hint(const std::vector<const PoolInput*>& failed, const std::string& refresh) {
    const bool is_of_archive = std::any_of(failed.begin(), failed.end(), [](const auto* input) {
        return input->purpose == HttpPurpose::apt_mirror;
    });
    if (!is_of_archive) {
        const std::string check = "check their URLs and digests in the recipe or definition";
        return refresh.empty()
                   ? check
                   : fmt::format("{}; run {} to lock their current content", check, refresh);
    }
    if (refresh.empty()) {
        return "the mirror is out of sync: it does not have files listed in its own indices; try "
               "again later, or use another mirror (--mirror)";
    }
    return fmt::format(
        "archives remove old package versions: run {} to update the lock, or use '--snapshot URL' "
        "to download removed versions",
        refresh);
}

PoolInput with_all_urls(PoolInput input) {
    if (input.find_urls) {
        std::ranges::move(input.find_urls(), std::back_inserter(input.urls));
    }
    return input;
}

/// Places of the inputs without those whose digest occurred before.
std::vector<std::size_t> distinct(const std::vector<PoolInput>& inputs) {
    std::vector<std::size_t> out;
    std::set<Digest> seen;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (seen.insert(inputs[i].sha256).second) {
            out.push_back(i);
        }
    }
    return out;
}

} // namespace

fs::path Pool::path_of(const Digest& digest) const {
    const std::string hex = digest.hex();
    return directory_ / "sha256" / hex.substr(0, 2) / hex;
}

bool Pool::has(const PoolInput& input) const {
    const auto size = size_of(path_of(input.sha256));
    return size && (input.size == 0 || *size == input.size);
}

bool Pool::has_whole(const PoolInput& input, bool offline, Console& console) const {
    const fs::path path = path_of(input.sha256);
    const auto judged = identity_of(path);
    if (!judged) {
        return false;
    }
    try {
        verify(input);
        return true;
    } catch (const SystemError&) {
        throw;
    } catch (const Error& error) {
        if (offline) {
            throw;
        }
        // Another kiln may have healed it meanwhile.
        if (identity_of(path) == judged) {
            fs::rename(path, aside(path));
            console.warning(fmt::format(
                "{}: {}; moved to '{}' and downloaded again",
                input.name,
                error.message(),
                aside(path).filename().string()));
        }
        return false;
    }
}

std::unique_ptr<Source> Pool::open(const PoolInput& input) const {
    const fs::path path = path_of(input.sha256);
    const auto size = size_of(path);
    if (!size) {
        throw Error(
            fmt::format("'{}' is not in the download cache '{}'", input.name, directory_.string()));
    }
    if (input.size != 0 && *size != input.size) {
        throw damaged(path, input, fmt::format("{} bytes", *size));
    }
    return std::make_unique<VerifiedSource>(path, input);
}

void Pool::verify(const PoolInput& input) const {
    NullSink sink;
    copy(*open(input), sink);
}

void Pool::fetch(
    const std::vector<PoolInput>& inputs,
    HttpClient& client,
    const FetchOptions& options,
    Console& console) const {
    const std::vector<std::size_t> places = distinct(inputs);
    ErrorList failures;
    std::map<Digest, Digest> replaced;
    std::vector<char> missing(inputs.size(), 0);
    parallel_for(places.size(), default_jobs(), [&](std::size_t i) {
        const PoolInput& input = inputs[places[i]];
        failures.collect(places[i], [&] {
            missing[places[i]] = has_whole(input, options.offline, console) ? 0 : 1;
        });
    });

    std::vector<std::size_t> wanted;
    for (const std::size_t i : places) {
        if (missing[i] != 0) {
            wanted.push_back(i);
        }
    }
    if (options.offline) {
        for (const std::size_t i : wanted) {
            failures.add(i, Error("not in the download cache"));
        }
    } else if (!wanted.empty()) {
        // The largest first: no long transfer is left over at the end.
        std::stable_sort(wanted.begin(), wanted.end(), [&](std::size_t a, std::size_t b) {
            return inputs[a].size > inputs[b].size;
        });
        FetchProgress progress(console, inputs, wanted);
        std::mutex mutex;
        const auto note = [&](const Digest& wanted_digest, const std::optional<Digest>& found) {
            if (found) {
                const std::lock_guard guard(mutex);
                replaced.emplace(wanted_digest, *found);
            }
        };
        std::vector<PoolInput> located;
        for (const std::size_t i : wanted) {
            located.push_back(with_all_urls(inputs[i]));
        }
        parallel_for(wanted.size(), options.connections, [&](std::size_t i) {
            const PoolInput& input = located[i];
            failures.collect(wanted[i], [&] {
                try {
                    download_into_pool(
                        {path_of(input.sha256), input, client, options.retry, progress});
                } catch (const DownloadError& error) {
                    note(input.sha256, error.found);
                    throw;
                }
            });
        });
        progress.end(failures.count() == 0);
    }
    if (failures.count() > 0) {
        const std::string what =
            options.offline ? "are missing or damaged and cannot be downloaded with --offline"
                            : "could not be downloaded";
        FetchError error(fmt::format("{} of {} inputs {}", failures.count(), places.size(), what));
        error.set_details(failures.lines([&](std::size_t i) { return inputs[i].name; }));
        error.set_hint_if_empty(
            options.offline ? "run once without --offline"
                            : fetch_hint(inputs_of(failures, inputs), options.refresh));
        error.replaced = std::move(replaced);
        throw error;
    }
}

Digest Pool::add(const fs::path& file) const {
    const Digest digest = sha256_file(file.string());
    const fs::path target = path_of(digest);
    if (fs::exists(target)) {
        if (sha256_file(target.string()) == digest) {
            return digest;
        }
        fs::rename(target, aside(target));
    }
    fs::create_directories(target.parent_path());
    AtomicFile copy_file(target, 0444);
    FileSource source(file);
    DigestSink check;
    TeeSink both(copy_file, check);
    copy(source, both);
    if (check.digest() != digest) {
        throw Error(fmt::format("'{}' changed while it was being read", file.string()));
    }
    copy_file.commit();
    return digest;
}

} // namespace kiln
