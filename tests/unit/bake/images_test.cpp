// SPDX-License-Identifier: MIT
//
// Images of a small tree: which files are written, and what each depends on. Every field of an
// image definition is changed; the fields come from the definitions' own shapes.
#include "bake/checked_disks.hpp"
#include "bake/cluster_precompressor.hpp"
#include "bake/images.hpp"
#include "bake/wanted_images.hpp"
#include "base/io/paths.hpp"
#include "recipe/yaml/yaml.hpp"
#include "support/expect_error.hpp"
#include "support/sample_trees.hpp"
#include "unit/resolve/field_mutations.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <sstream>

namespace kiln {
namespace {

using namespace test;
using testing::ElementsAre;

/// A change of a field of an image definition, and the files that differ then.
struct ImageChange {
    std::string_view field;
    std::string_view differ; ///< "NAME NAME", sorted; empty: none
    std::string_view from;
    std::string_view to;
};

constexpr std::string_view kDisk = R"(kiln: 1
image: disk
kind: disk
format: [qcow2, raw]
free: 8MiB
esp: 34MiB
label: root
compress: true
)";

constexpr auto kDiskFields = std::to_array<ImageChange>({
    {"kiln", "", "", ""}, // there is one version of the format
    {"kind", "", "", ""}, // the other kind has a table of its own
    {"image", "", "image: disk", "image: other"},
    {"format[]", "", "[qcow2, raw]", "[raw, qcow2]"},
    {"format[]", "web.raw", "[qcow2, raw]", "[qcow2]"},
    {"format[]", "web.qcow2 web.raw.gz", "[qcow2, raw]", "[raw, raw.gz]"},
    {"free", "web.qcow2 web.raw", "free: 8MiB", "free: 12MiB"},
    {"esp", "web.qcow2 web.raw", "esp: 34MiB", "esp: 36MiB"},
    {"label", "web.qcow2 web.raw", "label: root", "label: other"},
    {"compress", "web.qcow2", "compress: true", "compress: false"},
});

constexpr std::string_view kContainer = R"(kiln: 1
image: container
kind: oci
format: [docker, oci, tar]
compression: gzip
config:
  entrypoint: [/sbin/init]
  cmd: [one]
  env: {A: one}
  ports: [80]
  volumes: [/srv/one]
  workdir: /srv
  user: web
  labels: {one: two}
  stop_signal: SIGTERM
  healthcheck: {test: [CMD, "true"], interval: 1s, timeout: 2s, retries: 3, start_period: 4s}
)";

constexpr std::string_view kBoth = "web.docker.tar web.oci";

constexpr auto kContainerFields = std::to_array<ImageChange>({
    {"kiln", "", "", ""},
    {"kind", "", "", ""},
    {"image", "", "image: container", "image: other"},
    {"format[]", "web.docker.tar web.tar", "[docker, oci, tar]", "[oci]"},
    {"format[]", "web.oci", "[docker, oci, tar]", "[docker, tar]"},
    {"compression", kBoth, "compression: gzip", "compression: none"},
    {"config.entrypoint[]", kBoth, "/sbin/init", "/sbin/other"},
    {"config.cmd[]", kBoth, "cmd: [one]", "cmd: [one, two]"},
    {"config.env{}", kBoth, "A: one", "A: two"},
    {"config.ports[]", kBoth, "ports: [80]", "ports: [53/udp]"},
    {"config.volumes[]", kBoth, "/srv/one", "/srv/two"},
    {"config.workdir", kBoth, "workdir: /srv", "workdir: /var"},
    {"config.user", kBoth, "user: web", "user: root"},
    {"config.labels{}", kBoth, "one: two", "one: three"},
    {"config.stop_signal", kBoth, "SIGTERM", "SIGQUIT"},
    {"config.healthcheck.test[]", kBoth, "\"true\"", "\"false\""},
    {"config.healthcheck.interval", kBoth, "interval: 1s", "interval: 5s"},
    {"config.healthcheck.timeout", kBoth, "timeout: 2s", "timeout: 5s"},
    {"config.healthcheck.retries", kBoth, "retries: 3", "retries: 5"},
    {"config.healthcheck.start_period", kBoth, "start_period: 4s", "start_period: 5s"},
});

