// SPDX-License-Identifier: MIT
#include "recipe/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

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
    EXPECT_THAT(program->sources, ElementsAre(Pair("hello", folder() / "hello")));
    EXPECT_THAT(program->script, HasSubstr("gcc -o"));
}

TEST_F(ProgramFiles, NameFoldersThatAreThere) {
    fs::remove(folder() / "hello");
    EXPECT_FALSE(load(std::string(kHello)));
    EXPECT_THAT(faults(), HasSubstr(":8:10: error: there is no folder"));
}

TEST_F(ProgramFiles, NeedAScript) {
    const std::string text(kHello);
    EXPECT_FALSE(load(text.substr(0, text.find("script:"))));
    EXPECT_THAT(faults(), HasSubstr("missing key 'script'"));
}

} // namespace
} // namespace kiln
