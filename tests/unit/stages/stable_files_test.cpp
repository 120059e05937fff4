// SPDX-License-Identifier: MIT
#include "stages/clean/stable_files.hpp"
#include "support/stage_fixture.hpp"
#include "tree/tree_scan.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

constexpr std::int64_t kEpoch = 1'700'000'000; // Tue Nov 14 22:13:20 UTC 2023

class StableFiles : public testing::Test {
  protected:
    std::string rewritten(const std::string& path, const std::string& text) {
        fixture_.tree.write_file(path, text, {});
        stabilize_files(fixture_.context);
        return fixture_.tree.read_text(path);
    }

    test::StageFixture fixture_{kEpoch};
};

TEST_F(StableFiles, SendmailsCommentsHaveTheEpoch) {
    EXPECT_EQ(
        rewritten(
            "etc/mail/submit.cf", "##### built by root@kiln on Mon Nov 30 09:43:19 UTC 2026\nx\n"),
        "##### built by root@kiln on Tue Nov 14 22:13:20 2023\nx\n");
}

TEST_F(StableFiles, OctavesListOfPackagesHasTheEpoch) {
    EXPECT_EQ(
        rewritten(
            "usr/share/octave/octave_packages",
            "# Created by Octave 7.3.0, Mon Nov 30 09:43:19 2026 UTC <root@kiln>\n"
            "# name: global_packages\n# type: cell\n"),
        "# Created by Octave 7.3.0, Tue Nov 14 22:13:20 2023 UTC <root@kiln>\n"
        "# name: global_packages\n# type: cell\n");
}

TEST_F(StableFiles, OtherTextsStayAsTheyAre) {
    const std::string second_line =
        "# name: x\n# Created by Octave 7.3.0, Mon Nov 30 09:43:19 2026 UTC <root@kiln>\n";
    EXPECT_EQ(rewritten("usr/share/octave/octave_packages", second_line), second_line);
    const std::string elsewhere = "##### built by root@kiln on Mon Nov 30 09:43:19 UTC 2026\n";
    EXPECT_EQ(rewritten("etc/built", elsewhere), elsewhere);
}

TEST_F(StableFiles, LeaveWhatAnEarlierStageBrought) {
    const std::string text =
        "# Created by Octave 7.3.0, Mon Nov 30 09:43:19 2026 UTC <root@kiln>\n";
    fixture_.tree.write_file("usr/share/octave/octave_packages", text, {});
    const FileTree below = scan_tree(
        fixture_.root,
        {.mtime = [](const std::string&, FileType, std::int64_t) { return kEpoch; }});
    apply_times(fixture_.root, below);
    fixture_.context.below = &below;
    stabilize_files(fixture_.context);
    EXPECT_EQ(fixture_.tree.read_text("usr/share/octave/octave_packages"), text);
}

} // namespace
} // namespace kiln
