// SPDX-License-Identifier: MIT
// What is refused before anything is asked of a registry.
#include "base/io/file.hpp"
#include "support/fake_io.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::CliResult;
using testing::HasSubstr;

class PublishCommand : public testing::Test {
  protected:
    void SetUp() override {
        fs::current_path(dir_.path());
        fs::create_directories("out/shop/shop.oci");
        write_file("out/shop/shop.oci/oci-layout", "{}");
        fs::create_directories("out/two");
        write_file("out/two/a.qcow2", "");
        write_file("out/two/b.qcow2", "");
        fs::create_directories("out/none");
        world_.env["KILN_CACHE"] = (dir_.path() / "cache").string();
    }

    void TearDown() override { fs::current_path("/"); }

    void expect_usage(std::vector<std::string> words, const std::string& message) {
        const std::string line = testing::PrintToString(words);
        const CliResult result = world_.run(std::move(words));
        EXPECT_EQ(result.exit_code, 2) << line;
        EXPECT_THAT(result.err, HasSubstr("error: " + message)) << line;
        EXPECT_EQ(result.out, "");
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    test::FakeHost world_;
};

TEST_F(PublishCommand, NamesWhatIsWrongWithTheImage) {
    const std::string ref = "reg.example/x:1";
    expect_usage({"publish", "registry", "shpo", ref}, "no image of 'shpo'");
    expect_usage({"publish", "registry", "none", ref}, "no image in 'out/none'");
    expect_usage(
        {"publish", "registry", "two", ref},
        "'out/two' holds the results of several recipes: a.qcow2 and b.qcow2");
    expect_usage(
        {"publish", "registry", "shop", ref, "--format", "qcow2"},
        "no image of format 'qcow2' in 'out/shop'");
    expect_usage(
        {"publish", "registry", "shop", ref, "--disk"}, "--disk: there is no disk in 'shop'");
}

TEST_F(PublishCommand, NamesWhatIsWrongWithTheReference) {
    expect_usage(
        {"publish", "registry", "shop", "shop"}, "'shop' is not a valid registry reference");
    expect_usage(
        {"publish", "registry", "shop", "reg.example/x@sha256:" + std::string(64, 'a')},
        "a digest cannot be chosen");
    for (const char* tag : {"a b", "", "-x", "x@y", "a/b"}) {
        expect_usage({"publish", "registry", "shop", "reg.example/x", "--tag", tag}, "'");
    }
    expect_usage(
        {"publish", "registry", "shop", "reg.example/x", "--mount-from", "y:1"},
        "'--mount-from y:1': without a tag");
    for (const char* size : {"0", "1KiB", "much"}) {
        expect_usage(
            {"publish", "registry", "shop", "reg.example/x", "--chunk-size", size},
            "'--chunk-size " + std::string(size) + "': expected a size of at least 64KiB");
    }
}

TEST_F(PublishCommand, PullsUnderPlainNamesOnly) {
    for (const char* name : {"../x", "a/b", ".hidden", ""}) {
        expect_usage(
            {"pull", "reg.example/x", "--name", name},
            "'--name " + std::string(name) + "': not a valid name of a file");
    }
    expect_usage(
        {"pull", "reg.example/x", "--all-platforms", "--format", "docker"},
        "--all-platforms and --format docker are mutually exclusive");
    EXPECT_FALSE(fs::exists("out/x"));
}

} // namespace
} // namespace kiln