using Digests = std::map<std::string, Digest>;

Digests digests_of(const std::vector<ImageFile>& files) {
    Digests out;
    for (const ImageFile& file : files) {
        out[file.name] = file.digest;
    }
    return out;
}

/// Names of the files that one side does not have, or has with another digest; "NAME NAME".
std::string differences(const Digests& before, const Digests& after) {
    std::set<std::string> out;
    for (const auto* side : {&before, &after}) {
        for (const auto& [name, digest] : *side) {
            const bool is_same =
                before.contains(name) && after.contains(name) && before.at(name) == after.at(name);
            if (!is_same) {
                out.insert(name);
            }
        }
    }
    return fmt::format("{}", fmt::join(out, " "));
}

class Images : public testing::Test {
  protected:
    Images() {
        settings_.epoch = kEpoch;
        settings_.identity = sha256("identity");
        tree_ = plain_tree();
        tree_.put("boot", directory());
        tree_.put("boot/grub", directory());
        tree_.put("boot/grub/i386-pc", directory());
        tree_.put("boot/grub/i386-pc/boot.img", file(std::string(512, 'b')));
        tree_.put("boot/grub/i386-pc/core.img", file(std::string(30'000, 'c')));
        tree_.put("boot/efi", directory());
        tree_.put("boot/efi/EFI", directory());
        tree_.put("boot/efi/EFI/BOOTX64.EFI", file("loader"));
    }

    ImageSpec read(const std::string& text) const {
        const fs::path path = dir_.path() / "image.yaml";
        write_file_atomically(path, text);
        Diagnostics diags;
        const auto yaml = load_yaml(path, diags);
        auto image = yaml ? read_image(*yaml, path, diags) : std::nullopt;
        EXPECT_EQ(diags.render_all(), "");
        return image.value_or(ImageSpec());
    }

    /// Writes the image into a folder that is empty again afterwards.
    Digests write(const std::string& text) {
        const ImageSpec image = read(text);
        const fs::path folder = dir_.path() / "out/new";
        fs::create_directories(folder);
        const Finally clean([&] { fs::remove_all(folder); });
        const ImageContext context{"web", settings_, folder, dir_.path() / "cache", console_, 2};
        if (const auto* disk = std::get_if<DiskImageSpec>(&image.form)) {
            return digests_of(
                write_disk_images(split_for_disk(tree_), *disk, disk->formats, context).images);
        }
        const auto& container = std::get<OciImageSpec>(image.form);
        const auto files = write_container_images(baked(), container, container.formats, context);
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder)) {
            names.insert(entry.path().filename().string());
        }
        EXPECT_EQ(names.size(), files.size()) << "files that nobody wanted";
        return digests_of(files);
    }

    /// The tree as two stages made it, which have layers of these labels.
    BakedTree baked() {
        BakedTree out;
        specs_.assign(2, StageSpec());
        for (std::size_t i = 0; i < specs_.size(); ++i) {
            specs_[i].name = i == 0 ? "base" : "files";
            specs_[i].layer = layers_.at(i);
            planned_.at(i).spec = &specs_[i];
            FileTree delta;
            if (i == 0) {
                delta = tree_;
            } else {
                delta.put("", directory());
                delta.put("added", file("by the second stage"));
            }
            out.tree.apply(delta, static_cast<std::uint32_t>(i));
            out.deltas.push_back({&planned_.at(i), std::move(delta)});
        }
        return out;
    }

    template <typename Rows> void expect_differences(std::string_view text, const Rows& table) {
        const Digests before = write(std::string(text));
        EXPECT_EQ(differences(before, write(std::string(text))), "") << "of the same";
        for (const ImageChange& row : table) {
            if (!row.from.empty()) {
                const Digests after = write(replaced(std::string(text), row.from, row.to));
                EXPECT_EQ(differences(before, after), row.differ) << row.field << ": " << row.to;
            }
        }
    }

    TempDir dir_{temporary_root(), "kiln-test"};
    std::ostringstream said_;
    Console console_{said_, {}};
    BakeSettings settings_;
    FileTree tree_;
    std::array<std::string, 2> layers_{"", "data"};
    std::vector<StageSpec> specs_;
    std::array<PlannedStage, 2> planned_;
};

TEST_F(Images, OfADiskDependOnItsDefinition) {
    expect_complete(leaves_of(disk_image_shape()), kDiskFields);
    expect_differences(kDisk, kDiskFields);
}

TEST_F(Images, OfAContainerDependOnItsDefinition) {
    expect_complete(leaves_of(oci_image_shape()), kContainerFields);
    expect_differences(kContainer, kContainerFields);
}

TEST_F(Images, DependOnSettingsTreeAndLayers) {
    struct Change {
        std::string_view what;
        std::string_view of_disk;
        std::string_view of_container;
        std::function<void()> change;
    };

    const std::vector<Change> changes{
        {"epoch", "web.qcow2 web.raw", kBoth, [&] { ++settings_.epoch; }},
        {"identity", "web.qcow2 web.raw", "", [&] { settings_.identity = sha256("other"); }},
        {"layers", "", kBoth, [&] { layers_[1] = ""; }},
        {"a label", "", "", [&] { layers_ = {"one", "two"}; }},
        {"a file",
         "web.qcow2 web.raw",
         "web.docker.tar web.oci web.tar",
         [&] { tree_.put("etc/hostname", file("other\n")); }},
        {"a mode",
         "web.qcow2 web.raw",
         "web.docker.tar web.oci web.tar",
         [&] { tree_.put("etc/hostname", file("other\n", 0600)); }},
    };
    Digests disk = write(std::string(kDisk));
    Digests container = write(std::string(kContainer));
    for (const Change& row : changes) {
        row.change();
        if (row.what == "a label") { // beside the one layer that the row before left
            container = write(std::string(kContainer));
            layers_ = {"three", "four"};
        }
        Digests disk_now = write(std::string(kDisk));
        Digests container_now = write(std::string(kContainer));
        EXPECT_EQ(differences(disk, disk_now), row.of_disk) << row.what;
        EXPECT_EQ(differences(container, container_now), row.of_container) << row.what;
        disk = std::move(disk_now);
        container = std::move(container_now);
    }
}

TEST_F(Images, OfATreeThatCannotBootAreNotWritten) {
    tree_.erase_tree("boot/grub");
    EXPECT_EQ(
        message_of([&] { static_cast<void>(write(std::string(kDisk))); }),
        "the disk would not boot: '/boot/grub/i386-pc/boot.img' not found in the tree");
}

TEST_F(Images, OfADiskHaveTheEfiSystemPartitionsFilesElsewhere) {
    const DiskTrees trees = split_for_disk(tree_);
    EXPECT_NE(trees.root.find("boot/efi"), nullptr);
    EXPECT_EQ(trees.root.find("boot/efi/EFI"), nullptr);
    EXPECT_NE(trees.esp.find("EFI/BOOTX64.EFI"), nullptr);
    EXPECT_EQ(trees.esp.find("etc/hostname"), nullptr);
}

TEST_F(Images, AreTheSameWhateverWasDeflatedEarly) {
    const Digests plain = write(std::string(kDisk));
    fs::remove_all(dir_.path() / "cache");
    const ImageSpec image = read(std::string(kDisk));
    const fs::path folder = dir_.path() / "out/new";
    fs::create_directories(folder);
    const ImageContext context{"web", settings_, folder, dir_.path() / "cache", console_, 2};
    {
        FileTree before = tree_;
        before.put("etc/hostname", file("as it was before the last stage\n"));
        ClusterPrecompressor early(std::get<DiskImageSpec>(image.form), context);
        early.start(before);
        early.start(tree_); // the first one counts
        early.stop();
    }
    EXPECT_EQ(
        std::distance(fs::directory_iterator(dir_.path() / "out"), fs::directory_iterator()), 1)
        << "its own folder is gone";
    EXPECT_EQ(differences(plain, write(std::string(kDisk))), "");
}

TEST_F(Images, ThatWereCheckedAreKnownByTheirBytesAndTrees) {
    const std::vector<ImageFile> files{{"web.raw", ImageFormat::raw, sha256("raw"), 3, {}}};
    const DiskTrees trees = split_for_disk(tree_);
    const Digest subject = CheckedDisks::subject(files, trees);
    const auto subject_with = [&](const std::function<void(ImageFile&, DiskTrees&)>& change) {
        std::vector<ImageFile> other_files = files;
        DiskTrees other_trees = trees;
        change(other_files[0], other_trees);
        return CheckedDisks::subject(other_files, other_trees);
    };
    EXPECT_EQ(subject_with([](ImageFile& f, DiskTrees&) { f.name = "shop.raw"; }), subject);
    EXPECT_NE(subject_with([](ImageFile& f, DiskTrees&) { f.digest = sha256("x"); }), subject);
    EXPECT_NE(
        subject_with([](ImageFile& f, DiskTrees&) { f.format = ImageFormat::qcow2; }), subject);
    EXPECT_NE(subject_with([](ImageFile&, DiskTrees& t) { t.root.put("x", file("")); }), subject);
    EXPECT_NE(subject_with([](ImageFile&, DiskTrees& t) { t.esp.put("x", file("")); }), subject);

    fs::create_directory(dir_.path() / "cache");
    const CheckedDisks checked(dir_.path() / "cache");
    EXPECT_FALSE(checked.contains(subject, CheckLevel::quick));
    checked.add(subject, CheckLevel::quick);
    EXPECT_TRUE(checked.contains(subject, CheckLevel::quick));
    EXPECT_FALSE(checked.contains(subject, CheckLevel::full));
    checked.add(subject, CheckLevel::full);
    EXPECT_TRUE(checked.contains(subject, CheckLevel::full));
}

class WantedImagesOf : public testing::Test {
  protected:
    WantedImagesOf() {
        recipe_.name = "web";
        recipe_.images = {
            {"disk", DiskImageSpec{.formats = {ImageFormat::qcow2}, .label = "root"}, {}, {}},
            {"cloud", DiskImageSpec{.formats = {ImageFormat::raw}, .label = "root"}, {}, {}},
            {"box",
             OciImageSpec{.formats = {ImageFormat::oci}, .compression = "gzip", .config = {}},
             {},
             {}}};
    }

