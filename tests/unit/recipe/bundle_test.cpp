// SPDX-License-Identifier: MIT
#include "recipe/artifacts/bundle.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class BundleFiles : public testing::Test {
  protected:
    fs::path write(const std::string& name, std::string_view text) {
        const fs::path path = dir_.path() / name;
        write_file_atomically(path, text);
        return path;
    }

    static PerlBundle load(const fs::path& path) {
        Diagnostics diags;
        auto bundle = load_bundle(path, diags);
        EXPECT_EQ(diags.render_all(), "");
        return bundle.value_or(PerlBundle());
    }

    static std::string faults(const fs::path& path) {
        Diagnostics diags;
        EXPECT_FALSE(load_bundle(path, diags));
        return diags.render_all();
    }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

constexpr std::string_view kCore = R"(kiln: 1
bundle: core
prefix: /opt/perl
archives:
  - {archive: debian, suites: [bookworm]}
sources:
  - {archive: debian, suites: [bookworm, trixie]}
build:
  install: [gcc, make]
perl: {source: perl, suite: trixie, version: 5.40.1}
distributions:
  - libtry-tiny-perl
  - {source: libdbd-mysql-perl, version: 4.050}
)";

std::vector<std::string> names_of(const PerlBundle& bundle) {
    std::vector<std::string> out;
    for (const DistributionSpec& spec : bundle.distributions) {
        out.push_back(spec.name());
    }
    return out;
}

TEST_F(BundleFiles, AreReadWhole) {
    const PerlBundle bundle = load(write("core.yaml", kCore));
    EXPECT_EQ(bundle.name, "core");
    EXPECT_EQ(bundle.prefix, "/opt/perl");
    EXPECT_THAT(bundle.root.packages, ElementsAre("gcc", "make"));
    EXPECT_THAT(bundle.source_archives[0].suites, ElementsAre("bookworm", "trixie"));
    EXPECT_THAT(bundle.source_archives[0].components, ElementsAre("main"));
    const auto& perl = std::get<DebianSource>(bundle.perl.from);
    EXPECT_EQ(perl.package, "perl");
    EXPECT_EQ(perl.suite, "trixie");
    EXPECT_EQ(perl.version, "5.40.1");
    EXPECT_THAT(names_of(bundle), ElementsAre("libtry-tiny-perl", "libdbd-mysql-perl"));
    EXPECT_EQ(std::get<DebianSource>(bundle.distributions[1].from).version, "4.050");
}

TEST_F(BundleFiles, AddToTheOneTheyExtend) {
    write("core.yaml", kCore);
    const PerlBundle bundle = load(write("pause.yaml", R"(kiln: 1
bundle: pause
extends: core.yaml
distributions:
  - {source: libtry-tiny-perl, suite: trixie}
  - cpan: authors/id/R/RJ/RJBS/Process-Status-0.010.tar.gz
    sha256: "0000000000000000000000000000000000000000000000000000000000000001"
)"));
    EXPECT_EQ(bundle.name, "pause");
    EXPECT_EQ(bundle.prefix, "/opt/perl");
    EXPECT_THAT(
        names_of(bundle),
        ElementsAre(
            "libtry-tiny-perl",
            "libdbd-mysql-perl",
            "authors/id/R/RJ/RJBS/Process-Status-0.010.tar.gz"));
    EXPECT_EQ(std::get<DebianSource>(bundle.distributions[0].from).suite, "trixie");
    EXPECT_EQ(std::get<CpanRelease>(bundle.distributions[2].from).sha256.hex().back(), '1');
    EXPECT_EQ(bundle.files.size(), 2U);
}

TEST_F(BundleFiles, AreRefusedWithEveryFault) {
    const std::string text = faults(write("bad.yaml", R"(kiln: 1
bundle: Bad
prefix: opt/perl
distributions:
  - Try::Tiny
  - {cpan: RJBS/Process-Status-0.010.tar.gz, sha256: "12"}
)"));
    EXPECT_THAT(text, HasSubstr("bad.yaml:2:9: error: 'bundle' must be a name, not 'Bad'"));
    EXPECT_THAT(text, HasSubstr("bad.yaml:3:9: error: 'prefix' must be a plain absolute path"));
    EXPECT_THAT(text, HasSubstr("bad.yaml:5:5: error: "));
    EXPECT_THAT(text, HasSubstr("bad.yaml:6:12: error: 'cpan' must be a CPAN path"));
    EXPECT_THAT(text, HasSubstr("'sha256' must be a SHA-256 digest"));
}

TEST_F(BundleFiles, HaveAPrefixThatMakefilesCanBear) {
    for (const char* prefix : {"/", "/opt/perl/", "/opt//perl", "/opt/../perl", "/opt/my perl"}) {
        const std::string head = "kiln: 1\nbundle: web\n";
        EXPECT_THAT(
            faults(write("prefix.yaml", fmt::format("{}prefix: {}\n", head, prefix))),
            HasSubstr("prefix.yaml:3:9: error: 'prefix' must be a plain absolute path"))
            << prefix;
    }
}

TEST_F(BundleFiles, MustBeWholeAndNameADistributionOnce) {
    const std::string text = faults(write("part.yaml", R"(kiln: 1
bundle: part
prefix: /opt/perl
archives: [{archive: debian, suites: [bookworm]}]
sources: [{archive: debian, suites: [bookworm]}]
perl: {source: perl}
distributions: [libmoo-perl, {source: libmoo-perl, suite: trixie}]
)"));
    EXPECT_THAT(text, HasSubstr("error: missing key 'build' in bundle"));
    EXPECT_THAT(text, HasSubstr("part.yaml:7:30: error: duplicate distribution 'libmoo-perl'"));
}

TEST_F(BundleFiles, ReplaceDistributionsUnderOtherNames) {
    write("web.yaml", kCore);
    const PerlBundle bundle = load(write("newer.yaml", R"(kiln: 1
bundle: newer
extends: web.yaml
distributions: [{module: Try::Tiny, replaces: libtry-tiny-perl}, libmoo-perl]
)"));
    EXPECT_THAT(names_of(bundle), ElementsAre("libdbd-mysql-perl", "Try::Tiny", "libmoo-perl"));
    EXPECT_EQ(bundle.distributions[1].replaces, "libtry-tiny-perl");
    EXPECT_THAT(
        faults(write("wrong.yaml", R"(kiln: 1
bundle: wrong
extends: web.yaml
distributions:
  - libmoo-perl
  - {module: Moo, replaces: libmoo-perl}
)")),
        HasSubstr("wrong.yaml:6:5: error: 'Moo' replaces 'libmoo-perl', which does not exist"));
}

TEST_F(BundleFiles, DoNotExtendEachOther) {
    write("a.yaml", "kiln: 1\nbundle: a\nextends: b.yaml\n");
    const fs::path b = write("b.yaml", "kiln: 1\nbundle: b\nextends: a.yaml\n");
    EXPECT_THAT(faults(b), HasSubstr("circular 'extends' between bundles: "));
}

TEST_F(BundleFiles, OfThisProjectAreGood) {
    const PerlBundle core = load(fs::path(KILN_SOURCE_DIR) / "perl-bundle/core.yaml");
    EXPECT_EQ(core.name, "core");
    EXPECT_GT(core.distributions.size(), 150U);
}

} // namespace
} // namespace kiln
