// SPDX-License-Identifier: MIT
//
// The reading half of lock/lockfile.hpp.
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "lock/lock_rules.hpp"
#include "lock/lockfile.hpp"
#include "lock/strict_json.hpp"

#include <fmt/format.h>

#include <optional>
#include <ranges>
#include <set>
#include <utility>

namespace kiln {

namespace {

/// The list, in which an interruption is heard.
auto each(const std::vector<JsonNode>& list) {
    return std::views::transform(list, [](const JsonNode& node) -> const JsonNode& {
        throw_if_interrupted();
        return node;
    });
}

class LockReader {
  public:
    explicit LockReader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    Lockfile read(const JsonNode& root) {
        JsonFields fields(root, "the lock", diagnostics_);
        const std::size_t before = diagnostics_.error_count();
        const std::uint64_t format = fields.number("kiln_lock");
        if (diagnostics_.error_count() != before) {
            return {};
        }
        if (format != Lockfile::kFormat) {
            diagnostics_.error(
                fields.pos_of("kiln_lock"),
                fmt::format(
                    "unsupported lock format {} (this version of kiln reads format {})",
                    format,
                    Lockfile::kFormat),
                remedy(fields.optional_text("recipe")));
            return {};
        }
        Lockfile lock;
        lock.recipe = text(fields, "recipe", kLockName);
        lock.architecture = text(fields, "architecture", kLockArchitecture);
        lock.output_version = fields.number("output_version");
        lock.epoch = static_cast<std::int64_t>(number(fields, "epoch", 0, kMaxLockedEpoch));
        lock.snapshot = text(fields, "snapshot", kLockSnapshot);
        lock.keyrings = texts(fields, "keyrings", kLockFileName);
        for (const JsonNode& node : each(fields.list("request"))) {
            lock.request.push_back(request_part(node));
        }
        for (const JsonNode& node : each(fields.list("releases"))) {
            lock.releases.push_back(release(node));
        }
        const std::vector<JsonNode>& stages = fields.list("stages");
        for (const JsonNode& node : each(fields.list("packages"))) {
            lock.packages.push_back(package(node));
        }
        for (const JsonNode& node : each(stages)) {
            lock.stages.push_back(stage(node, lock));
        }
        for (const JsonNode& node : each(fields.list("sources"))) {
            lock.sources.push_back(source(node));
        }
        for (const JsonNode& node : each(fields.optional_list("distributions"))) {
            lock.distributions.push_back(distribution(node));
        }
        if (const JsonNode* node = fields.optional_object("result")) {
            lock.result = result(*node);
        }
        const std::string content = fields.text("content");
        fields.finish();
        if (diagnostics_.error_count() == before && content != lock.content_digest().to_string()) {
            diagnostics_.error(
                fields.pos_of("content"),
                "checksum mismatch: the lock was edited after kiln wrote it",
                "undo the change, or run 'kiln lock' to create a new lock");
        }
        return lock;
    }

  private:
    /// What to do about a lock of another format; `recipe` is what it says it is of.
    static std::string remedy(const std::string& recipe) {
        const std::string name = kLockName.fits(recipe) ? recipe : "NAME";
        return fmt::format(
            "run 'kiln lock {0}' to create a new one ('kiln artifact lock {0}' for a bundle or "
            "program)",
            name);
    }

    Digest digest(JsonFields& fields, std::string_view key = "sha256") {
        const std::size_t before = diagnostics_.error_count();
        const std::string text = fields.text(key);
        const auto value = Digest::parse(text);
        if (!value && diagnostics_.error_count() == before) {
            diagnostics_.error(
                fields.pos_of(key), "a SHA-256 digest has 64 lower-case hexadecimal digits");
        }
        return value.value_or(Digest());
    }

    void refuse(
        JsonFields& fields, std::string_view key, std::string_view found, std::string_view what) {
        diagnostics_.error(fields.pos_of(key), fmt::format("'{}' is not {}", found, what));
    }

    std::string text(JsonFields& fields, std::string_view key, const LockRule& rule) {
        const std::size_t before = diagnostics_.error_count();
        std::string value = fields.text(key);
        if (diagnostics_.error_count() == before && !rule.fits(value)) {
            refuse(fields, key, value, rule.what);
        }
        return value;
    }

