// SPDX-License-Identifier: MIT
//
// What kiln wrote for itself and reads again: damaged, it is refused in kiln's own words.
#include "artifact/artifact.hpp"
#include "bake/record.hpp"
#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/output_version.hpp"
#include "support/expect_error.hpp"
#include "support/sample_trees.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
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

TEST(WriteRecord, SaysWhatWasBakedFromWhat) {
    const TempDir dir(temporary_root(), "kiln-test");
    fs::create_directory(dir.path() / "web.oci");
    write_file(dir.path() / "web.oci/index.json", "{}");
    Record record = sample();
    record.images.push_back({"web.oci", ImageFormat::oci, sha256("manifest"), 70, {}});
    record.stages.push_back(
        {.name = "base",
         .kind = "packages",
         .branch = Branch::vm,
         .key = sha256("key"),
         .delta_digest = sha256("delta"),
         .cached = true,
         .seconds = 1.5,
         .bytes = 9});
    record.seconds = 2.5;
    write_record(record, dir.path());
    EXPECT_EQ(
        read_text_file(dir.path() / "SHA256SUMS"),
        fmt::format(
            "{}  web.qcow2\n{}  web.oci/index.json\n", sha256("image").hex(), sha256("{}").hex()));
    const nlohmann::json expected{
        {"kiln_record", 1},
        {"output_version", kOutputVersion},
        {"recipe", "web"},
        {"lock", sha256("lock").to_string()},
        {"source_date_epoch", 1'700'000'000},
        {"trees", {{"vm.manifest", sha256("tree").to_string()}}},
        {"images",
         {{{"name", "web.qcow2"},
           {"format", "qcow2"},
           {"digest", sha256("image").to_string()},
           {"size", 5},
           {"check", "quick"}},
          {{"name", "web.oci"},
           {"format", "oci"},
           {"digest", sha256("manifest").to_string()},
           {"size", 70}}}},
        {"stages",
         nlohmann::json::array(
             {{{"name", "base"},
               {"kind", "packages"},
               {"branch", "vm"},
               {"key", sha256("key").to_string()},
               {"delta", sha256("delta").to_string()},
               {"cached", true},
               {"seconds", 1.5},
               {"bytes", 9}}})},
        {"seconds", 2.5}};
    EXPECT_EQ(nlohmann::json::parse(read_text_file(dir.path() / "record.json")), expected);
}

TEST(LoadRecordedTree, TakesTheManifestThatTheRecordNames) {
    const TempDir dir(temporary_root(), "kiln-test");
    FileTree tree;
    tree.put("", test::directory());
    tree.put("file", test::file("content"));
    Record record = sample();
    record.trees["vm.manifest"] = write_tree_manifest(tree, dir.path() / "vm.manifest");
    const auto load = [&](ImageFormat format) {
        return load_recorded_tree(record, dir.path(), format);
    };
    EXPECT_EQ(load(ImageFormat::qcow2).digest(), tree.digest());
    EXPECT_EQ(load(ImageFormat::raw).digest(), tree.digest()) << "every format has the same tree";
    tree.put("file", test::file("other"));
    static_cast<void>(write_tree_manifest(tree, dir.path() / "vm.manifest"));
    EXPECT_EQ(
        test::thrown([&] { static_cast<void>(load(ImageFormat::qcow2)); }),
        fmt::format(
            "4: checksum mismatch: '{}' is not the manifest listed in the record",
            (dir.path() / "vm.manifest").string()));
    static_cast<void>(write_tree_manifest(tree, dir.path() / "oci.manifest"));
    EXPECT_THAT(
        test::thrown([&] { static_cast<void>(load(ImageFormat::oci)); }),
        testing::StartsWith("4: "))
        << "the record names none for containers";
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
