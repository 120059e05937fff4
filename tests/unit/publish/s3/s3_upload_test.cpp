// SPDX-License-Identifier: MIT
// Uploads to a service in memory: what is sent, what is not sent again, and what is left.
#include "publish/s3/s3_upload.hpp"
#include "support/expect_error.hpp"
#include "support/fake_http_client.hpp"
#include "support/memory_s3.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace kiln {
namespace {

using test::impatient;
using test::MemoryS3;
using test::thrown;
using testing::HasSubstr;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

class S3UploadTest : public testing::Test {
  protected:
    S3UploadTest() : dir_(temporary_root(), "s3-upload-test"), file_(dir_.path() / "x.gz") {
        write_file(file_, content_);
        state_ = new_s3_upload("k/x.gz", content_.size(), sha256(content_));
        state_.part_size = 10;
        options_.jobs = 3;
        options_.save = [this](const S3UploadState& state) { saved_ = state; };
    }

    S3UploadReport upload() {
        Console console(out_, {});
        Job job = console.start("upload");
        return upload_to_s3(client_, file_, state_, options_, job);
    }

    /// Ends an upload early, as if kiln had been killed.
    void break_off(std::size_t requests) {
        service_.break_after(requests);
        EXPECT_THROW(upload(), TransferError);
        service_.break_after(std::nullopt);
        state_ = saved_;
    }

