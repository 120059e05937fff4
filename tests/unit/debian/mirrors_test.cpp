// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "debian/mirrors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;

const ArchiveId kMain{"debian", "bookworm", {"main"}};
const ArchiveId kSecurity{"debian-security", "bookworm-security", {"main"}};

Mirrors mirrors_of(std::vector<std::string> mirrors, std::string environment = {}) {
    return Mirrors({std::move(mirrors), std::move(environment), {}, {}});
}

Mirrors hosted(std::string_view list) {
    MirrorSettings settings;
    settings.host_sources = [sources = parse_apt_list(list)] { return sources; };
    return Mirrors(std::move(settings));
}

TEST(AptList, TakesLinesWithOptionsAndComments) {
    const auto sources = parse_apt_list("# deb http://h/no bookworm main\n"
                                        "deb http://h/debian/ bookworm main contrib # why\n"
                                        "deb [ arch=amd64 signed-by=/k ] https://h/x sid main\n"
                                        "deb [trusted=yes] file:/srv/y ./\n"
                                        "deb-src http://h/debian bookworm main\n"
                                        "deb cdrom:[Debian 12 _Disc_]/ bookworm main\n"
                                        "deb [broken http://h/z sid main\n"
                                        "deb http://h/only\n");
    ASSERT_EQ(sources.size(), 3U);
    EXPECT_EQ(sources[0].uri, "http://h/debian");
    EXPECT_THAT(sources[0].components, ElementsAre("main", "contrib"));
    EXPECT_EQ(sources[1].uri, "https://h/x");
    EXPECT_EQ(sources[1].suite, "sid");
    EXPECT_EQ(sources[2].uri, "file:///srv/y");
}

TEST(AptSources, TakesParagraphsWithSeveralUrisAndSuites) {
    const auto sources = parse_apt_sources(
        "Types: deb deb-src\nURIs: http://h/a/ http://h/b\n# note\nSuites: s t\n"
        "Components: main\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://h/c\nSuites: s\nComponents: main\n\n"
        "Types: deb-src\nURIs: http://h/d\nSuites: s\nComponents: main\n",
        "x.sources");
    ASSERT_EQ(sources.size(), 4U);
    EXPECT_EQ(sources[0].uri, "http://h/a");
    EXPECT_EQ(sources[0].suite, "s");
    EXPECT_EQ(sources[3].uri, "http://h/b");
    EXPECT_EQ(sources[3].suite, "t");
}

TEST(AptSources, NamesTheLineOfAFault) {
    try {
        static_cast<void>(parse_apt_sources("Types: deb\nnonsense\n", "x.sources"));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "x.sources:2: expected a colon after the field name");
    }
}

TEST(AptSources, LoadsFilesInTheirOrder) {
    const TempDir dir(temporary_root(), "kiln-test");
    fs::create_directory(dir.path() / "sources.list.d");
    write_file_atomically(dir.path() / "sources.list", "deb http://h/1 s main\n");
    write_file_atomically(dir.path() / "sources.list.d/b.list", "deb http://h/3 s main\n");
    write_file_atomically(
        dir.path() / "sources.list.d/a.sources",
        "Types: deb\nURIs: http://h/2\nSuites: s\nComponents: main\n");
    write_file_atomically(dir.path() / "sources.list.d/c.disabled", "deb http://h/4 s main\n");
    const auto sources = load_apt_sources(dir.path());
    ASSERT_EQ(sources.size(), 3U);
    EXPECT_EQ(sources[0].uri, "http://h/1");
    EXPECT_EQ(sources[1].uri, "http://h/2");
    EXPECT_EQ(sources[2].uri, "http://h/3");
    EXPECT_TRUE(load_apt_sources(dir.path() / "none").empty());
}

TEST(Mirrors, UsesOnePlainUrlForItsSiblingsToo) {
    const Mirrors mirrors = mirrors_of({"http://h/debian/"});
    EXPECT_THAT(mirrors.bases(kMain), ElementsAre("http://h/debian"));
    EXPECT_THAT(mirrors.bases(kSecurity), ElementsAre("http://h/debian-security"));
}

TEST(Mirrors, TakesAnUnspecificUrlAsItIs) {
    const Mirrors mirrors = mirrors_of({"http://127.0.0.1:8080"});
    EXPECT_THAT(mirrors.bases(kMain), ElementsAre("http://127.0.0.1:8080"));
    EXPECT_THAT(mirrors.bases(kSecurity), ElementsAre("http://127.0.0.1:8080"));
}

TEST(Mirrors, PrefersNamesToGuesses) {
    const Mirrors mirrors =
        mirrors_of({"http://h/debian", "debian-security=http://s/x", "debian-security=http://s/y"});
    EXPECT_THAT(mirrors.bases(kMain), ElementsAre("http://h/debian"));
    EXPECT_THAT(mirrors.bases(kSecurity), ElementsAre("http://s/x", "http://s/y"));
}

