// SPDX-License-Identifier: MIT
#include "recipe/artifacts/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kHello = R"(kiln: 1
program: hello
archives:
  - {archive: debian, suites: [bookworm]}
build:
  install: [gcc, libc6-dev]
sources:
  hello: hello
script: |
  gcc -o "$OUT/hello" "$SOURCE/hello/main.c"
)";

class ProgramFiles : public testing::Test {
  protected:
    void SetUp() override { fs::create_directory(dir_.path() / "hello"); }

    std::optional<ProgramSpec> load(std::string text) {
        const fs::path path = dir_.path() / "hello.yaml";
        write_file_atomically(path, text);
        return load_program(path, diags_);
    }

    [[nodiscard]] std::string faults() const { return diags_.render_all(); }

    [[nodiscard]] fs::path folder() const { return dir_.path(); }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
    Diagnostics diags_;
};

TEST_F(ProgramFiles, AreRead) {
    const auto program = load(std::string(kHello));
    ASSERT_TRUE(program) << faults();
    EXPECT_EQ(program->name, "hello");
    EXPECT_THAT(program->root.packages, ElementsAre("gcc", "libc6-dev"));
    ASSERT_EQ(program->sources.size(), 1U);
    EXPECT_EQ(
        std::get<DirectorySource>(program->sources.at("hello").from).path, folder() / "hello");
    EXPECT_THAT(program->script, HasSubstr("gcc -o"));
}

TEST_F(ProgramFiles, NameFoldersThatAreThere) {
    fs::remove(folder() / "hello");
    EXPECT_FALSE(load(std::string(kHello)));
    EXPECT_THAT(faults(), HasSubstr(":8:10: error: directory '"));
}

TEST_F(ProgramFiles, NameSourcesAsRecipesDo) {
    std::string text(kHello);
    const std::string digest = sha256("x").hex();
    text.insert(
        text.find("script:"),
        "  app: {git: ../app.git, commit: 0123456789012345678901234567890123456789}\n"
        "  library: {tarball: a.tar, sha256: " +
            digest + ", strip: 1}\n  theme: {directory: hello}\n");
    const auto program = load(text);
    ASSERT_TRUE(program) << faults();
    const auto& sources = program->sources;
    EXPECT_EQ(
        git_address(std::get<GitSource>(sources.at("app").from)),
        (folder().parent_path() / "app.git").string());
    EXPECT_EQ(std::get<TarballSource>(sources.at("library").from).strip, 1U);
    EXPECT_EQ(std::get<DirectorySource>(sources.at("theme").from).path, folder() / "hello");
}

TEST_F(ProgramFiles, NeedAScript) {
    const std::string text(kHello);
    EXPECT_FALSE(load(text.substr(0, text.find("script:"))));
    EXPECT_THAT(faults(), HasSubstr("missing key 'script'"));
}

} // namespace
} // namespace kiln
