// SPDX-License-Identifier: MIT
#include "run/suite.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace kiln {

namespace {

Milliseconds time_at(const Value& object, std::string_view key) {
    return Milliseconds(object.at(key).as_integer());
}

/// 0 when it is not given and has no default.
std::uint64_t size_at(const Value& object, std::string_view key) {
    const Value* given = object.find(key);
    return given == nullptr ? 0 : static_cast<std::uint64_t>(given->as_integer());
}

std::map<std::string, std::string> read_map(const Value& object, std::string_view key) {
    std::map<std::string, std::string> out;
    if (const Value* map = object.find(key)) {
        for (const Member& member : map->members()) {
            out[member.key] = member.value.as_string();
        }
    }
    return out;
}

ReadySpec read_ready(const Value& value) {
    ReadySpec out;
    out.port = value.string_or_empty("port");
    out.tls = value.at("tls").as_boolean();
    out.path = value.string_or_empty("path");
    for (const Value& status : value.at("status").as_list()) {
        out.statuses.push_back(static_cast<int>(status.as_integer()));
    }
    out.console = value.string_or_empty("console");
    out.run = value.string_or_empty("run");
    out.within = time_at(value, "within");
    return out;
}

ContainerSpec read_container(const Value& value) {
    ContainerSpec out;
    out.environment = read_map(value, "environment");
    out.volume = value.string_or_empty("volume");
    out.memory_bytes = size_at(value, "memory");
    out.command = value.strings_or_empty("command");
    out.options = value.strings_or_empty("options");
    out.stop = time_at(value, "stop");
    return out;
}

MachineSpec read_machine(const Value& value) {
    MachineSpec out;
    out.memory_bytes = static_cast<std::uint64_t>(value.at("memory").as_integer());
    out.cpus = static_cast<unsigned>(value.at("cpus").as_integer());
    const std::string& inside = value.at("inside").as_string();
    out.inside = inside == "ssh"      ? MachineShell::ssh
                 : inside == "serial" ? MachineShell::serial
                                      : MachineShell::none;
    out.root_bytes = size_at(value, "root_disk");
    out.data_bytes = size_at(value, "data_disk");
    out.seed = read_map(value, "seed");
    out.outgoing = value.at("outgoing").as_boolean();
    out.stop = time_at(value, "stop");
    return out;
}

void read_sections(const Value& value, Suite& suite) {
    suite.ready = read_ready(value.at("ready"));
    suite.container = read_container(value.at("container"));
    suite.machine = read_machine(value.at("vm"));
}

std::optional<InstanceKind> read_only_kind(const Value& check) {
    const std::vector<std::string> kinds = check.at("only").as_strings();
    const std::set<std::string> distinct(kinds.begin(), kinds.end());
    if (distinct.size() != 1) {
        return std::nullopt;
    }
    return *distinct.begin() == "vm" ? InstanceKind::vm : InstanceKind::container;
}

/// Reads one file; what no shape can say is checked on the way.
class Reader {
  public:
    Reader(const Variables& set, Diagnostics& diags) : set_(set), diags_(diags) {}

    std::optional<Suite> read(YamlNode& tree) {
        collect_variables(tree);
        substitute_in(tree, "container", {"environment", "command"});
        substitute_in(tree, "vm", {"seed"});
        const Value value = validate(tree, suite_shape(), diags_);
        if (diags_.has_errors()) {
            return std::nullopt;
        }
        check_overrides();
        read_values(value);
        read_setups(value);
        read_checks(value);
        if (diags_.has_errors()) {
            return std::nullopt;
        }
        return std::move(suite_);
    }

  private:
    void collect_variables(const YamlNode& tree) {
        const YamlNode* section = tree.find("variables");
        if (section == nullptr) {
            return;
        }
        for (const YamlMember& member : section->members) {
            const std::string& name = member.key.text;
            if (name == "ssh_key" || name.starts_with("port_") || is_reserved(name)) {
                diags_.error(
                    member.key.pos,
                    fmt::format("the variable name '{}' is reserved", name),
                    "kiln sets this variable for scripts itself; see docs/accept.md");
            }
            if (member.value.kind == YamlNode::Kind::scalar) {
                const auto set = set_.find(name);
                suite_.variables[name] = set == set_.end() ? member.value.text : set->second;
            }
        }
    }

    /// What scripts have in their environment anyway.
    static bool is_reserved(std::string_view name) {
        constexpr auto kReserved = std::to_array<std::string_view>(
            {"kind",
             "host",
             "scratch",
             "shared",
             "image",
             "manifest",
             "source",
             "kiln",
             "emulated",
             "path",
             "home",
             "tmpdir",
             "lc_all",
             "tz"});
        return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end() ||
               name.starts_with("docker_");
    }

    void substitute_in(
        YamlNode& tree, std::string_view section, std::initializer_list<std::string_view> keys) {
        Variables scope = suite_.variables;
        scope.emplace("ssh_key", kSshKeyMark);
        for (YamlMember& member : tree.members) {
            if (member.key.text != section) {
                continue;
            }
            for (YamlMember& inner : member.value.members) {
                if (std::find(keys.begin(), keys.end(), inner.key.text) != keys.end()) {
                    substitute(inner.value, scope, diags_);
                }
            }
        }
    }

