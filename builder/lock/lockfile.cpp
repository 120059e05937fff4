// SPDX-License-Identifier: MIT
#include "lock/lockfile.hpp"

#include "base/error.hpp"
#include "lock/strict_json.hpp"

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

std::string request_text(const RequestPart& part) {
    std::string out = fmt::format("{{\"part\": {},\n", quote_json(part.part));
    append_list(out, "says", quoted(part.says), 5);
    return out + "}";
}

std::string release_line(const LockedRelease& release) {
    return LineWriter()
        .text("archive", release.archive)
        .text("suite", release.suite)
        .number("date", static_cast<std::uint64_t>(release.date))
        .object();
}

template <typename T, typename Function>
std::vector<std::string> lines_of(const std::vector<T>& values, Function&& line) {
    std::vector<std::string> out;
    for (const T& value : values) {
        out.push_back(line(value));
    }
    return out;
}

/// Everything but the result, the last member and the closing brace.
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
    list("request", lines_of(lock.request, request_text));
    list("releases", lines_of(lock.releases, release_line));
    list("stages", lines_of(lock.stages, stage_text));
    list("packages", lines_of(lock.packages, package_line));
    list("sources", lines_of(lock.sources, source_line));
    if (!lock.distributions.empty()) {
        list("distributions", lines_of(lock.distributions, distribution_line));
    }
    return out;
}

std::string result_text(const std::optional<LockedResult>& result) {
    return result ? fmt::format(
                        "  \"result\": {},\n",
                        LineWriter()
                            .text("key", result->key.hex())
                            .text("tree", result->tree.hex())
                            .object())
                  : std::string();
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
            fmt::format("the lock has no packages stage '{}' ({})", stage, branch),
            ExitCode::invalid_recipe)
            .with_hint(fmt::format(
                "the recipe changed after it was locked: run 'kiln lock {}' to update the lock",
                recipe));
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

Digest Lockfile::content_digest() const {
    return sha256(body(*this) + result_text(result));
}

std::string Lockfile::to_text() const {
    const std::string text = body(*this) + result_text(result);
    return fmt::format("{}  \"content\": \"{}\"\n}}\n", text, sha256(text).to_string());
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
            out.push_back(fmt::format("~ {} {} (content changed)", name, now->second.version));
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