    /// Empty when it is absent.
    std::string optional_text(JsonFields& fields, std::string_view key, const LockRule& rule) {
        std::string value = fields.optional_text(key);
        if (!value.empty() && !rule.fits(value)) {
            refuse(fields, key, value, rule.what);
        }
        return value;
    }

    /// No text may occur twice.
    std::vector<std::string> texts(JsonFields& fields, std::string_view key, const LockRule& rule) {
        const std::size_t before = diagnostics_.error_count();
        std::vector<std::string> values = fields.texts(key);
        std::set<std::string_view> seen;
        for (const std::string& value : values) {
            if (diagnostics_.error_count() == before && !rule.fits(value)) {
                refuse(fields, key, value, rule.what);
            }
            if (!seen.insert(value).second) {
                diagnostics_.error(
                    fields.pos_of(key), fmt::format("duplicate '{}' in '{}'", value, key));
            }
        }
        return values;
    }

    std::uint64_t
    number(JsonFields& fields, std::string_view key, std::uint64_t least, std::uint64_t most) {
        const std::size_t before = diagnostics_.error_count();
        const std::uint64_t value = fields.number(key);
        if (diagnostics_.error_count() == before && (value < least || value > most)) {
            refuse(
                fields, key, std::to_string(value), fmt::format("between {} and {}", least, most));
        }
        return value;
    }

    RequestPart request_part(const JsonNode& node) {
        JsonFields fields(node, "part of the request", diagnostics_);
        RequestPart out;
        out.part = text(fields, "part", kLockLine);
        out.says = texts(fields, "says", kLockLine);
        fields.finish();
        if (!parts_.insert(out.part).second) {
            diagnostics_.error(fields.pos_of("part"), fmt::format("duplicate part '{}'", out.part));
        }
        return out;
    }

    LockedRelease release(const JsonNode& node) {
        JsonFields fields(node, "a release", diagnostics_);
        LockedRelease out;
        out.archive = text(fields, "archive", kLockName);
        out.suite = text(fields, "suite", kLockSuite);
        out.date = static_cast<std::int64_t>(number(fields, "date", 0, kMaxLockedEpoch));
        fields.finish();
        return out;
    }

    LockedResult result(const JsonNode& node) {
        JsonFields fields(node, "the result", diagnostics_);
        LockedResult out;
        out.key = digest(fields, "key");
        out.tree = digest(fields, "tree");
        fields.finish();
        return out;
    }

    LockedPackage package(const JsonNode& node) {
        JsonFields fields(node, "a package", diagnostics_);
        LockedPackage out;
        out.package = text(fields, "package", kLockPackageName);
        out.version = text(fields, "version", kLockVersion);
        out.architecture = text(fields, "architecture", kLockArchitecture);
        out.archive = text(fields, "archive", kLockName);
        out.suite = text(fields, "suite", kLockSuite);
        out.path = text(fields, "path", kLockPoolPath);
        out.size = number(fields, "size", 1, kMaxLockedSize);
        out.sha256 = digest(fields);
        out.essential = fields.flag("essential");
        out.multi_arch = optional_text(fields, "multi_arch", kLockMultiArch);
        out.pre_depends = optional_text(fields, "pre_depends", kLockLine);
        fields.finish();
        if (!out.package.empty() && out.package <= last_package_) {
            diagnostics_.error(
                fields.pos_of("package"),
                fmt::format("'{}' is not in alphabetical order", out.package));
        }
        last_package_ = out.package;
        return out;
    }

    LockedStage stage(const JsonNode& node, const Lockfile& lock) {
        JsonFields fields(node, "a stage", diagnostics_);
        LockedStage out;
        out.branch = text(fields, "branch", kLockBranch);
        out.stage = text(fields, "stage", kLockName);
        out.packages = texts(fields, "packages", kLockPackageName);
        fields.finish();
        if (!stages_.emplace(out.branch, out.stage).second) {
            diagnostics_.error(
                fields.pos_of("stage"),
                fmt::format("duplicate stage '{}' ({})", out.stage, out.branch));
        }
        for (const std::string& name : out.packages) {
            if (lock.find(name) == nullptr) {
                diagnostics_.error(
                    fields.pos_of("packages"),
                    fmt::format(
                        "stage '{}' installs '{}', which is not in 'packages'", out.stage, name));
            }
        }
        return out;
    }

