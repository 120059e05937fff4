// SPDX-License-Identifier: MIT
#include "support/toy_archive.hpp"

#include "base/io/digest.hpp"
#include "debian/deb822.hpp"

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

void ToyArchive::add_source(
    const std::string& suite,
    const std::string& name,
    const std::string& version,
    const std::string& content) {
    const std::string upstream = version.substr(0, version.rfind('-'));
    const std::string tarball = fmt::format("{}_{}.orig.tar.gz", name, upstream);
    fs::create_directories(root_ / "pool");
    write_file_atomically(root_ / "pool" / tarball, content);
    const std::string digest = sha256(content).hex();
    sources_[suite] += fmt::format(
        "Package: {0}\nBinary: {0}, {0}-doc\nVersion: {1}\nDirectory: pool\nChecksums-Sha256:\n"
        " {2} 1 {0}_{1}.dsc\n {2} {3} {4}\n {2} 1 {4}.asc\n\n",
        name,
        version,
        digest,
        content.size(),
        tarball);
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
    for (const auto& [suite, index] : sources_) {
        publish_suite(suite, date);
    }
}

std::string ToyArchive::packages_of(const std::string& suite) {
    std::string packages;
    for (const auto& [name, versions] : suites_[suite]) {
        for (const auto& [version, paragraph] : versions) {
            packages += paragraph + "\n";
        }
    }
    return packages;
}

void ToyArchive::sign(const fs::path& folder, const std::string& release) {
    std::string text = release;
    if (!valid_until_.empty()) {
        text = fmt::format("Valid-Until: {}\n", valid_until_) + text;
    }
    write_file_atomically(folder / "Release", text);
    gpg(
        {"--clearsign",
         "--output",
         (folder / "InRelease").string(),
         (folder / "Release").string()});
}

void ToyArchive::publish_flat(const std::string& suite, const std::string& folder) {
    const fs::path dist = root_ / folder;
    fs::create_directories(dist);
    const std::string packages = packages_of(suite);
    write_file_atomically(dist / "Packages", packages);
    sign(
        dist,
        fmt::format(
            "Origin: Toy\nDate: Sat, 09 May 2026 09:47:45 GMT\nSHA256:\n {} {} Packages\n",
            sha256(packages).hex(),
            packages.size()));
}

void ToyArchive::publish_suite(const std::string& suite, const std::string& date) {
    const fs::path dist = root_ / "dists" / suite;
    std::string sums;
    const auto write_index = [&](const std::string& name, const std::string& text) {
        fs::create_directories((dist / name).parent_path());
        write_file_atomically(dist / name, text);
        sums += fmt::format(" {} {} {}\n", sha256(text).hex(), text.size(), name);
    };
    write_index("main/binary-amd64/Packages", packages_of(suite));
    if (const auto sources = sources_.find(suite); sources != sources_.end()) {
        write_index("main/source/Sources", sources->second);
    }
    sign(
        dist,
        fmt::format(
            "Origin: Toy\nSuite: {0}-suite\nCodename: {0}\nDate: {1}\nArchitectures: amd64 all\n"
            "Components: main\nSHA256:\n{2}",
            suite,
            date,
            sums));
}

} // namespace kiln::test
