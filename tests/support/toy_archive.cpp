// SPDX-License-Identifier: MIT
#include "support/toy_archive.hpp"

#include "base/digest.hpp"
#include "formats/deb822.hpp"

#include <fmt/format.h>

#include <utility>

namespace kiln::test {

ToyArchive::ToyArchive(std::filesystem::path root)
    : root_(std::move(root)), home_("/tmp", "toy-gpg") { // a socket's path must be short
    gpg({"--quick-gen-key", "toy@example.invalid", "ed25519", "sign", "never"});
    gpg({"--output", keyring().string(), "--export", "toy@example.invalid"});
}

ToyArchive::~ToyArchive() {
    try {
        runner_.run(
            {"gpgconf",
             {"--homedir", home_.path().string(), "--kill", "all"},
             clean_environment()});
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): the agent ends with its home
    }
}

void ToyArchive::gpg(std::vector<std::string> args) {
    std::vector<std::string> all{
        "--homedir",
        home_.path().string(),
        "--batch",
        "--yes",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        ""};
    all.insert(all.end(), args.begin(), args.end());
    runner_.run_checked({"gpg", std::move(all), clean_environment()});
}

std::filesystem::path ToyArchive::deb(const std::string& name, const std::string& version) const {
    return root_ / "pool" / fmt::format("{}_{}.deb", name, version);
}

void ToyArchive::add(const std::string& suite, const ToyPackage& package) {
    Deb822Paragraph control;
    control.set("Package", package.name);
    control.set("Version", package.version);
    control.set("Architecture", "all");
    control.set("Maintainer", "Toy <toy@example.invalid>");
    control.set("Description", "toy package");
    for (const auto& [name, value] : package.fields) {
        control.set(name, value);
    }
    const TempDir tree(temporary_root(), "toy-deb");
    fs::permissions(tree.path(), fs::perms{0755});
    fs::create_directories(tree.path() / "DEBIAN");
    write_file_atomically(tree.path() / "DEBIAN/control", control.to_string());
    for (const auto& [path, content] : package.files) {
        fs::create_directories((tree.path() / path).parent_path());
        write_file_atomically(tree.path() / path, content);
    }
    const fs::path file = deb(package.name, package.version);
    fs::create_directories(file.parent_path());
    runner_.run_checked(
        {"dpkg-deb",
         {"--build", "--root-owner-group", tree.path().string(), file.string()},
         clean_environment()});
    control.set("Filename", fs::relative(file, root_).string());
    control.set("Size", std::to_string(fs::file_size(file)));
    control.set("SHA256", sha256_file(file.string()).hex());
    suites_[suite][package.name][package.version] = control.to_string();
}

void ToyArchive::remove(const std::string& suite, const std::string& name) {
    for (const auto& [version, paragraph] : suites_[suite][name]) {
        fs::remove(deb(name, version));
    }
    suites_[suite].erase(name);
}

void ToyArchive::publish(const std::string& date) {
    for (const auto& [suite, packages] : suites_) {
        publish_suite(suite, date);
    }
}

void ToyArchive::publish_suite(const std::string& suite, const std::string& date) {
    std::string index;
    for (const auto& [name, versions] : suites_[suite]) {
        for (const auto& [version, paragraph] : versions) {
            index += paragraph + "\n";
        }
    }
    const fs::path dist = root_ / "dists" / suite;
    fs::create_directories(dist / "main/binary-amd64");
    write_file_atomically(dist / "main/binary-amd64/Packages", index);
    write_file_atomically(
        dist / "Release",
        fmt::format(
            "Origin: Toy\nSuite: {0}-suite\nCodename: {0}\nDate: {1}\nArchitectures: amd64 all\n"
            "Components: main\nSHA256:\n {2} {3} main/binary-amd64/Packages\n",
            suite,
            date,
            sha256(index).hex(),
            index.size()));
    gpg({"--clearsign", "--output", (dist / "InRelease").string(), (dist / "Release").string()});
}

} // namespace kiln::test
