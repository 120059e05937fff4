// SPDX-License-Identifier: MIT
#include "inputs/git_checkout.hpp"

#include "base/text.hpp"
#include "inputs/git_command.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace kiln {

namespace {

/// To compare a checkout all of its files are read once.
constexpr std::chrono::hours kCompareTime{1};

class Checkout {
  public:
    Checkout(const fs::path& folder, ProcessRunner& processes)
        : folder_(folder), processes_(processes), own_(temporary_root(), "kiln-checkout") {}

    [[nodiscard]] std::string revision() const {
        // All that git is asked in the repository of the folder, whose settings could name filters,
        // monitors and remotes, each of which is a program. Neither question reads an object.
        const auto commit = ask({"rev-parse", "--quiet", "--verify", "HEAD"});
        const auto objects = ask({"rev-parse", "--git-path", "objects"});
        if (!commit || !objects || !borrow(folder_ / *objects, *commit)) {
            return "";
        }
        return is_unchanged(*commit) ? *commit : *commit + " changed";
    }

  private:
    /// The trimmed answer, or nothing when git fails.
    [[nodiscard]] std::optional<std::string> ask(const std::vector<std::string>& args) const {
        Command command = git_command(folder_, args);
        command.separate_stderr = true;
        command.timeout = kCompareTime;
        const ProcessResult result = processes_.run(command);
        return result.ok() ? std::optional<std::string>(trim(result.output)) : std::nullopt;
    }

    /// With a repository of kiln's own, which has the objects of the other and no setting of its.
    [[nodiscard]] std::optional<std::string> ask_own(std::vector<std::string> args) const {
        args.insert(args.begin(), {"--git-dir=" + own_.path().string(), "--work-tree=."});
        return ask(args);
    }

    /// Whether the commit is there.
    [[nodiscard]] bool borrow(const fs::path& objects, const std::string& commit) const {
        constexpr std::size_t kSha256Digits = 64;
        const char* const format = commit.size() == kSha256Digits ? "sha256" : "sha1";
        if (!ask(
                {"init",
                 "--quiet",
                 "--bare",
                 "--template=",
                 std::string("--object-format=") + format,
                 own_.path().string()})) {
            return false;
        }
        fs::create_directories(own_.path() / "objects/info");
        write_file(
            own_.path() / "objects/info/alternates", fs::weakly_canonical(objects).string() + "\n");
        write_file(own_.path() / "HEAD", commit + "\n");
        return ask_own({"rev-parse", "--quiet", "--verify", commit + "^{commit}"}).has_value();
    }

    [[nodiscard]] bool is_unchanged(const std::string& commit) const {
        // Says first whether the commit is of a size that can be dealt with: a few objects can make
        // a tree of billions of files. In submodules git would go by their settings.
        const auto listing = ask_own({"ls-tree", "-r", "-z", "--full-tree", commit});
        if (!listing || !submodules_in(*listing).empty() || !ask_own({"read-tree", commit})) {
            return false;
        }
        const auto changes = ask_own(
            {"status",
             "--porcelain",
             "--ignored",
             "--no-renames",
             "--ignore-submodules=all",
             "--untracked-files=all"});
        return changes && changes->empty();
    }

    const fs::path& folder_;
    ProcessRunner& processes_;
    TempDir own_;
};

} // namespace

std::string checkout_revision(const fs::path& folder, ProcessRunner& processes) {
    return fs::exists(folder / ".git") ? Checkout(folder, processes).revision() : std::string();
}

} // namespace kiln
