// SPDX-License-Identifier: MIT
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "perl/distribution.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::Pair;

class Tarballs : public testing::Test {
  protected:
    fs::path write(const std::vector<std::pair<std::string, std::string>>& files) {
        const fs::path path = dir_.path() / "dist.tar";
        AtomicFile file(path);
        TarWriter writer(file);
        for (const auto& [name, text] : files) {
            Entry entry;
            entry.size = text.size();
            entry.data = std::make_shared<const std::string>(text);
            writer.add(name, entry);
        }
        writer.finish();
        file.commit();
        return path;
    }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(Tarballs, TellWhatTheyNeedAndProvide) {
    const Distribution dist = read_distribution(
        write(
            {{"A-B-1.5/META.yml", "name: Old\nversion: 1\n"},
             {"A-B-1.5/META.json",
              R"({"name": "A-B", "version": "1.5", "prereqs": {"runtime": {"requires": {"C": 1}}}})"},
             {"A-B-1.5/Makefile.PL", "..."},
             {"A-B-1.5/lib/A/B.pm", "package A::B;\nour $VERSION = '1.5';\n"},
             {"A-B-1.5/t/lib/T.pm", "package T;\n"}}),
        "a-b.tar");
    EXPECT_EQ(dist.name, "A-B");
    EXPECT_EQ(dist.version, "1.5");
    EXPECT_EQ(dist.tool, BuildTool::makefile);
    EXPECT_THAT(dist.modules, ElementsAre(Pair("A::B", "1.5")));
    ASSERT_EQ(dist.needs.size(), 1U);
    EXPECT_EQ(dist.needs[0].module, "C");
}

TEST_F(Tarballs, AreCalledLikeTheirFolderWithoutMeta) {
    const Distribution dist = read_distribution(
        write({{"File-CounterFile-1.04/Makefile.PL", ""}, {"File-CounterFile-1.04/X.pm", ""}}),
        "x");
    EXPECT_EQ(dist.name, "File-CounterFile");
    EXPECT_EQ(dist.version, "1.04");
}

TEST_F(Tarballs, AreBuiltAsTheirAuthorWantsIt) {
    const std::string modern =
        R"({"name": "A", "prereqs": {"configure": {"requires": {"Module::Build::Tiny": "0.3"}}}})";
    EXPECT_EQ(
        read_distribution(
            write({{"A-1/META.json", modern}, {"A-1/Makefile.PL", ""}, {"A-1/Build.PL", ""}}), "x")
            .tool,
        BuildTool::build_script);
    EXPECT_EQ(
        read_distribution(write({{"A-1/Makefile.PL", ""}, {"A-1/Build.PL", ""}}), "x").tool,
        BuildTool::makefile);
    EXPECT_EQ(read_distribution(write({{"A-1/Build.PL", ""}}), "x").tool, BuildTool::build_script);
}

TEST_F(Tarballs, AreRefusedWhenNothingBuildsThem) {
    try {
        static_cast<void>(read_distribution(write({{"A-1/lib/A.pm", "package A;"}}), "a.tar"));
        FAIL() << "was read";
    } catch (const Error& error) {
        EXPECT_THAT(
            std::string(error.what()), HasSubstr("'a.tar' has neither Makefile.PL nor Build.PL"));
    }
}

TEST_F(Tarballs, OfPerlTellCoreModules) {
    const PerlModules modules =
        read_perl_source(
            write(
                {{"perl-5.40.1/lib/strict.pm", "package strict;\n$strict::VERSION = '1.13';\n"},
                 {"perl-5.40.1/cpan/HTTP-Tiny/lib/HTTP/Tiny.pm", "package HTTP::Tiny;\n"},
                 {"perl-5.40.1/t/lib/Other.pm", "package Other;\n"}}),
            "perl")
            .modules;
    EXPECT_THAT(modules, Contains(Pair("strict", "1.13")));
    EXPECT_THAT(modules, Contains(Key("HTTP::Tiny")));
    EXPECT_THAT(modules, Contains(Key("Config")));
    EXPECT_FALSE(modules.contains("Other"));
}

} // namespace
} // namespace kiln
