// SPDX-License-Identifier: MIT
#include "base/io/digest.hpp"
#include "stages/copy/source_archive.hpp"
#include "stages/kinds.hpp"
#include "stages/stage.hpp"
#include "support/expect_error.hpp"
#include "support/raw_tar.hpp"
#include "support/run_stage.hpp"
#include "support/stage_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

class OneSource final : public StageInputs {
  public:
    explicit OneSource(SourceInput source) : source_(std::move(source)) {}

    [[nodiscard]] std::vector<LockedDeb> packages(const StageSpec&) const override { return {}; }

    [[nodiscard]] SourceInput source(const std::string&) const override { return source_; }

    [[nodiscard]] Digest artifact_key(const std::string&) const override { return {}; }

    [[nodiscard]] ArtifactInput artifact(const std::string&) const override { return {}; }

  private:
    SourceInput source_;
};

class SourceStage : public testing::Test {
  protected:
    SourceInput input(const std::string& bytes, unsigned strip = 0) {
        const fs::path file = fixture_.dir.path() / "archive";
        write_file_atomically(file, bytes);
        SourceInput out;
        out.name = "source 'app' (app.tar)";
        out.path = file;
        out.is_tarball = true;
        out.strip = strip;
        out.digest = sha256(bytes);
        return out;
    }

    static StageSpec spec() {
        StageSpec out;
        out.kind = "source";
        out.name = "app";
        out.options = test::stage_options(kSourceOptions, "{source: app, to: /opt/app}");
        return out;
    }

    void run(SourceInput source) {
        const StageSpec stage = spec();
        make_stage(stage)->run(fixture_.context, OneSource(std::move(source)));
    }

    static Digest key(SourceInput source) {
        const StageSpec stage = spec();
        FieldHasher hasher("test");
        make_stage(stage)->hash_inputs(hasher, OneSource(std::move(source)));
        return hasher.finish();
    }

    void refuses(const std::string& bytes, const std::string& message) {
        const SourceInput source = input(bytes);
        for (const bool only_check : {true, false}) {
            EXPECT_EQ(
                test::message_of(
                    [&] { only_check ? check_source_archive(source) : run(source); },
                    ExitCode::invalid_recipe),
                message);
        }
    }

    test::StageFixture fixture_;
};

TEST_F(SourceStage, KeepsHardLinks) {
    const std::string tar = test::RawTar()
                                .file("app-1.0/bin/one", "content")
                                .hard_link("app-1.0/sbin/two", "app-1.0/bin/one")
                                .hard_link("app-1.0/three", "app-1.0/sbin/two")
                                .bytes();
    check_source_archive(input(tar, 1));
    run(input(tar, 1));
    const auto one = fixture_.tree.look("opt/app/bin/one");
    const auto two = fixture_.tree.look("opt/app/sbin/two");
    const auto three = fixture_.tree.look("opt/app/three");
    ASSERT_TRUE(one && two && three);
    EXPECT_EQ(one->st_ino, two->st_ino);
    EXPECT_EQ(one->st_ino, three->st_ino);
    EXPECT_EQ(fixture_.tree.read_text("opt/app/three"), "content");
}

TEST_F(SourceStage, RefusesWhatIsNoSource) {
    refuses(
        test::RawTar().hard_link("two", "one").file("one").bytes(),
        "source 'app' (app.tar): 'two' is a hard link to 'one', which is not an earlier file in "
        "the archive");
    refuses(
        test::RawTar().add({"null", '3', "", ""}).bytes(),
        "source 'app' (app.tar): 'null' is not a file, directory or link");
    refuses("PK\x03\x04 and more", "source 'app' (app.tar): it is a zip archive");
}

TEST_F(SourceStage, NamesWhatIsNoArchive) {
    EXPECT_THAT(
        test::message_of(
            [&] { check_source_archive(input("<html>not found</html>")); },
            ExitCode::invalid_recipe),
        testing::StartsWith("source 'app' (app.tar): "));
}

TEST_F(SourceStage, HasAnotherKeyWithOtherPaths) {
    const std::string tar = test::RawTar().file("app-1.0/one").bytes();
    EXPECT_NE(key(input(tar, 0)), key(input(tar, 1)));
}

} // namespace
} // namespace kiln
