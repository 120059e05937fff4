// SPDX-License-Identifier: MIT
#include "formats/lockfile.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "formats/deb_version.hpp"
#include "formats/strict_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace kiln {

namespace {

std::vector<std::string> quoted(const std::vector<std::string>& texts) {
    std::vector<std::string> out;
    for (const std::string& text : texts) {
        out.push_back(quote_json(text));
    }
    return out;
}

/// Joins `"key": value` parts, leaving out those with empty values where the key allows it.
class LineWriter {
  public:
    LineWriter& text(std::string_view key, std::string_view value) {
        add(key, quote_json(value));
        return *this;
    }

    LineWriter& text_unless_empty(std::string_view key, std::string_view value) {
        return value.empty() ? *this : text(key, value);
    }

    LineWriter& number(std::string_view key, std::uint64_t value) {
        add(key, std::to_string(value));
        return *this;
    }

    LineWriter& flag(std::string_view key, bool value) {
        if (value) {
            add(key, "true");
        }
        return *this;
    }

    LineWriter& texts(std::string_view key, const std::vector<std::string>& values) {
        add(key, fmt::format("[{}]", fmt::join(quoted(values), ", ")));
        return *this;
    }

    [[nodiscard]] std::string object() const { return fmt::format("{{{}}}", out_); }

  private:
    void add(std::string_view key, std::string_view value) {
        out_ += fmt::format("{}{}: {}", out_.empty() ? "" : ", ", quote_json(key), value);
    }

    std::string out_;
};

/// `  "key": [` and one item a line.
void append_list(
    std::string& out, std::string_view key, const std::vector<std::string>& items, int indent) {
    const std::string pad(static_cast<std::size_t>(indent), ' ');
    if (items.empty()) {
        out += fmt::format("{}{}: []", pad, quote_json(key));
        return;
    }
    out += fmt::format(
        "{0}{1}: [\n{0}  {2}\n{0}]",
        pad,
        quote_json(key),
        fmt::join(items, fmt::format(",\n{}  ", pad)));
}

std::string package_line(const LockedPackage& package) {
    return LineWriter()
        .text("package", package.package)
        .text("version", package.version)
        .text("architecture", package.architecture)
        .text("archive", package.archive)
        .text("suite", package.suite)
        .text("path", package.path)
        .number("size", package.size)
        .text("sha256", package.sha256.hex())
        .flag("essential", package.essential)
        .text_unless_empty("multi_arch", package.multi_arch)
        .text_unless_empty("pre_depends", package.pre_depends)
        .object();
}

std::string source_line(const LockedSource& source) {
    return LineWriter()
        .text("kind", source.kind)
        .text("name", source.name)
        .text("version", source.version)
        .text_unless_empty("location", source.location)
        .text_unless_empty("archive", source.archive)
        .text_unless_empty("suite", source.suite)
        .number("size", source.size)
        .text("sha256", source.sha256.hex())
        .object();
}

std::string distribution_line(const LockedDistribution& distribution) {
    return LineWriter()
        .text("source", distribution.source)
        .text("name", distribution.name)
        .text("version", distribution.version)
        .text("tool", distribution.tool)
        .texts("needs", distribution.needs)
        .object();
}

std::string stage_text(const LockedStage& stage) {
    std::string out = fmt::format(
        "{{\"branch\": {}, \"stage\": {},\n", quote_json(stage.branch), quote_json(stage.stage));
    append_list(out, "packages", quoted(stage.packages), 5);
    return out + "}";
}

template <typename T, typename Function>
std::vector<std::string> lines_of(const std::vector<T>& values, Function&& line) {
    std::vector<std::string> out;
    for (const T& value : values) {
        out.push_back(line(value));
    }
    return out;
}

/// Everything but the last member and the closing brace.
std::string body(const Lockfile& lock) {
    std::string out = "{\n";
    const auto member = [&](std::string_view key, std::string_view value) {
        out += fmt::format("  {}: {},\n", quote_json(key), value);
    };
    const auto list = [&](std::string_view key, const std::vector<std::string>& items) {
        append_list(out, key, items, 2);
        out += ",\n";
    };
    member("kiln_lock", std::to_string(Lockfile::kFormat));
    member("recipe", quote_json(lock.recipe));
    member("architecture", quote_json(lock.architecture));
    member("output_version", std::to_string(lock.output_version));
    member("epoch", std::to_string(lock.epoch));
    member("snapshot", quote_json(lock.snapshot));
    list("keyrings", quoted(lock.keyrings));
    list("stages", lines_of(lock.stages, stage_text));
    list("packages", lines_of(lock.packages, package_line));
    list("sources", lines_of(lock.sources, source_line));
    if (!lock.distributions.empty()) {
        list("distributions", lines_of(lock.distributions, distribution_line));
    }
    return out;
}

} // namespace