    std::string content_ = "0123456789abcdefghijABCDEFGHIJxyz";
    TempDir dir_;
    fs::path file_;
    std::ostringstream out_;
    MemoryS3 service_;
    S3Client client_{
        service_, {"https://s.example", "nyc3", "bucket"}, {"id", "secret"}, {impatient(2)}};
    S3UploadState state_;
    S3UploadState saved_;
    S3UploadOptions options_;
};

TEST_F(S3UploadTest, SendsAllParts) {
    const S3UploadReport report = upload();
    EXPECT_EQ(service_.objects.at("k/x.gz"), content_);
    EXPECT_EQ(report.parts_sent, 4U);
    EXPECT_EQ(report.parts_there, 0U);
    EXPECT_EQ(report.bytes_sent, content_.size());
    EXPECT_TRUE(service_.uploads.empty());
    EXPECT_THAT(out_.str(), HasSubstr("upload"));
}

TEST_F(S3UploadTest, SendsASmallFileInOneRequest) {
    state_.part_size = 0;
    options_.public_read = true;
    EXPECT_EQ(upload().parts_sent, 1U);
    EXPECT_EQ(service_.objects.at("k/x.gz"), content_);
    EXPECT_EQ(service_.acls.at("k/x.gz"), "public-read");
    // Again, as another process: it is there.
    state_ = saved_;
    EXPECT_EQ(upload().bytes_sent, 0U);
}

TEST_F(S3UploadTest, GoesOnWithThePartsThatAreMissing) {
    options_.jobs = 1;
    break_off(3); // begun, two parts sent
    EXPECT_EQ(service_.uploads.size(), 1U);
    const S3UploadReport report = upload();
    EXPECT_EQ(report.parts_there, 2U);
    EXPECT_EQ(report.parts_sent, 2U);
    EXPECT_EQ(report.bytes_sent, 13U);
    EXPECT_EQ(service_.objects.at("k/x.gz"), content_);
    EXPECT_TRUE(service_.uploads.empty());
}

TEST_F(S3UploadTest, IsTheSameWhereverItWasBrokenOff) {
    for (std::size_t requests = 0; requests < 7; ++requests) {
        service_.clear();
        state_ = new_s3_upload("k/x.gz", content_.size(), sha256(content_));
        state_.part_size = 10;
        break_off(requests);
        upload();
        EXPECT_EQ(service_.objects.at("k/x.gz"), content_) << requests;
        EXPECT_TRUE(service_.uploads.empty()) << requests;
        state_ = saved_;
        EXPECT_EQ(upload().bytes_sent, 0U) << requests; // once more: it is done
    }
}

TEST_F(S3UploadTest, FindsTheUploadWhoseIdWasNotSaved) {
    service_.lose_answers = 1;
    break_off(1);
    EXPECT_EQ(service_.uploads.size(), 1U);
    EXPECT_EQ(state_.upload, "");
    upload();
    EXPECT_TRUE(service_.uploads.empty());
    EXPECT_EQ(service_.objects.at("k/x.gz"), content_);
}

TEST_F(S3UploadTest, SendsAPartThatTheServiceHasOtherwiseAgain) {
    options_.jobs = 1;
    break_off(3);
    service_.uploads.begin()->second.parts.at(1) = "something";
    const S3UploadReport report = upload();
    EXPECT_EQ(report.parts_there, 1U);
    EXPECT_EQ(service_.objects.at("k/x.gz"), content_);
}

TEST_F(S3UploadTest, BeginsAnewWhenTheServiceHasForgottenTheUpload) {
    break_off(3);
    service_.uploads.clear();
    EXPECT_EQ(upload().parts_sent, 4U);
    EXPECT_EQ(service_.objects.at("k/x.gz"), content_);
}

TEST_F(S3UploadTest, DoesNotGoOnWithAnotherFile) {
    break_off(3);
    content_.front() = 'X';
    write_file(file_, content_);
    const std::string message = "1: '" + file_.string() + "' changed while it was uploaded";
    EXPECT_EQ(thrown([&] { upload(); }), message);
    write_file(file_, content_ + "more");
    EXPECT_EQ(thrown([&] { upload(); }), message);
    EXPECT_TRUE(service_.objects.empty());
}

TEST_F(S3UploadTest, NoticesAFileThatChangesMeanwhile) {
    service_.on_request = [this](std::size_t number) {
        if (number == 2) {
            write_file(file_, std::string(content_.size(), '?'));
        }
    };
    EXPECT_EQ(
        thrown([&] { upload(); }), "1: '" + file_.string() + "' changed while it was uploaded");
    EXPECT_TRUE(service_.objects.empty());
    discard_s3_upload(client_, saved_);
    EXPECT_TRUE(service_.uploads.empty());
}

TEST_F(S3UploadTest, IsDiscardedAtAnyTime) {
    for (std::size_t requests = 0; requests < 7; ++requests) {
        service_.clear();
        state_ = new_s3_upload("k/x.gz", content_.size(), sha256(content_));
        state_.part_size = 10;
        break_off(requests);
        discard_s3_upload(client_, saved_);
        EXPECT_TRUE(service_.uploads.empty()) << requests;
        EXPECT_TRUE(service_.objects.empty()) << requests;
        discard_s3_upload(client_, saved_); // what is gone is fine
    }
}

TEST(S3UploadStateTest, IsSavedAndReadBack) {
    S3UploadState state{"k", 5, sha256("x"), 16 * kMiB, "id", false};
    EXPECT_EQ(s3_upload_state_of(to_json_value(state)), state);
    for (const char* text :
         {"{}",
          R"({"key": "", "size": 1, "part_size": 0, "upload": "", "sha256": "00"})",
          R"({"key": "k", "size": -1, "part_size": 0, "upload": "", "sha256": "00"})",
          R"({"key": "k", "size": 1, "part_size": 0, "upload": 3, "sha256": "00"})"}) {
        EXPECT_NE(
            thrown([&] {
                static_cast<void>(s3_upload_state_of(nlohmann::ordered_json::parse(text)));
            }),
            "no error")
            << text;
    }
    state.size = 100'000;
    state.part_size = 1;
    EXPECT_EQ(
        thrown([&] { static_cast<void>(s3_upload_state_of(to_json_value(state))); }),
        "1: the saved upload is not valid");
}

TEST(S3PartSize, IsBetween16And64MiB) {
    EXPECT_EQ(part_size_for(0), 0U);
    EXPECT_EQ(part_size_for(64 * kMiB - 1), 0U);
    EXPECT_EQ(part_size_for(64 * kMiB), 16 * kMiB);
    EXPECT_EQ(part_size_for(16'000 * kMiB), 16 * kMiB);
    EXPECT_EQ(part_size_for(16'000 * kMiB + 1), 17 * kMiB);
    EXPECT_EQ(part_size_for(100'000 * kMiB), 64 * kMiB);
    EXPECT_EQ(part_size_for(640'000 * kMiB), 64 * kMiB);
    EXPECT_THAT(
        thrown([] { static_cast<void>(part_size_for(640'000 * kMiB + 1)); }),
        HasSubstr("1: a file of 625.0 GiB is too large for an upload"));
}

} // namespace
} // namespace kiln
