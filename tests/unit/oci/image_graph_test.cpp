// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "oci/image_graph.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A layout on disk, written item by item.
class ImageGraphs : public testing::Test {
  protected:
    ImageGraphs() { fs::create_directories(dir_.path() / "blobs/sha256"); }

    std::string add(std::string_view type, const std::string& text, const std::string& more = "") {
        const Digest digest = sha256(text);
        write_file(dir_.path() / "blobs/sha256" / digest.hex(), text);
        return fmt::format(
            R"({{"mediaType":"{}","digest":"{}","size":{}{}}})",
            type,
            digest.to_string(),
            text.size(),
            more);
    }

    std::string image(const std::string& name, const std::string& more = "") {
        const std::string config = add(media_type::kConfig, "{\"name\":\"" + name + "\"}");
        const std::string layer = add(media_type::kLayer, "layer of all");
        return add(
            media_type::kManifest,
            fmt::format(
                R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}})",
                media_type::kManifest,
                config,
                layer),
            more);
    }

    static std::string index(const std::vector<std::string>& items) {
        return fmt::format(
            R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}})",
            media_type::kIndex,
            fmt::join(items, ","));
    }

    ImageGraph read(const std::vector<std::string>& items, std::string_view ref_name = {}) {
        write_file(dir_.path() / "index.json", index(items));
        return read_image_graph(LayoutFiles(dir_.path()), ref_name);
    }

    void expect_error(
        const std::vector<std::string>& items,
        const std::string& words,
        std::string_view ref_name = {}) {
        try {
            static_cast<void>(read(items, ref_name));
            FAIL() << "no exception: " << words;
        } catch (const Error& error) {
            EXPECT_THAT(error.message(), HasSubstr(words));
        }
    }

    static std::string platform(const std::string& architecture) {
        return R"(,"platform":{"os":"linux","architecture":")" + architecture + R"("})";
    }

    static std::string called(const std::string& name) {
        return R"(,"annotations":{"org.opencontainers.image.ref.name":")" + name + R"("})";
    }

    TempDir dir_{temporary_root(), "kiln-test"};
};

TEST_F(ImageGraphs, OfOneImageAreItsManifestAndBlobs) {
    const ImageGraph graph = read({image("a")});
    ASSERT_EQ(graph.manifests.size(), 1U);
    EXPECT_EQ(graph.blobs().size(), 2U);
    EXPECT_TRUE(graph.platforms.empty());
    EXPECT_EQ(graph.root().digest, sha256(graph.root().text));
}

TEST_F(ImageGraphs, JoinPlatformsInAnIndex) {
    const ImageGraph graph = read({image("a", platform("amd64")), image("b", platform("arm64"))});
    ASSERT_EQ(graph.manifests.size(), 3U);
    EXPECT_EQ(graph.root().media_type, media_type::kIndex);
    EXPECT_THAT(
        graph.root().children, ElementsAre(graph.manifests[0].digest, graph.manifests[1].digest));
    EXPECT_THAT(graph.platforms, ElementsAre("linux/amd64", "linux/arm64"));
    EXPECT_EQ(graph.blobs().size(), 3U); // the layer once
}

TEST_F(ImageGraphs, TakeAnIndexAsItIs) {
    const std::string inner = index({image("a", platform("amd64")), image("b", platform("arm64"))});
    const ImageGraph graph = read({add(media_type::kIndex, inner)});
    EXPECT_EQ(graph.root().text, inner);
    EXPECT_EQ(graph.manifests.size(), 3U);
    EXPECT_THAT(graph.platforms, ElementsAre("linux/amd64", "linux/arm64"));
}

TEST_F(ImageGraphs, ChooseByName) {
    const std::vector<std::string> items{image("a", called("1")), image("b", called("2"))};
    const ImageGraph second = read(items, "2");
    EXPECT_EQ(second.manifests.size(), 1U);
    EXPECT_THAT(items[1], HasSubstr(second.root().digest.to_string()));
    expect_error(items, "the layout holds no image named '3'", "3");
    expect_error(items, "the layout holds 2 images");
    expect_error({}, "the layout holds no image");
    expect_error({image("a", platform("amd64")), image("b", platform("amd64"))}, "holds 2 images");
}

TEST_F(ImageGraphs, RefuseWhatIsNotAsStated) {
    const std::string good = image("a");
    const auto replaced = [&](const std::string& from, const std::string& to) {
        std::string out = good;
        out.replace(out.find(from), from.size(), to);
        return out;
    };
    expect_error(
        {replaced(std::string(media_type::kManifest), std::string(media_type::kIndex))},
        "and its descriptor says");
    expect_error({add("text/plain", "{}")}, "is of the unknown type 'text/plain'");
    expect_error({add(media_type::kManifest, "[]")}, "manifest sha256:");
    expect_error({add(media_type::kManifest, "<html>")}, "malformed JSON");
    // A blob of another size, one that is missing, and a manifest of another content.
    const Digest layer = sha256("layer of all");
    write_file(dir_.path() / "blobs/sha256" / layer.hex(), "short");
    expect_error({good}, "checksum mismatch");
    fs::remove(dir_.path() / "blobs/sha256" / layer.hex());
    expect_error({good}, "cannot open");
    static_cast<void>(image("a"));
    const std::string hex = good.substr(good.find("sha256:") + 7, 64);
    const fs::path manifest = dir_.path() / "blobs/sha256" / hex;
    std::string text = read_text_file(manifest);
    text.at(text.size() - 1) = ' ';
    write_file(manifest, text);
    expect_error({good}, "checksum mismatch");
}

TEST_F(ImageGraphs, EndInCirclesAndDepths) {
    std::string inner = image("a");
    for (int i = 0; i < 8; ++i) {
        inner = add(media_type::kIndex, index({inner}));
    }
    expect_error({inner}, "too many or nested too deeply");
}

} // namespace
} // namespace kiln
