// SPDX-License-Identifier: MIT
//
// Stands in for apt-get in kiln's private apt directory: package lists come from the test, and
// "solving" is to take what was asked for with its Depends, all of the newest version that its
// list has. For what kiln makes of apt's answers; apt itself is in tests/functional/solve_test.cpp.
#pragma once

#include "base/io/digest.hpp"
#include "base/io/file.hpp"
#include "base/process/process.hpp"
#include "base/text.hpp"
#include "debian/deb_version.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace kiln::test {

class FakeApt final : public ProcessRunner {
  public:
    /// A paragraph of a package list; digest and size are made up.
    struct Package {
        std::string name;
        std::string version;
        std::string depends = {};
        std::string more = {}; ///< further lines: "Essential: yes\n"
    };

    /// The packages of the nth archive of a request; its component is main.
    std::map<std::size_t, std::vector<Package>> archives;
    std::string release_date = "Sat, 09 May 2026 09:47:45 UTC";
    /// What `apt-get update` or `-s install` say instead of working; empty: they work.
    std::string update_failure;
    std::string install_failure;
    std::vector<Command> commands;

    ProcessResult run(const Command& command) override {
        commands.push_back(command);
        const fs::path directory = fs::path(command.env.at("APT_CONFIG")).parent_path();
        if (command.args.back() == "update") {
            return update(directory);
        }
        if (command.args.front() == "indextargets") {
            return targets(directory, command.args.back() == "Created-By: Packages");
        }
        return install(directory, command);
    }

  private:
    static ProcessResult said(std::string text) {
        ProcessResult out;
        out.output = std::move(text);
        return out;
    }

    static ProcessResult failed(std::string text) {
        ProcessResult out = said(std::move(text));
        out.exit_status = 100;
        return out;
    }

    static std::string prefix(const fs::path& directory, std::size_t archive) {
        return (directory / "state/lists" / fmt::format("mirror_{}_", archive)).string();
    }

    static std::string paragraph(const Package& package) {
        std::string out = fmt::format(
            "Package: {0}\nVersion: {1}\nArchitecture: amd64\n{2}{3}"
            "Filename: pool/{0}_{1}.deb\nSize: 7\nSHA256: {4}\n",
            package.name,
            package.version,
            package.depends.empty() ? "" : "Depends: " + package.depends + "\n",
            package.more,
            sha256(package.name + package.version).hex());
        return out + "\n";
    }

    ProcessResult update(const fs::path& directory) const {
        if (!update_failure.empty()) {
            return failed(update_failure);
        }
        for (const auto& [archive, packages] : archives) {
            std::string list;
            for (const Package& package : packages) {
                list += paragraph(package);
            }
            write_file(prefix(directory, archive) + "main_binary-amd64_Packages", list);
            write_file(prefix(directory, archive) + "InRelease", "Date: " + release_date + "\n");
        }
        return {};
    }

    ProcessResult targets(const fs::path& directory, bool of_packages) const {
        std::string out;
        for (const auto& [archive, packages] : archives) {
            if (of_packages) {
                out += fmt::format(
                    "/etc/kiln.sources:{}|main|{}main_binary-amd64_Packages\n",
                    archive + 1,
                    prefix(directory, archive));
            }
        }
        return said(out);
    }

    [[nodiscard]] const Package* newest(const std::string& name) const {
        const Package* out = nullptr;
        for (const auto& [archive, packages] : archives) {
            for (const Package& package : packages) {
                if (package.name == name &&
                    (out == nullptr ||
                     DebVersion::parse(package.version) > DebVersion::parse(out->version))) {
                    out = &package;
                }
            }
        }
        return out;
    }

    void add(const std::string& name, std::set<std::string>& done, std::string& out) const {
        const Package* package = newest(name);
        if (package == nullptr || !done.insert(name).second) {
            return;
        }
        for (const std::string& needed : split(package->depends, ',')) {
            add(std::string(trim(needed)), done, out);
        }
        out += fmt::format("Inst {} ({} Toy:1/toy [amd64])\n", name, package->version);
    }

    ProcessResult install(const fs::path& directory, const Command& command) const {
        if (!install_failure.empty()) {
            return failed(install_failure);
        }
        std::set<std::string> done;
        for (const std::string& line : split_lines(read_text_file(directory / "state/status"))) {
            if (line.starts_with("Package: ")) {
                done.insert(line.substr(9));
            }
        }
        std::string out;
        bool is_name = false;
        for (const std::string& word : command.args) {
            if (is_name) {
                add(word, done, out);
            }
            is_name = is_name || word == "--";
        }
        return said(out);
    }
};

} // namespace kiln::test