const LockedPackage* Lockfile::find(std::string_view package) const {
    const auto found = std::lower_bound(
        packages.begin(), packages.end(), package, [](const LockedPackage& a, std::string_view b) {
            return a.package < b;
        });
    return found != packages.end() && found->package == package ? &*found : nullptr;
}

const LockedSource* Lockfile::find_source(std::string_view name) const {
    const auto found = std::find_if(sources.begin(), sources.end(), [&](const LockedSource& each) {
        return each.name == name;
    });
    return found == sources.end() ? nullptr : &*found;
}

std::vector<const LockedPackage*>
Lockfile::packages_of(std::string_view branch, std::string_view stage) const {
    const auto found = std::find_if(stages.begin(), stages.end(), [&](const LockedStage& each) {
        return each.branch == branch && each.stage == stage;
    });
    if (found == stages.end()) {
        throw Error(
            fmt::format("the lock knows no packages stage '{}' ({})", stage, branch),
            ExitCode::invalid_recipe)
            .with_hint(fmt::format(
                "the recipe changed after it was locked: 'kiln lock {}' locks it again", recipe));
    }
    std::vector<const LockedPackage*> out;
    for (const std::string& name : found->packages) {
        const LockedPackage* package = find(name);
        KILN_CHECK(package != nullptr);
        out.push_back(package);
    }
    return out;
}

Digest Lockfile::digest() const {
    return sha256(body(*this));
}

std::string Lockfile::to_text() const {
    const std::string text = body(*this);
    return fmt::format("{}  \"content\": \"{}\"\n}}\n", text, sha256(text).to_string());
}

namespace {

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
                    "this is format {} of the lock, and this kiln reads format {}",
                    format,
                    Lockfile::kFormat),
                "'kiln lock' writes it anew");
            return {};
        }
        Lockfile lock;
        lock.recipe = fields.text("recipe");
        lock.architecture = fields.text("architecture");
        lock.output_version = fields.number("output_version");
        lock.epoch = static_cast<std::int64_t>(fields.number("epoch"));
        lock.snapshot = fields.text("snapshot");
        lock.keyrings = fields.texts("keyrings");
        const std::vector<JsonNode>& stages = fields.list("stages");
        for (const JsonNode& node : fields.list("packages")) {
            lock.packages.push_back(package(node));
        }
        for (const JsonNode& node : stages) {
            lock.stages.push_back(stage(node, lock));
        }
        for (const JsonNode& node : fields.list("sources")) {
            lock.sources.push_back(source(node));
        }
        std::set<std::string> before_it;
        for (const JsonNode& node : fields.optional_list("distributions")) {
            lock.distributions.push_back(distribution(node, lock, before_it));
        }
        const std::string content = fields.text("content");
        fields.finish();
        if (diagnostics_.error_count() == before && content != lock.digest().to_string()) {
            diagnostics_.error(
                fields.pos_of("content"),
                "the content does not fit this digest: the lock was changed after kiln wrote it",
                "take back the change, or let 'kiln lock' write the lock anew");
        }
        return lock;
    }

  private:
    Digest digest(JsonFields& fields) {
        const std::size_t before = diagnostics_.error_count();
        const std::string text = fields.text("sha256");
        const auto value = Digest::parse(text);
        if (!value && diagnostics_.error_count() == before) {
            diagnostics_.error(fields.pos_of("sha256"), "a SHA-256 has 64 lower-case hex digits");
        }
        return value.value_or(Digest());
    }

    LockedPackage package(const JsonNode& node) {
        JsonFields fields(node, "a package", diagnostics_);
        LockedPackage out;
        out.package = fields.text("package");
        out.version = fields.text("version");
        out.architecture = fields.text("architecture");
        out.archive = fields.text("archive");
        out.suite = fields.text("suite");
        out.path = fields.text("path");
        out.size = fields.number("size");
        out.sha256 = digest(fields);
        out.essential = fields.flag("essential");
        out.multi_arch = fields.optional_text("multi_arch");
        out.pre_depends = fields.optional_text("pre_depends");
        fields.finish();
        if (!out.version.empty() && !DebVersion::parse(out.version)) {
            diagnostics_.error(
                fields.pos_of("version"),
                fmt::format("'{}' is no version of a package", out.version));
        }
        if (out.path.starts_with('/') || out.path.find("..") != std::string::npos) {
            diagnostics_.error(fields.pos_of("path"), "the path must stay below the archive");
        }
        if (!out.package.empty() && out.package <= last_package_) {
            diagnostics_.error(
                fields.pos_of("package"),
                fmt::format("'{}' is not in the order of names", out.package));
        }
        last_package_ = out.package;
        return out;
    }

    LockedStage stage(const JsonNode& node, const Lockfile& lock) {
        JsonFields fields(node, "a stage", diagnostics_);
        LockedStage out;
        out.branch = fields.text("branch");
        out.stage = fields.text("stage");
        out.packages = fields.texts("packages");
        fields.finish();
        for (const std::string& name : out.packages) {
            if (lock.find(name) == nullptr) {
                diagnostics_.error(
                    fields.pos_of("packages"),
                    fmt::format(
                        "stage '{}' installs '{}', which the packages do not have",
                        out.stage,
                        name));
            }
        }
        return out;
    }

    LockedSource source(const JsonNode& node) {
        JsonFields fields(node, "a source", diagnostics_);
        LockedSource out;
        out.kind = fields.text("kind");
        out.name = fields.text("name");
        out.version = fields.text("version");
        out.location = fields.optional_text("location");
        out.archive = fields.optional_text("archive");
        out.suite = fields.optional_text("suite");
        out.size = fields.number("size");
        out.sha256 = digest(fields);
        fields.finish();
        return out;
    }

    LockedDistribution
    distribution(const JsonNode& node, const Lockfile& lock, std::set<std::string>& before_it) {
        JsonFields fields(node, "a distribution", diagnostics_);
        LockedDistribution out;
        out.source = fields.text("source");
        out.name = fields.text("name");
        out.version = fields.text("version");
        out.tool = fields.text("tool");
        out.needs = fields.texts("needs");
        fields.finish();
        if (lock.find_source(out.source) == nullptr) {
            diagnostics_.error(
                fields.pos_of("source"), fmt::format("there is no source '{}'", out.source));
        }
        for (const std::string& need : out.needs) {
            if (!before_it.contains(need)) {
                diagnostics_.error(
                    fields.pos_of("needs"), fmt::format("'{}' does not come before it", need));
            }
        }
        before_it.insert(out.source);
        return out;
    }

    Diagnostics& diagnostics_;
    std::string last_package_;
};

} // namespace

