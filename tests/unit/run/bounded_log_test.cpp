// SPDX-License-Identifier: MIT
#include "base/io/paths.hpp"
#include "run/bounded_log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>

namespace kiln {
namespace {

constexpr std::chrono::hours kNever{24};

class BoundedLogTest : public testing::Test {
  protected:
    void append(const std::string& text) const {
        const UniqueFd fd = open_file(path_, O_WRONLY | O_CREAT | O_APPEND);
        write_all(fd.get(), as_byte_span(text), path_);
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    fs::path path_ = dir_.path() / "log";
};

TEST_F(BoundedLogTest, KeepsTheEndOfAFileThatIsTooLong) {
    const BoundedLog log(path_, 100, 10, kNever);
    log.trim(); // there is none yet
    append(std::string(90, 'a') + "0123456789");
    log.trim();
    EXPECT_EQ(fs::file_size(path_), 100U);
    append("x");
    log.trim();
    EXPECT_EQ(read_text_file(path_), "123456789x");
}

TEST_F(BoundedLogTest, CutsWhileItsWriterGoesOn) {
    const UniqueFd writer = open_file(path_, O_WRONLY | O_CREAT | O_APPEND);
    const BoundedLog log(path_, 100, 10, std::chrono::milliseconds(1));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    write_all(writer.get(), as_byte_span(std::string(1000, 'a')), path_);
    while (fs::file_size(path_) > 100 && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    write_all(writer.get(), as_byte_span("end"), path_);
    EXPECT_EQ(read_text_file(path_), std::string(10, 'a') + "end"); // and no hole before it
}

TEST_F(BoundedLogTest, FollowsNoLink) {
    const fs::path other = dir_.path() / "other";
    write_file(other, std::string(1000, 'a'));
    fs::create_symlink(other, path_);
    const BoundedLog log(path_, 100, 10, kNever);
    log.trim();
    EXPECT_EQ(fs::file_size(other), 1000U);
}

TEST_F(BoundedLogTest, EndsAtOnce) {
    const auto start = std::chrono::steady_clock::now();
    {
        const BoundedLog log(path_, 100, 10, kNever);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

} // namespace
} // namespace kiln