    void check_overrides() const {
        std::vector<std::string_view> known;
        for (const auto& [name, value] : suite_.variables) {
            known.push_back(name);
        }
        for (const auto& [name, value] : set_) {
            if (!suite_.variables.contains(name)) {
                throw UsageError(fmt::format("unknown variable '{}' (--set)", name))
                    .with_hint(did_you_mean(name, known))
                    .with_hint(
                        known.empty() ? "the suite has no variables"
                                      : fmt::format("it has: {}", fmt::join(known, ", ")));
            }
        }
    }

    void read_values(const Value& value) {
        suite_.name = value.at("suite").as_string();
        suite_.summary = value.string_or_empty("summary");
        suite_.source = value.string_or_empty("source");
        suite_.login = value.string_or_empty("login");
        if (const Value* ports = value.find("ports")) {
            for (const Member& member : ports->members()) {
                suite_.ports.push_back(
                    {member.key, static_cast<std::uint16_t>(member.value.as_integer())});
            }
        }
        read_sections(value, suite_);
        check_ready(value.at("ready"));
    }

    void check_ready(const Value& ready) {
        const Value* port = ready.find("port");
        if (port == nullptr) {
            for (const char* key : {"tls", "path", "status"}) {
                if (const Value* useless = ready.find(key)) {
                    diags_.error(
                        useless->pos(),
                        fmt::format("'{}' requires 'port'", key),
                        "add 'port: NAME'");
                }
            }
            return;
        }
        if (suite_.find_port(port->as_string()) == nullptr) {
            std::vector<std::string_view> names;
            for (const SuitePort& each : suite_.ports) {
                names.push_back(each.name);
            }
            std::string hint = did_you_mean(port->as_string(), names);
            diags_.error(
                port->pos(),
                fmt::format("unknown port '{}'", port->as_string()),
                hint.empty() ? "add it to 'ports'" : std::move(hint));
        }
    }

    void read_setups(const Value& value) {
        const Value* list = value.find("setup");
        if (list == nullptr) {
            return;
        }
        std::map<std::string, SourcePos> seen;
        for (const Value& item : list->as_list()) {
            note_name(item.at("setup"), "setup", seen);
            check_after(item, "a setup can only depend on earlier ones");
            suite_.setups.push_back(
                {item.at("setup").as_string(),
                 item.strings_or_empty("after"),
                 time_at(item, "timeout"),
                 item.at("run").as_string()});
        }
    }

    void read_checks(const Value& value) {
        const Value* list = value.find("checks");
        if (list == nullptr) {
            return;
        }
        std::map<std::string, SourcePos> seen;
        for (const Value& item : list->as_list()) {
            note_name(item.at("check"), "check", seen);
            check_after(item, "add it to 'setup'");
            if (const Value* source = item.find("source");
                source != nullptr && !suite_has_source_) {
                if (suite_.source.empty()) {
                    diags_.error(
                        source->pos(),
                        "the suite has no 'source' script to determine the source of the image",
                        "add a 'source:' script at the top level");
                    suite_has_source_ = true; // once is enough
                }
            }
            CheckSpec check;
            check.id = item.at("check").as_string();
            check.title = item.at("title").as_string();
            check.only = read_only_kind(item);
            check.sources = item.strings_or_empty("source");
            check.after = item.strings_or_empty("after");
            check.timeout = time_at(item, "timeout");
            check.run = item.at("run").as_string();
            suite_.checks.push_back(std::move(check));
        }
    }

    void
    note_name(const Value& name, std::string_view noun, std::map<std::string, SourcePos>& seen) {
        const auto [first, added] = seen.emplace(name.as_string(), name.pos());
        if (!added) {
            diags_.error(
                name.pos(),
                fmt::format("duplicate {} '{}'", noun, name.as_string()),
                fmt::format("the first is at {}", first->second.to_string()));
        }
    }

    void check_after(const Value& item, std::string_view otherwise) {
        const Value* after = item.find("after");
        if (after == nullptr) {
            return;
        }
        std::vector<std::string_view> names;
        for (const SetupSpec& setup : suite_.setups) {
            names.push_back(setup.name);
        }
        for (const Value& name : after->as_list()) {
            if (suite_.find_setup(name.as_string()) == nullptr) {
                std::string hint = did_you_mean(name.as_string(), names);
                diags_.error(
                    name.pos(),
                    fmt::format("unknown setup '{}'", name.as_string()),
                    hint.empty() ? std::string(otherwise) : std::move(hint));
            }
        }
    }

    const Variables& set_;
    Diagnostics& diags_;
    Suite suite_;
    bool suite_has_source_ = false;
};

} // namespace

std::string_view kind_name(InstanceKind kind) {
    return kind == InstanceKind::vm ? "vm" : "container";
}

const SuitePort* Suite::find_port(std::string_view port_name) const {
    const auto found = std::find_if(
        ports.begin(), ports.end(), [&](const SuitePort& each) { return each.name == port_name; });
    return found == ports.end() ? nullptr : &*found;
}

const SetupSpec* Suite::find_setup(std::string_view setup_name) const {
    const auto found = std::find_if(setups.begin(), setups.end(), [&](const SetupSpec& each) {
        return each.name == setup_name;
    });
    return found == setups.end() ? nullptr : &*found;
}

Suite default_suite() {
    Suite out;
    read_sections(Value::of_map({}, {}, defaults_of(suite_shape())), out);
    return out;
}

std::optional<Suite> load_suite(const fs::path& path, const Variables& set, Diagnostics& diags) {
    std::optional<YamlNode> tree = load_yaml(path, diags);
    if (!tree) {
        return std::nullopt;
    }
    return Reader(set, diags).read(*tree);
}

} // namespace kiln