Lockfile parse_lockfile(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics) {
    const auto root = parse_strict_json(std::move(file), diagnostics);
    return root ? LockReader(diagnostics).read(*root) : Lockfile();
}

Lockfile load_lockfile(const std::string& path) {
    if (!fs::exists(path)) {
        throw Error(fmt::format("there is no lock '{}'", path), ExitCode::invalid_recipe)
            .with_hint(
                "'kiln lock RECIPE' makes it; 'kiln bake RECIPE --refresh' does it on the way");
    }
    auto file = std::make_shared<SourceFile>(SourceFile{path, read_text_file(path)});
    Diagnostics diagnostics;
    Lockfile lock = parse_lockfile(std::move(file), diagnostics);
    diagnostics.throw_if_errors(fmt::format("lock '{}'", path));
    return lock;
}

namespace {

struct Versioned {
    std::string version;
    Digest digest;
};

using Inventory = std::map<std::string, Versioned>;

void compare(const Inventory& before, const Inventory& after, std::vector<std::string>& out) {
    std::set<std::string> names;
    for (const auto* each : {&before, &after}) {
        for (const auto& [name, value] : *each) {
            names.insert(name);
        }
    }
    for (const std::string& name : names) {
        const auto old = before.find(name);
        const auto now = after.find(name);
        if (old == before.end()) {
            out.push_back(fmt::format("+ {} {}", name, now->second.version));
        } else if (now == after.end()) {
            out.push_back(fmt::format("- {} {}", name, old->second.version));
        } else if (old->second.version != now->second.version) {
            out.push_back(
                fmt::format("~ {} {} -> {}", name, old->second.version, now->second.version));
        } else if (old->second.digest != now->second.digest) {
            out.push_back(fmt::format("~ {} {} (other content)", name, now->second.version));
        }
    }
}

} // namespace

std::vector<std::string> describe_changes(const Lockfile& before, const Lockfile& after) {
    const auto packages = [](const Lockfile& lock) {
        Inventory out;
        for (const LockedPackage& package : lock.packages) {
            out[package.package] = {package.version, package.sha256};
        }
        return out;
    };
    const auto sources = [](const Lockfile& lock) {
        Inventory out;
        for (const LockedSource& source : lock.sources) {
            out[fmt::format("{} {}", source.kind, source.name)] = {source.version, source.sha256};
        }
        return out;
    };
    std::vector<std::string> out;
    compare(packages(before), packages(after), out);
    compare(sources(before), sources(after), out);
    return out;
}

} // namespace kiln
