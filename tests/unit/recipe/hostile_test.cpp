// SPDX-License-Identifier: MIT
//
// Recipes that were written to hang kiln, to fill its memory or to make it read what is not a
// recipe.
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "recipe/artifacts/bundle.hpp"
#include "recipe/artifacts/program.hpp"
#include "recipe/recipe.hpp"
#include "support/expect_error.hpp"
#include "support/stub_stages.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>

namespace kiln {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kHead = "kiln: 1\nname: web\n";

std::string repeat(std::size_t count, std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
        out += text;
    }
    return out;
}

/// Every test ends within seconds also where nothing is optimized and the machine is busy; the
/// causes that these recipes aim at took minutes.
class HostileRecipe : public testing::Test {
  protected:
    void TearDown() override {
        clear_interrupt();
        constexpr std::clock_t kMost = 60L * CLOCKS_PER_SEC;
        EXPECT_LT(std::clock() - start_, kMost); // of the processor, whatever else runs
    }

    fs::path write(const std::string& name, std::string_view text) {
        const fs::path path = dir_.path() / name;
        write_file_atomically(path, text);
        return path;
    }

    /// Without a writer: whoever opens it in the ordinary way waits for ever.
    fs::path make_fifo(const std::string& name) {
        const fs::path path = dir_.path() / name;
        EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
        return path;
    }

    /// The faults of a recipe, which must have some; paths without the directory.
    std::string faults(const std::string& text) {
        const fs::path path = write("web.yaml", text);
        diags_ = Diagnostics();
        EXPECT_FALSE(load_recipe(path, {{}, test::kStandInStages}, diags_));
        EXPECT_TRUE(diags_.has_errors());
        std::string out = diags_.render_all();
        const std::string prefix = dir_.path().string() + "/";
        for (std::size_t i = out.find(prefix); i != std::string::npos; i = out.find(prefix)) {
            out.erase(i, prefix.size());
        }
        return out;
    }

    [[nodiscard]] fs::path dir() const { return dir_.path(); }

    Diagnostics diags_;

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
    std::clock_t start_ = std::clock();
};

