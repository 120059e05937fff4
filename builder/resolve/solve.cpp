// SPDX-License-Identifier: MIT
#include "resolve/solve.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "resolve/apt_directory.hpp"
#include "resolve/apt_index.hpp"
#include "resolve/release_dates.hpp"
#include "resolve/upstream_release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

namespace kiln {

namespace {

/// A snapshot service takes a mirror's state some hours after its Release file was signed, and an
/// archive keeps superseded files for more than a day: 12 hours later all of them are there.
constexpr std::int64_t kSnapshotDelay = std::int64_t{12} * 3600;

std::string snapshot_timestamp(std::int64_t epoch) {
    std::string text = format_rfc3339(epoch + kSnapshotDelay);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

std::string name_part(std::string_view wanted) {
    return std::string(wanted.substr(0, wanted.find_first_of("=/")));
}

bool is_package_name(std::string_view name) {
    return name.size() >= 2 && name.front() != '-' && name.front() != '.' && name.front() != '+' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
                      c == '.';
           });
}

std::string describe_stage(const SolveStage& stage) {
    return stage.where.empty() ? fmt::format("stage '{}'", stage.name)
                               : fmt::format("stage '{}' ({})", stage.name, stage.where);
}

/// What is installed at a point of a branch: names to versions, and apt's paragraphs.
struct Installed {
    std::vector<Deb822Paragraph> paragraphs;
    bool has_essential = false;
};

class Solver {
  public:
    Solver(const SolveRequest& request, ProcessRunner& runner, Console& console)
        : request_(request), apt_(request, runner), console_(console),
          job_(console.start("solve")) {}

    SolveResult run() {
        job_.note("package lists");
        apt_.update();
        load_index();
        check_names();
        find_sources();
        for (const SolveStage& stage : request_.stages) {
            job_.note(stage.name);
            with_context(fmt::format("resolving dependencies of {}", describe_stage(stage)), [&] {
                solve(stage);
            });
        }
        check_kept();
        for (const std::string& line :
             describe_old_releases(result_.releases, std::time(nullptr))) {
            console_.notice(line);
        }
        for (auto& [name, package] : packages_) {
            result_.packages.push_back(std::move(package));
        }
        job_.finish(fmt::format("{} packages", result_.packages.size()));
        return std::move(result_);
    }

  private:
    void load_index() {
        for (const AptDirectory::List& list : apt_.lists(AptDirectory::Index::packages)) {
            index_.load(list.index, list.archive);
            result_.epoch =
                std::max(result_.epoch, note_release(list, request_.archives.at(list.archive).id));
        }
        // REPRO: the epoch comes from the archives, never from the clock.
        result_.snapshot = snapshot_timestamp(result_.epoch);
        std::set<std::string> keyrings;
        for (const SolveArchive& archive : request_.archives) {
            keyrings.insert(archive.keyring.filename().string());
        }
        result_.keyrings.assign(keyrings.begin(), keyrings.end());
    }

    /// Returns the date of the Release file that a list is of.
    std::int64_t note_release(const AptDirectory::List& list, const ArchiveId& id) {
        const std::int64_t date =
            parse_release_date(read_text_file(list.release), list.release.string());
        LockedRelease release{id.name, id.suite, date};
        if (std::ranges::find(result_.releases, release) == result_.releases.end()) {
            result_.releases.push_back(std::move(release));
        }
        return date;
    }

    /// All that cannot be found at once.
    void find_sources() {
        if (request_.sources.empty()) {
            return;
        }
        job_.note("source packages");
        AptIndex index;
        for (const AptDirectory::List& list : apt_.lists(AptDirectory::Index::sources)) {
            index.load(list.index, list.archive);
            note_release(list, request_.source_archives.at(list.archive).id);
        }
        std::vector<std::string> faults;
        for (const SolveSource& wanted : request_.sources) {
            try {
                result_.sources.push_back(find_releases(
                    wanted, {index, request_.source_archives}, {index_, request_.archives}));
            } catch (const Error& error) {
                faults.push_back(fmt::format(
                    "{}{}{}",
                    wanted.where.empty() ? "" : wanted.where + ": ",
                    error.message(),
                    error.hint().empty() ? "" : fmt::format("; {}", error.hint())));
            }
        }
        if (!faults.empty()) {
            throw Error(
                fmt::format(
                    "{} source package{} cannot be locked",
                    faults.size(),
                    faults.size() == 1 ? "" : "s"),
                ExitCode::invalid_recipe)
                .with_details(std::move(faults));
        }
    }

    [[nodiscard]] std::string suites() const {
        std::vector<std::string> out;
        for (const SolveArchive& archive : request_.archives) {
            if (std::find(out.begin(), out.end(), archive.id.suite) == out.end()) {
                out.push_back(archive.id.suite);
            }
        }
        return join(out, ", ");
    }

    /// All unknown names of all stages at once.
    void check_names() const {
        std::vector<std::string> lines;
        std::vector<std::string_view> names;
        for (const SolveStage& stage : request_.stages) {
            for (const std::string& wanted : stage.install) {
                const std::string name = name_part(wanted);
                if (is_package_name(name) && index_.knows(name)) {
                    continue;
                }
                if (names.empty()) {
                    names = index_.names();
                }
                const std::string nearest = did_you_mean(name, names);
                lines.push_back(fmt::format(
                    "package '{}' not found in {}{}{}; required by {}",
                    name,
                    suites(),
                    nearest.empty() ? "" : "; ",
                    nearest,
                    describe_stage(stage)));
            }
        }
        if (lines.size() == 1) {
            throw Error(lines.front(), ExitCode::invalid_recipe);
        }
        if (!lines.empty()) {
            throw Error(
                fmt::format("{} packages do not exist", lines.size()), ExitCode::invalid_recipe)
                .with_details(std::move(lines));
        }
    }