    /// "disk qcow2", for disks first.
    std::vector<std::string> wanted(const std::vector<ImageFormat>& formats) const {
        const WantedImages images = wanted_images(recipe_, formats);
        std::vector<std::string> out;
        for (const auto* side : {&images.disks, &images.containers}) {
            for (const WantedImage& image : *side) {
                std::string line = image.spec->name;
                for (const ImageFormat format : image.formats) {
                    line += fmt::format(" {}", name_of(format));
                }
                out.push_back(std::move(line));
            }
        }
        return out;
    }

    Recipe recipe_;
};

TEST_F(WantedImagesOf, ARecipeAreThoseThatItDefines) {
    EXPECT_THAT(wanted({}), ElementsAre("disk qcow2", "cloud raw", "box oci"));
}

TEST_F(WantedImagesOf, ACommandLineAreInItsFormats) {
    EXPECT_THAT(wanted({ImageFormat::docker}), ElementsAre("box docker"));
    EXPECT_THAT(
        wanted({ImageFormat::raw_gz, ImageFormat::tar}),
        ElementsAre("disk raw.gz", "cloud raw.gz", "box tar"));
}

TEST_F(WantedImagesOf, ACommandLineMustBeDefined) {
    recipe_.images.pop_back();
    EXPECT_EQ(
        thrown([&] { static_cast<void>(wanted({ImageFormat::oci})); }),
        "2: image format 'oci' is not defined in recipe 'web' (--image)");
    recipe_.images.clear();
    EXPECT_EQ(thrown([&] { static_cast<void>(wanted({})); }), "3: recipe 'web' defines no images");
}

} // namespace
} // namespace kiln