TEST_F(HostileRecipe, OneLineWithFiftyThousandFaults) {
    const std::string text = faults(fmt::format("{}images: [{}]\n", kHead, repeat(50'000, "~,")));
    EXPECT_EQ(diags_.error_count(), 50'000U);
    EXPECT_THAT(text, EndsWith("... and 49900 more\n"));
    EXPECT_LT(text.size(), 60'000U);
}

TEST_F(HostileRecipe, AHundredThousandUnknownKeys) {
    std::string text(kHead);
    for (int i = 0; i < 100'000; ++i) {
        text += fmt::format("k{}: 1\n", i);
    }
    EXPECT_THAT(faults(text), EndsWith("... and 99900 more\n"));
    EXPECT_EQ(diags_.all().size(), Diagnostics::kMaxKept);
}

TEST_F(HostileRecipe, AHundredThousandEqualKeys) {
    const std::string text = faults(std::string(kHead) + repeat(100'000, "name: x\n"));
    EXPECT_THAT(text, HasSubstr("duplicate key 'name'"));
    EXPECT_EQ(diags_.error_count(), 100'000U);
}

TEST_F(HostileRecipe, MoreValuesThanARecipeCanHave) {
    EXPECT_THAT(
        faults(fmt::format("{}x: [{}]\n", kHead, repeat(400'000, "1,"))),
        HasSubstr("error: more than 250000 keys and values\n"));
}

TEST_F(HostileRecipe, QuotedValuesOnOneLine) {
    const std::string text =
        faults(fmt::format("{}images: [{}]\n", kHead, repeat(50'000, "\"\",")));
    EXPECT_THAT(text, HasSubstr("is empty"));
}

TEST_F(HostileRecipe, FaultsOfTheTextInEveryLine) {
    EXPECT_THAT(
        faults(std::string(kHead) + repeat(300'000, "\t\n")), HasSubstr("error: tab character\n"));
    EXPECT_LE(diags_.error_count(), 101U);
}

TEST_F(HostileRecipe, LargerThanARecipeCanBe) {
    EXPECT_EQ(
        faults(std::string(kHead) + std::string(kMaxYamlBytes, '#')),
        "web.yaml: error: larger than 1.0 MiB\n");
    fs::resize_file(write("huge.yaml", kHead), std::uintmax_t{1} << 40U);
    EXPECT_THAT(
        faults(std::string(kHead) + "extends: huge.yaml\n"),
        HasSubstr("huge.yaml: error: larger than 1.0 MiB\n"));
}

TEST_F(HostileRecipe, NestedWithoutEnd) {
    EXPECT_THAT(
        faults(fmt::format("{}x: {}\n", kHead, repeat(200'000, "["))),
        HasSubstr("nested more than 32 levels deep"));
}

TEST_F(HostileRecipe, AliasesThatMultiply) {
    std::string text(kHead);
    text += "a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c < 'z'; ++c) {
        const auto before = static_cast<char>(c - 1);
        text +=
            fmt::format("{0}: &{0} [*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1},*{1}]\n", c, before);
    }
    EXPECT_THAT(faults(text), HasSubstr("aliases are not supported"));
}

TEST_F(HostileRecipe, AMillionAnchors) {
    EXPECT_THAT(
        faults(fmt::format("{}x: [{}]\n", kHead, repeat(100'000, "&a 1,"))),
        HasSubstr("anchors are not supported"));
}

TEST_F(HostileRecipe, UnknownVariablesWithoutEnd) {
    EXPECT_THAT(
        faults(fmt::format("{}summary: \"{}\"\n", kHead, repeat(100'000, "${x}"))),
        EndsWith("... and 99900 more\n"));
}

TEST_F(HostileRecipe, VariablesHiddenByEscapes) {
    EXPECT_THAT(
        faults(fmt::format("{}summary: \"{}\"\n", kHead, repeat(100'000, "\\x24{x}"))),
        HasSubstr("unknown variable 'x'"));
}

TEST_F(HostileRecipe, AVariableThatMultiplies) {
    EXPECT_THAT(
        faults(fmt::format(
            "{}variables: {{a: \"{}\"}}\nimages: [{}]\n",
            kHead,
            std::string(100'000, 'x'),
            repeat(50'000, "\"${a}\","))),
        HasSubstr("error: the recipe is too large after expanding variables\n"));
}

TEST_F(HostileRecipe, PartsThatNamePartsTenTimesEach) {
    for (int i = 0; i < 5; ++i) {
        const std::string item = fmt::format("  - part: p{}.yaml\n", i + 1);
        write(
            fmt::format("p{}.yaml", i),
            fmt::format("kiln: 1\npart: p{}\nstages:\n{}", i, repeat(10, item)));
    }
    write("p5.yaml", "kiln: 1\npart: p5\nstages:\n" + repeat(10, "  - {stage: run, script: x}\n"));
    EXPECT_THAT(
        faults(std::string(kHead) + "stages:\n  - part: p0.yaml\n"),
        HasSubstr("error: the recipe reads more than 200 files or 4.0 MiB\n"));
}

TEST_F(HostileRecipe, ALongPartManyTimes) {
    write("long.yaml", "kiln: 1\npart: long\nstages: []\n#" + std::string(1'000'000, 'x') + "\n");
    EXPECT_THAT(
        faults(std::string(kHead) + "stages:\n" + repeat(1000, "  - part: long.yaml\n")),
        HasSubstr("error: the recipe reads more than 200 files or 4.0 MiB\n"));
}

TEST_F(HostileRecipe, MoreStagesThanAnyRecipeHas) {
    EXPECT_THAT(
        faults(std::string(kHead) + "stages:\n" + repeat(20'000, "  - {stage: run, script: x}\n")),
        HasSubstr("error: the recipe has more than 1000 stages\n"));
}

TEST_F(HostileRecipe, PartsAndExtendsWithoutEnd) {
    for (int i = 0; i < 100; ++i) {
        write(
            fmt::format("p{}.yaml", i),
            fmt::format("kiln: 1\npart: p{}\nstages:\n  - part: p{}.yaml\n", i, i + 1));
        write(fmt::format("e{}.yaml", i), fmt::format("{}extends: e{}.yaml\n", kHead, i + 1));
    }
    EXPECT_THAT(
        faults(std::string(kHead) + "stages:\n  - part: p0.yaml\n"),
        HasSubstr(
            "p14.yaml:4:11: error: 'extends' and parts are nested more than 16 files deep\n"));
    EXPECT_THAT(
        faults(std::string(kHead) + "extends: e0.yaml\n"),
        HasSubstr(
            "e14.yaml:3:10: error: 'extends' and parts are nested more than 16 files deep\n"));
}

TEST_F(HostileRecipe, NamesWhatIsNoFile) {
    const fs::path fifo = make_fifo("fifo");
    for (const std::string path : {"/dev/zero", "/dev/stdin", "./fifo", "."}) {
        const std::string shown = path == "./fifo" ? "fifo"
                                  : path == "."    ? dir().string() + "/"
                                                   : path;
        const std::string said =
            path == "." ? "" : fmt::format("'{}' is not a regular file\n", shown);
        EXPECT_THAT(
            faults(fmt::format("{}extends: {}\n", kHead, path)),
            testing::AllOf(StartsWith("web.yaml:3:10: error: "), HasSubstr(said)));
        EXPECT_THAT(
            faults(fmt::format("{}stages:\n  - part: {}\n", kHead, path)),
            testing::AllOf(StartsWith("web.yaml:4:11: error: "), HasSubstr(said)));
        EXPECT_THAT(
            faults(fmt::format("{}images: [{}]\n", kHead, path)),
            testing::AllOf(StartsWith("web.yaml:3:10: error: "), HasSubstr(said)));
    }
    EXPECT_THAT(
        faults(fmt::format(
            "{0}archives:\n  - {{archive: debian, suites: [bookworm], keyring: fifo}}\n"
            "sources:\n  app: {{tarball: fifo, sha256: {1}}}\n"
            "  url: {{tarball: 'file:///dev/zero', sha256: {1}}}\n  dir: {{directory: fifo}}\n",
            kHead,
            std::string(64, 'a'))),
        testing::AllOf(
            HasSubstr("web.yaml:4:5: error: 'fifo' is not a regular file\n"),
            HasSubstr("web.yaml:6:8: error: 'fifo' is not a regular file\n"),
            HasSubstr("web.yaml:7:8: error: '/dev/zero' is not a regular file\n"),
            HasSubstr("web.yaml:8:8: error: 'fifo' is not a directory\n")));
}

TEST_F(HostileRecipe, IsNoFileItself) {
    const fs::path fifo = make_fifo("fifo");
    const std::string said = fmt::format("3: '{}' is not a regular file", fifo.string());
    EXPECT_EQ(
        test::thrown(
            [&] { static_cast<void>(load_recipe(fifo, {{}, test::kStandInStages}, diags_)); }),
        said);
    EXPECT_EQ(test::thrown([&] { static_cast<void>(load_bundle(fifo, diags_)); }), said);
    EXPECT_EQ(test::thrown([&] { static_cast<void>(load_program(fifo, diags_)); }), said);
    EXPECT_EQ(
        test::thrown([&] {
            static_cast<void>(load_recipe("/dev/zero", {{}, test::kStandInStages}, diags_));
        }),
        "3: '/dev/zero' is not a regular file");
}

TEST_F(HostileRecipe, CanBeInterrupted) {
    const fs::path path = write("web.yaml", kHead);
    request_interrupt();
    EXPECT_THROW(
        static_cast<void>(load_recipe(path, {{}, test::kStandInStages}, diags_)), Interrupted);
}

TEST_F(HostileRecipe, NamesThatLeaveTheirFolders) {
    const std::string text =
        faults("kiln: 1\nname: ../../web\n"
               "archives: [{archive: ../x, suites: [a/../../../b], components: [../main]}]\n"
               "sources: {../s: {directory: .}}\n"
               "artifacts: {../a: {bundle: x.yaml}}\n"
               "stages: [{stage: run, name: ../../run, layer: a/b, script: x}]\n");
    for (const char* name :
         {"../../web", "../x", "a/../../../b", "../main", "../s", "../a", "../../run", "a/b"}) {
        EXPECT_THAT(text, HasSubstr(fmt::format("'{}'", name)));
    }
}

TEST_F(HostileRecipe, MessagesAreCutAndEscaped) {
    const std::string text = faults(fmt::format(
        "{}\"{}\": 1\n\"\\e[31m\": 2\n\"\xe2\x80\xae\": 3\n", kHead, std::string(1000, 'k')));
    EXPECT_THAT(text, HasSubstr(std::string(480, 'k') + "...\n"));
    EXPECT_EQ(text.find(std::string(500, 'k')), std::string::npos);
    EXPECT_THAT(text, HasSubstr("unknown key '\\x1b[31m' in recipe"));
    EXPECT_THAT(text, HasSubstr("unknown key '\\u{202e}' in recipe"));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(HostileRecipe, OverridesThatAreNoText) {
    Variables set;
    EXPECT_EQ(
        test::thrown([&] { add_override(set, "release=\xff"); }),
        "2: the value of 'release' is not valid UTF-8 (--set)");
}

} // namespace
} // namespace kiln
