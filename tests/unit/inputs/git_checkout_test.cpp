// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "inputs/git_checkout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kiln {
namespace {

class CheckoutTest : public testing::Test {
  protected:
    void git(std::vector<std::string> args) {
        Command command{.program = "git", .args = std::move(args), .env = clean_environment()};
        command.args.insert(
            command.args.begin(),
            {"-C", folder().string(), "-c", "user.name=x", "-c", "user.email=x@localhost"});
        const ProcessResult result = runner_.run(command);
        ASSERT_TRUE(result.ok()) << result.output;
    }

    void SetUp() override {
        write_file(folder() / "app", "text\n");
        git({"init", "--quiet"});
        git({"add", "--all"});
        git({"commit", "--quiet", "-m", "one"});
    }

    /// What git prints for these arguments.
    std::string output_of(std::vector<std::string> args, const std::string& input = {}) {
        Command command{.program = "git", .args = std::move(args), .env = clean_environment()};
        command.args.insert(command.args.begin(), {"-C", folder().string()});
        command.input = input;
        return std::string(trim(runner_.run_checked(command)));
    }

    [[nodiscard]] fs::path folder() const { return dir_.path(); }

    /// A program that leaves a witness, which the folder's settings may name.
    [[nodiscard]] std::string program() const { return "touch " + witness().string() + "; false"; }

    [[nodiscard]] fs::path witness() const { return folder() / ".git/was-run"; }

    [[nodiscard]] std::string revision() { return checkout_revision(folder(), runner_); }

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
    SystemProcessRunner runner_;
};

TEST_F(CheckoutTest, IsItsCommitUntilAnythingDiffers) {
    const std::string commit = revision();
    EXPECT_THAT(commit, testing::MatchesRegex("[0-9a-f]{40}"));
    write_file(folder() / "app", "other\n");
    EXPECT_EQ(revision(), commit + " changed");
    write_file(folder() / "app", "text\n");
    EXPECT_EQ(revision(), commit);
    write_file(folder() / ".gitignore", "ignored\n.gitignore\n");
    write_file(folder() / "ignored", "is copied, too\n");
    EXPECT_EQ(revision(), commit + " changed");
}

TEST_F(CheckoutTest, IsNothingBelowACheckoutOrWithoutACommit) {
    fs::create_directory(folder() / "below");
    SystemProcessRunner runner;
    EXPECT_EQ(checkout_revision(folder() / "below", runner), "");
    fs::remove_all(folder() / ".git");
    EXPECT_EQ(revision(), "");
    git({"init", "--quiet"});
    EXPECT_EQ(revision(), "");
}

TEST_F(CheckoutTest, RunsNoProgramOfItsSettings) {
    const std::string commit = revision();
    write_file(folder() / ".gitattributes", "* filter=evil\n");
    git({"config", "filter.evil.clean", program()});
    git({"config", "filter.evil.process", program()});
    git({"config", "core.fsmonitor", program()});
    fs::last_write_time(folder() / "app", fs::file_time_type::clock::now());
    EXPECT_EQ(revision(), commit + " changed");
    EXPECT_FALSE(fs::exists(witness()));
}

TEST_F(CheckoutTest, RunsNoProgramOfASubmodule) {
    fs::create_directory(folder() / "below");
    write_file(folder() / "below/app", "text\n");
    for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
             {"init", "--quiet"}, {"add", "app"}, {"commit", "--quiet", "-m", "two"}}) {
        std::vector<std::string> in_below{"-C", "below"};
        in_below.insert(in_below.end(), args.begin(), args.end());
        git(in_below);
    }
    git({"add", "below"});
    git({"commit", "--quiet", "-m", "three"});
    const std::string commit = output_of({"rev-parse", "HEAD"});
    git({"-C", "below", "config", "core.fsmonitor", program()});
    EXPECT_EQ(revision(), commit + " changed");
    EXPECT_FALSE(fs::exists(witness()));
}

TEST_F(CheckoutTest, FetchesNoObjectThatTheCheckoutLacks) {
    git({"config", "core.repositoryformatversion", "1"});
    git({"config", "extensions.partialClone", "other"});
    git({"config", "remote.other.url", folder().string()});
    git({"config", "remote.other.promisor", "true"});
    git({"config", "remote.other.uploadpack", program()});
    const std::string commit = output_of({"rev-parse", "HEAD"});
    const std::string tree = output_of({"rev-parse", "HEAD^{tree}"});
    fs::remove(folder() / ".git/objects" / tree.substr(0, 2) / tree.substr(2));
    EXPECT_EQ(revision(), commit + " changed");
    write_file(folder() / ".git/HEAD", std::string(40, '1') + "\n");
    EXPECT_EQ(revision(), "");
    EXPECT_FALSE(fs::exists(witness()));
}

TEST_F(CheckoutTest, DoesNotUnfoldATreeOfBillions) {
    std::string tree = output_of({"write-tree"});
    for (int level = 0; level < 12; ++level) {
        std::string entries;
        for (char name = 'a'; name <= 'z'; ++name) {
            entries += "040000 tree " + tree + "\t" + name + "\n";
        }
        tree = output_of({"mktree"}, entries);
    }
    const std::string commit = output_of(
        {"-c", "user.name=x", "-c", "user.email=x@localhost", "commit-tree", "-m", "large", tree});
    git({"reset", "--quiet", "--soft", commit});
    EXPECT_EQ(revision(), commit + " changed");
}

} // namespace
} // namespace kiln