    LockedSource source(const JsonNode& node) {
        JsonFields fields(node, "a source", diagnostics_);
        LockedSource out;
        out.kind = text(fields, "kind", kLockName);
        out.name = text(fields, "name", kLockSourceName);
        out.version = text(fields, "version", kLockWord);
        out.location = optional_text(fields, "location", kLockLocation);
        out.archive = optional_text(fields, "archive", kLockName);
        out.suite = optional_text(fields, "suite", kLockSuite);
        out.size = number(fields, "size", 0, kMaxLockedSize);
        out.sha256 = digest(fields);
        fields.finish();
        if (!out.archive.empty() && !kLockPoolPath.fits(out.location)) {
            refuse(fields, "location", out.location, kLockPoolPath.what);
        }
        if (!sources_.emplace(out.kind, out.name).second) {
            diagnostics_.error(
                fields.pos_of("name"), fmt::format("duplicate {} source '{}'", out.kind, out.name));
        }
        source_names_.insert(out.name);
        return out;
    }

    LockedDistribution distribution(const JsonNode& node) {
        JsonFields fields(node, "a distribution", diagnostics_);
        LockedDistribution out;
        out.source = text(fields, "source", kLockSourceName);
        out.name = text(fields, "name", kLockFileName);
        out.version = text(fields, "version", kLockLine);
        out.tool = text(fields, "tool", kLockTool);
        out.needs = texts(fields, "needs", kLockSourceName);
        fields.finish();
        if (!source_names_.contains(out.source)) {
            diagnostics_.error(
                fields.pos_of("source"), fmt::format("source '{}' not found", out.source));
        }
        for (const std::string& need : out.needs) {
            if (!built_.contains(need)) {
                diagnostics_.error(
                    fields.pos_of("needs"), fmt::format("'{}' is not listed before it", need));
            }
        }
        if (!built_.insert(out.source).second) {
            diagnostics_.error(
                fields.pos_of("source"), fmt::format("duplicate distribution '{}'", out.source));
        }
        return out;
    }

    using Pair = std::pair<std::string, std::string>;

    Diagnostics& diagnostics_;
    std::set<std::string> parts_; ///< of the request so far
    std::set<Pair> stages_;       ///< branch and name of those so far
    std::set<Pair> sources_;      ///< kind and name of those so far
    std::set<std::string> source_names_;
    std::set<std::string> built_; ///< sources of the distributions so far
    std::string last_package_;
};

} // namespace

Lockfile parse_lockfile(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics) {
    const auto root = parse_strict_json(std::move(file), diagnostics);
    return root ? LockReader(diagnostics).read(*root) : Lockfile();
}

Lockfile load_lockfile(const std::string& path) {
    if (!fs::exists(path)) {
        throw Error(fmt::format("lock '{}' not found", path), ExitCode::invalid_recipe)
            .with_hint("run 'kiln lock RECIPE' to create it, or 'kiln bake RECIPE --refresh' to "
                       "create it and bake");
    }
    std::optional<std::string> text;
    try {
        text = read_text_within(path, kMaxLockBytes);
    } catch (const SystemError&) {
        throw;
    } catch (const Error& error) {
        throw Error(error.message(), ExitCode::invalid_recipe);
    }
    if (!text) {
        throw Error(
            fmt::format("lock '{}' is larger than {}", path, format_size(kMaxLockBytes)),
            ExitCode::invalid_recipe);
    }
    auto file = std::make_shared<SourceFile>(SourceFile{path, std::move(*text)});
    Diagnostics diagnostics;
    Lockfile lock = parse_lockfile(std::move(file), diagnostics);
    diagnostics.throw_if_errors(fmt::format("lock '{}'", path));
    return lock;
}

} // namespace kiln
