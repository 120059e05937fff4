// SPDX-License-Identifier: MIT
//
// What kiln wrote for itself and reads again: damaged, it is refused in kiln's own words.
#include "artifact/artifact.hpp"
#include "bake/record.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "support/expect_error.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

Record sample() {
    Record record;
    record.recipe = "web";
    record.lock = sha256("lock");
    record.epoch = 1'700'000'000;
    record.trees["vm.manifest"] = sha256("tree");
    record.images.push_back({"web.qcow2", ImageFormat::qcow2, sha256("image"), 5, "quick"});
    return record;
}

TEST(LoadRecord, ReadsWhatWasWritten) {
    const TempDir dir(temporary_root(), "kiln-test");
    write_record(sample(), dir.path());
    const Record back = load_record(dir.path() / "record.json");
    EXPECT_EQ(back.recipe, "web");
    EXPECT_EQ(back.epoch, 1'700'000'000);
    EXPECT_EQ(back.trees, sample().trees);
    ASSERT_EQ(back.images.size(), 1U);
    EXPECT_EQ(back.images[0].digest, sha256("image"));
}

TEST(WriteRecord, NamesAStageThatMadeAnotherTreeBefore) {
    const TempDir dir(temporary_root(), "kiln-test");
    Record record = sample();
    StageOutcome stage;
    stage.name = "same";
    record.stages.push_back(stage);
    stage.other_delta = sha256("before");
    record.stages.push_back(stage);
    write_record(record, dir.path());
    const auto stages = nlohmann::json::parse(read_text_file(dir.path() / "record.json"))["stages"];
    EXPECT_FALSE(stages[0].contains("other_delta"));
    EXPECT_EQ(stages[1]["other_delta"], sha256("before").to_string());
}

TEST(LoadRecord, RefusesAnythingElseInItsOwnWords) {
    const TempDir dir(temporary_root(), "kiln-test");
    write_record(sample(), dir.path());
    const fs::path path = dir.path() / "record.json";
    const std::string good = read_text_file(path);
    for (const std::string& text :
         {std::string(),
          std::string("[]"),
          std::string("\xff"),
          good.substr(0, good.size() / 2),
          replaced(good, "\"web\"", "3"),
          replaced(good, "1700000000", "-1"),
          replaced(good, "1700000000", "\"x\""),
          replaced(good, "\"images\": [", "\"images\": [7, "),
          replaced(good, "\"web.qcow2\"", "\"../../etc/passwd\""),
          replaced(good, "\"vm.manifest\"", "\"..\""),
          replaced(good, "sha256:", "md5:"),
          replaced(good, "\"size\": 5", "\"size\": -5")}) {
        write_file_atomically(path, text);
        const std::string message = test::thrown([&] { static_cast<void>(load_record(path)); });
        EXPECT_TRUE(
            message.starts_with(fmt::format("3: '{}' is not a kiln record: ", path.string())))
            << text << message;
    }
}

TEST(ParseArtifactInfo, RefusesAnythingElseInItsOwnWords) {
    ArtifactInfo info;
    info.name = "perl\xff"; // names may come from anywhere
    info.kind = "perl-bundle";
    info.libraries = {{"libc.so.6", "/lib/libc.so.6", "libc6"}};
    info.parts = {{"Try-Tiny", "0.31", 10, 2}};
    const std::string good = to_json(info);
    EXPECT_EQ(parse_artifact_info(good).parts.size(), 1U);
    for (const std::string& text :
         {std::string(),
          std::string("[]"),
          good.substr(0, 20),
          replaced(good, "\"parts\": [", "\"parts\": [null, "),
          replaced(good, "\"libraries\"", "\"x\""),
          replaced(good, "\"bytes\": 10", "\"bytes\": 1e99"),
          replaced(good, "sha256:", "md5:")}) {
        EXPECT_EQ(
            test::thrown([&] { static_cast<void>(parse_artifact_info(text)); }),
            "1: not a kiln artifact description")
            << text;
    }
}

} // namespace
} // namespace kiln