TEST(Mirrors, AsksTheCommandLineThenTheEnvironmentThenTheHost) {
    MirrorSettings settings;
    settings.command_line = {"debian-security=http://cli/s"};
    settings.environment = " debian=http://env/d\thttp://env/debian-ports ";
    int loads = 0;
    settings.host_sources = [&] {
        ++loads;
        return parse_apt_list("deb http://host/debian-x bookworm-x main\n");
    };
    const Mirrors mirrors(settings);
    EXPECT_THAT(mirrors.bases(kSecurity), ElementsAre("http://cli/s"));
    EXPECT_THAT(mirrors.bases(kMain), ElementsAre("http://env/d"));
    EXPECT_EQ(loads, 0);
}

TEST(Mirrors, PicksTheHostsSourceOfTheSuite) {
    const Mirrors mirrors =
        hosted("deb http://other/linux/debian bookworm stable\n" // another vendor, same suite name
               "deb http://vendor/nginx bookworm main\n"
               "deb http://old/debian bullseye main\n"
               "deb http://new/debian bookworm main\n"
               "deb http://two/debian bookworm main\n"
               "deb http://sec/debian-security bullseye-security main\n");
    EXPECT_THAT(mirrors.bases(kMain), ElementsAre("http://new/debian", "http://two/debian"));
    EXPECT_THAT(mirrors.bases(kSecurity), ElementsAre("http://sec/debian-security"));
}

TEST(Mirrors, FallsBackToSuiteThenSibling) {
    EXPECT_THAT(hosted("deb http://h/os bookworm main\n").bases(kMain), ElementsAre("http://h/os"));
    EXPECT_THAT(
        hosted("deb http://h/debian bookworm main\n").bases(kSecurity),
        ElementsAre("http://h/debian-security"));
}

TEST(Mirrors, TakesTheRecipesUrlWhereNobodyNamesTheArchive) {
    const ArchiveId docker{"docker", "bookworm", {"main"}, "https://h/linux/debian/"};
    const char* const kUrl = "https://h/linux/debian";
    EXPECT_THAT(mirrors_of({}).bases(docker), ElementsAre(kUrl));
    // A mirror of everything, and Debian's suite of the same name, are not meant.
    EXPECT_THAT(mirrors_of({"http://m"}).bases(docker), ElementsAre(kUrl));
    EXPECT_THAT(hosted("deb http://m/debian bookworm main\n").bases(docker), ElementsAre(kUrl));
    EXPECT_THAT(mirrors_of({"docker=http://m/d"}).bases(docker), ElementsAre("http://m/d"));
    EXPECT_THAT(mirrors_of({}, "docker=http://m/d").bases(docker), ElementsAre("http://m/d"));
    EXPECT_THAT(
        hosted("deb http://m/docker bookworm main\n").bases(docker),
        ElementsAre("http://m/docker"));
}

TEST(Mirrors, FindsFlatRepositoriesOfTheHostByName) {
    const std::string_view list = "deb http://m/tools /\ndeb http://m/other /\n";
    EXPECT_THAT(hosted(list).bases({"tools", "/", {"main"}}), ElementsAre("http://m/tools"));
    EXPECT_THROW(static_cast<void>(hosted(list).bases({"absent", "/", {"main"}})), Error);
}

TEST(Mirrors, SaysHowToNameOne) {
    try {
        static_cast<void>(mirrors_of({}).bases(kSecurity));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "no mirror configured for suite 'bookworm-security' of archive 'debian-security'");
        EXPECT_EQ(
            error.hint(),
            "set one with '--mirror debian-security=URL', KILN_MIRROR='debian-security=URL', or "
            "'url' "
            "of the archive in the recipe (this host's apt sources have none)");
    }
}

TEST(Mirrors, RefusesOtherUrls) {
    try {
        static_cast<void>(mirrors_of({"debian=ftp://me:secret@h/debian"}));
        FAIL() << "no exception";
    } catch (const UsageError& error) {
        EXPECT_EQ(
            error.message(), "mirror 'ftp://***@h/debian' is not an http:, https: or file: URL");
        EXPECT_EQ(error.exit_code(), ExitCode::usage);
    }
}

TEST(Mirrors, KnowsTheSnapshotService) {
    EXPECT_FALSE(mirrors_of({}).snapshot_base("debian", "20260101T000000Z"));
    const Mirrors mirrors({{}, {}, {}, "https://snap/"});
    EXPECT_EQ(
        mirrors.snapshot_base("debian", "20260101T000000Z"),
        "https://snap/archive/debian/20260101T000000Z");
}

TEST(JoinUrl, EscapesWhatAUrlCannotHold) {
    EXPECT_EQ(join_url("http://h/d", "pool/g++_1%3a2~b.deb"), "http://h/d/pool/g++_1%253a2~b.deb");
}

} // namespace
} // namespace kiln