    /// vm and oci each go on from where the common stages end.
    Installed& state_of(const std::string& branch) {
        if (const auto found = states_.find(branch); found != states_.end()) {
            return found->second;
        }
        const auto common = states_.find("common");
        return states_[branch] = common == states_.end() ? Installed() : common->second;
    }

    void solve(const SolveStage& stage) {
        Installed& state = state_of(stage.branch);
        std::vector<std::string> install = stage.install;
        if (request_.essential && !state.has_essential) {
            const std::vector<std::string> essential = index_.essential();
            install.insert(install.begin(), essential.begin(), essential.end());
        }
        state.has_essential = true;
        LockedStage locked{stage.branch, stage.name, {}};
        for (const AptInstall& each : simulate(install, state, stage.recommends)) {
            if (each.replaces) {
                throw Error(fmt::format(
                                "version conflict: '{}' is already installed by an earlier stage, "
                                "but this stage requires version {}",
                                each.package,
                                each.version))
                    .with_hint("add '=VERSION' to it in the earlier stage, or pin it");
            }
            auto found = index_.find(each.package, each.version);
            if (!found) {
                throw Error(fmt::format(
                    "apt selected {} {}, which is not in any package list",
                    each.package,
                    each.version));
            }
            remember(*found);
            state.paragraphs.push_back(std::move(found->paragraph));
            locked.packages.push_back(each.package);
        }
        result_.stages.push_back(std::move(locked));
    }

    std::vector<AptInstall>
    simulate(const std::vector<std::string>& install, const Installed& state, bool recommends) {
        try {
            return apt_.simulate(install, state.paragraphs, recommends);
        } catch (Error& error) {
            if (const auto gone = kept_but_gone(); !gone.empty()) {
                error.set_hint_if_empty(fmt::format(
                    "locked versions are no longer in the archives: {}; update them too with "
                    "--update, or all with 'kiln lock {}'",
                    join(gone, ", "),
                    request_.recipe));
            }
            throw;
        }
    }

    void remember(const AptIndex::Found& found) {
        const Deb822Paragraph& from = found.paragraph;
        const SolveArchive& archive = request_.archives.at(found.archive);
        LockedPackage package;
        package.package = from.get("Package");
        package.version = from.get("Version");
        package.architecture = from.get("Architecture");
        package.archive = archive.id.name;
        package.suite = archive.id.suite;
        package.path = from.get("Filename");
        package.essential = from.get("Essential") == "yes";
        package.multi_arch = from.get("Multi-Arch");
        package.pre_depends = from.get("Pre-Depends");
        const auto size = parse_unsigned(from.get("Size"));
        const auto digest = Digest::parse(from.get("SHA256"));
        if (!size || !digest || package.path.empty()) {
            throw Error(fmt::format(
                "the package list of suite '{}' has no size, SHA256 or file name for '{}'",
                package.suite,
                package.package));
        }
        package.size = *size;
        package.sha256 = *digest;
        if (package.path.starts_with("./")) {
            package.path.erase(0, 2);
        }
        const auto [place, is_new] = packages_.emplace(package.package, package);
        if (!is_new && place->second.version != package.version) {
            throw Error(fmt::format(
                            "version conflict: the branches of the recipe require different "
                            "versions of '{}': {} and {}",
                            package.package,
                            place->second.version,
                            package.version))
                .with_hint("install it in a common stage, or pin its version");
        }
    }

    [[nodiscard]] std::vector<std::string> kept_but_gone() const {
        std::vector<std::string> out;
        for (const LockedPackage& kept : request_.keep) {
            if (!index_.find(kept.package, kept.version)) {
                out.push_back(fmt::format("{} {}", kept.package, kept.version));
            }
        }
        return out;
    }

    void check_kept() const {
        std::vector<std::string> lines;
        for (const LockedPackage& kept : request_.keep) {
            const auto now = packages_.find(kept.package);
            if (now != packages_.end() && now->second.version != kept.version) {
                lines.push_back(fmt::format(
                    "{}: locked {}, now {}", kept.package, kept.version, now->second.version));
            }
        }
        if (lines.empty()) {
            return;
        }
        throw Error(fmt::format(
                        "{} other package{} cannot keep the locked version",
                        lines.size(),
                        lines.size() == 1 ? "" : "s"))
            .with_details(std::move(lines))
            .with_hint(fmt::format(
                "these versions are no longer in the archives: add the packages to --update, or "
                "update all with 'kiln lock {}'",
                request_.recipe));
    }

    const SolveRequest& request_;
    AptDirectory apt_;
    Console& console_;
    Job job_;
    AptIndex index_;
    std::map<std::string, Installed> states_;
    std::map<std::string, LockedPackage> packages_;
    SolveResult result_;
};

} // namespace

SolveResult solve(const SolveRequest& request, ProcessRunner& runner, Console& console) {
    return Solver(request, runner, console).run();
}

} // namespace kiln
