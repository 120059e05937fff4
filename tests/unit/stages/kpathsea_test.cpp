// SPDX-License-Identifier: MIT
#include "stages/clean/kpathsea.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

constexpr const char* kFirst =
    "% ls-R -- filename database for kpathsea; do not change this line.\n";

TEST(Kpathsea, SortsFoldersAndNames) {
    EXPECT_EQ(
        sorted_ls_r(
            std::string(kFirst) +
            "\n./:\n.:\nweb2c\nls-R\n\n./web2c:\ntex\n\n./fonts:\nb.map\na.map\n"),
        std::string(kFirst) +
            "\n./:\n\n./fonts:\na.map\nb.map\n\n./web2c:\ntex\n\n.:\nls-R\nweb2c\n");
}

TEST(Kpathsea, ASortedDatabaseStaysAsItIs) {
    const std::string sorted = std::string(kFirst) + "\n./a:\nx\n\n./b:\n";
    EXPECT_EQ(sorted_ls_r(sorted), sorted);
}

TEST(Kpathsea, LeavesOtherTextsAlone) {
    EXPECT_EQ(sorted_ls_r(""), std::nullopt);
    EXPECT_EQ(sorted_ls_r("./a:\nx\n"), std::nullopt);
    EXPECT_EQ(sorted_ls_r(std::string(kFirst) + "x\n"), std::nullopt);
}

} // namespace
} // namespace kiln
