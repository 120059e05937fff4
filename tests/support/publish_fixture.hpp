// SPDX-License-Identifier: MIT
//
// A publish to a DigitalOcean account in memory, run by one process after another: each has what
// the journal says and nothing else.
#pragma once

#include "publish/digitalocean/publish_image.hpp"
#include "support/fake_digitalocean.hpp"
#include "support/fake_http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace kiln::test {

/// A place that can be killed between any two things that it does.
class FakeUpload final : public ImageUpload {
  public:
    explicit FakeUpload(Killer& killer) : killer_(killer) {}

    [[nodiscard]] std::string_view kind() const override { return "fake"; }

    void check(const UploadFile&) override {}

    std::string
    put(const UploadFile& file,
        const nlohmann::ordered_json& state,
        const Save& save,
        Job&) override {
        EXPECT_TRUE(fs::exists(file.path));
        if (refuses) {
            throw Error("the bucket is not there", ExitCode::remote_refused);
        }
        if (!is_public || state.is_null()) {
            save({{"key", "random"}});
            killer_.step();
            is_public = true;
            killer_.step();
            ++puts;
        }
        return "https://space.example/random.qcow2";
    }

    void remove(const nlohmann::ordered_json& state) override {
        killer_.step();
        if (breaks) {
            throw TransferError("cannot send to 'https://space.example'", true);
        }
        if (!state.is_null()) {
            EXPECT_EQ(state.at("key"), "random");
            is_public = false;
        }
        killer_.step();
    }

    bool is_public = false;
    bool refuses = false;
    bool breaks = false; ///< remove() does
    int puts = 0;

  private:
    Killer& killer_;
};

/// What is left when processes end: the account, the upload, and the journal as it was saved.
class PublishFixture {
  public:
    PublishFixture() {
        PublishJournal journal;
        journal.id = "0123abcd";
        journal.api_url = "https://do.example";
        journal.disk = {"/out/shop/shop.qcow2", ImageFormat::qcow2, sha256("content")};
        journal.image_name = "shop";
        journal.distribution = "Debian";
        journal.regions = {"nyc3"};
        journal.tags = {"prod"};
        write(journal);
    }

    void write(const PublishJournal& journal) { disk_ = journal_text(journal); }

    [[nodiscard]] PublishJournal journal() const { return parse_journal(disk_, "journal.json"); }

    void set_regions(std::vector<std::string> regions) {
        PublishJournal changed = journal();
        changed.regions = std::move(regions);
        write(changed);
    }

    template <typename Work> auto in_new_process(Work work) {
        ApiOptions options;
        options.base_url = "https://do.example";
        options.clock = cloud.clock();
        options.retry = test::impatient(6);
        DigitalOceanApi api(cloud, "planted-token", options);
        PublishJournal read = journal();
        ImagePublisher publisher(
            api,
            upload,
            read,
            [&] {
                killer.step();
                disk_ = journal_text(read);
                killer.step();
            },
            [&] {
                killer.step();
                ++prepared;
                write_file(dir_.path() / "shop.img.gz", "compressed");
                return UploadFile{
                    dir_.path() / "shop.img.gz", "shop.img.gz", 10, sha256("compressed")};
            },
            console);
        return work(publisher);
    }

    PublishReport run(const PublishOptions& options = {}) {
        return in_new_process([&](ImagePublisher& publisher) { return publisher.run(options); });
    }

    /// Whether it was killed before its end.
    bool run_killed_at(int step, const PublishOptions& options = {}) {
        killer.kill_at(step);
        try {
            run(options);
            killer.kill_at(Killer::kNever);
            return false;
        } catch (const Killed&) {
            return true;
        }
    }

    void expect_published(const std::vector<std::string>& regions, const std::string& when) {
        ASSERT_EQ(cloud.living().size(), 1U) << when;
        EXPECT_THAT(
            cloud.living().front()->request.at("tags"),
            testing::ElementsAre("kiln", journal().content_tag(), "kiln-publish-0123abcd", "prod"))
            << when;
        std::vector<std::string> there = cloud.living().front()->regions;
        for (const auto& action : cloud.actions) {
            there.push_back(action.region);
        }
        EXPECT_THAT(there, testing::UnorderedElementsAreArray(regions)) << when;
        EXPECT_FALSE(upload.is_public) << when;
        EXPECT_EQ(journal().step, PublishStep::done) << when;
        EXPECT_TRUE(journal().is_upload_removed) << when;
        EXPECT_TRUE(fs::is_empty(dir_.path())) << when;
    }

    [[nodiscard]] std::string messages() const { return messages_.str(); }

    Killer killer;
    FakeDigitalOcean cloud{killer};
    FakeUpload upload{killer};
    int prepared = 0; ///< how often the file was made
    std::ostringstream messages_;
    Console console{messages_, {}};

  private:
    TempDir dir_{temporary_root(), "kiln-test"};
    std::string disk_;
};

} // namespace kiln::test
