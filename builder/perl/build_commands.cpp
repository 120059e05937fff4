// SPDX-License-Identifier: MIT
#include "perl/build_commands.hpp"

#include <fmt/format.h>

#include <utility>

namespace kiln {

namespace {

/// REPRO: what perl's Configure would ask the machine and the clock for, and write into Config.pm,
/// config.h and perlbug. Folders of /usr/local are not looked into: the build root has none.
std::vector<std::string> configure_arguments(const PerlLayout& perl) {
    const auto set = [](std::string_view name, std::string_view value) {
        return fmt::format("-D{}={}", name, value);
    };
    const std::string library = fmt::format("{}/lib/{}", perl.prefix, perl.version);
    return {
        "-des",
        set("prefix", perl.prefix),
        set("privlib", library),
        set("sitelib", perl.site_library()),
        set("archname", "x86_64-linux"),
        set("man1dir", "none"),
        set("man3dir", "none"),
        set("inc_version_list", "none"),
        set("locincpth", " "),
        set("loclibpth", " "),
        set("cc", "gcc"),
        set("optimize", "-O2"),
        set("osvers", "6"),
        set("myuname", "linux kiln"),
        set("myhostname", "kiln"),
        set("mydomain", ".localdomain"),
        set("cf_by", "kiln"),
        set("cf_email", "root@localhost"),
        set("perladmin", "root@localhost")};
}

/// REPRO: Configure asks the clock whatever its options say, but reads config.over before it writes
/// config.sh.
constexpr const char* kPinTime =
    "echo \"cf_time='$(date --utc --date=@$SOURCE_DATE_EPOCH)'\" > config.over";

BuildPhase phase(std::string name, std::string program, std::vector<std::string> args) {
    BuildPhase out{std::move(name), Command{std::move(program), std::move(args)}};
    out.command.env = {
        {"HOME", "/tmp"},
        // REPRO: the order of hashes ends up in generated files.
        {"PERL_HASH_SEED", "0"},
    };
    return out;
}

/// Everything with a symbol table that nobody needs.
BuildPhase strip_phase() {
    return phase(
        "strip",
        "find",
        {kOutFolder,
         "-type",
         "f",
         "(",
         "-name",
         "*.so",
         "-o",
         "-path",
         "*/bin/perl",
         ")",
         "-exec",
         "strip",
         "--strip-unneeded",
         "{}",
         "+"});
}

std::string destdir() {
    return fmt::format("DESTDIR={}", kOutFolder);
}

Environment
distribution_environment(const PerlLayout& perl, const std::vector<std::string>& libraries) {
    return {
        {"HOME", "/tmp"},
        {"PATH", fmt::format("{}/bin:{}", perl.prefix, clean_environment().at("PATH"))},
        {"PERL5LIB", fmt::format("{}", fmt::join(libraries, ":"))},
        {"PERL_HASH_SEED", "0"},
        // Questions are answered with what their author proposes.
        {"PERL_MM_USE_DEFAULT", "1"},
        // Many a Makefile.PL loads its helpers from the folder it is in.
        {"PERL_USE_UNSAFE_INC", "1"},
        {"PERL_MM_OPT", "INSTALLDIRS=site NO_PACKLIST=1 NO_PERLLOCAL=1"},
        {"PERL_MB_OPT", "--installdirs site"},
        {"NONINTERACTIVE_TESTING", "1"},
    };
}

} // namespace

std::vector<BuildPhase> perl_phases(const PerlLayout& perl, unsigned jobs) {
    const std::string at_once = fmt::format("--jobs={}", jobs);
    BuildPhase configure = phase("configure", "./Configure", configure_arguments(perl));
    // It ends with a "make depend" of its own.
    configure.command.env["MAKEFLAGS"] = at_once;
    return {
        phase("prepare", "sh", {"-euc", kPinTime}),
        std::move(configure),
        phase("build", "make", {at_once}),
        // Not "install", which formats manual pages too: without folders for them into "/".
        phase("install", "make", {at_once, "install.perl", destdir()}),
        strip_phase()};
}

std::vector<BuildPhase> distribution_phases(
    BuildTool tool, const PerlLayout& perl, const std::vector<std::string>& libraries) {
    std::vector<BuildPhase> out;
    switch (tool) {
    case BuildTool::makefile:
        out = {
            phase("configure", perl.program(), {"Makefile.PL"}),
            phase("build", "make", {}),
            phase("install", "make", {"pure_install", destdir()})};
        out.front().makes = "Makefile";
        break;
    case BuildTool::build_script:
        out = {
            phase("configure", perl.program(), {"Build.PL"}),
            phase("build", perl.program(), {"Build"}),
            phase("install", perl.program(), {"Build", "install", "--destdir", kOutFolder})};
        out.front().makes = "Build";
        break;
    default:
        return {};
    }
    out.push_back(strip_phase());
    for (BuildPhase& each : out) {
        each.command.env = distribution_environment(perl, libraries);
    }
    return out;
}

} // namespace kiln
