// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "build/store.hpp"
#include "tree/tree_scan.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <future>

namespace kiln {
namespace {

TEST(Store, SweepsWorkThatNobodyHolds) {
    const TempDir dir(temporary_root(), "kiln-test");
    const fs::path work = dir.path() / "work";
    const fs::path left = work / "bake.killed";
    fs::create_directories(left / "upper");
    fs::permissions(left / "upper", fs::perms::none);
    const Store store(dir.path());
    EXPECT_FALSE(fs::exists(left));

    fs::path held;
    {
        const auto mine = store.begin_work();
        held = mine->path();
        const Store other(dir.path());
        EXPECT_TRUE(fs::exists(held));
    }
    EXPECT_FALSE(fs::exists(held));
}

/// A store with one stage in it.
class StoreWithAStage : public testing::Test {
  protected:
    void SetUp() override { commit(Store(root())); }

    void commit(const Store& store) const {
        const auto work = store.begin_work();
        const fs::path tree = work->path() / "tree";
        fs::create_directory(tree);
        write_file(tree / "file", "content");
        store.commit(
            tree,
            key_,
            scan_tree(tree, {}),
            {.recipe = "web", .kind = "run", .name = "greet", .seconds = 1.5, .bytes = 7});
    }

    [[nodiscard]] fs::path root() const { return dir_.path() / "cache"; }

    /// Of the stage.
    [[nodiscard]] fs::path folder() const { return store_.tree_of(key_).parent_path(); }

    Digest key_ = sha256("key");

  private:
    TempDir dir_{temporary_root(), "kiln-test"};

  protected:
    Store store_{root()};
};

mode_t mode_of(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
}

TEST_F(StoreWithAStage, IsForItsOwnerAlone) {
    EXPECT_EQ(mode_of(root() / "stages"), 0700U);
    EXPECT_EQ(mode_of(root() / "work"), 0700U);
    fs::permissions(root() / "stages", fs::perms(0755)); // as older kilns made it
    const Store other(root());
    EXPECT_EQ(mode_of(root() / "stages"), 0700U);
}

TEST_F(StoreWithAStage, ListsWhatItHolds) {
    const auto stages = store_.list();
    ASSERT_EQ(stages.size(), 1U);
    EXPECT_FALSE(stages[0].is_damaged);
    EXPECT_EQ(stages[0].key, key_);
    EXPECT_EQ(stages[0].info.name, "greet");
    EXPECT_EQ(stages[0].info.seconds, 1.5);
    EXPECT_EQ(store_.load(key_).entries().size(), 2U);
}

TEST_F(StoreWithAStage, KnowsStagesWhoseOwnersAreOthers) {
    fs::rename(folder(), root() / "stages" / (folder().filename().string() + "-100000"));
    EXPECT_EQ(store_.load(key_).entries().size(), 2U); // to look at it
    const auto stages = store_.list();
    ASSERT_EQ(stages.size(), 1U);
    EXPECT_FALSE(stages[0].is_damaged);
    EXPECT_EQ(stages[0].key, key_);
}

TEST_F(StoreWithAStage, SetsADamagedStageAsideAndTakesANewOne) {
    const std::string good = read_text_file(folder() / "stage.json");
    const auto without = [&](std::string_view what) {
        std::string text = good;
        return text.replace(text.find(what), what.size(), "x");
    };
    const std::vector<std::string> damages{
        "",
        "{",
        "[]",
        "null",
        good.substr(0, good.size() / 2),
        without("recipe"),
        without("1.5"),
        without(key_.hex()),
        "{\"key\": 3}",
        "\xff"};
    for (const std::string& damage : damages) {
        write_file_atomically(folder() / "stage.json", damage);
        const Store other(root());
        EXPECT_FALSE(other.contains(key_)) << damage;
        EXPECT_FALSE(fs::exists(folder())) << damage;
        commit(other);
        EXPECT_TRUE(other.contains(key_)) << damage;
    }
    // A stage of an older kiln does not state its manifest's digest.
    std::string older = good;
    older.replace(older.find("\"manifest\""), 10, "\"other\"");
    write_file_atomically(folder() / "stage.json", older);
    EXPECT_TRUE(Store(root()).contains(key_));
}

TEST_F(StoreWithAStage, SeesWhatIsMissingOrChanged) {
    const std::vector<std::function<void()>> damages{
        [&] { fs::remove(folder() / "manifest"); },
        [&] { fs::remove_all(folder() / "tree"); },
        [&] { write_file_atomically(folder() / "manifest", "d 0755 0 0 0 0 - /\n"); },
        [&] {
            fs::remove(folder() / "manifest");
            EXPECT_EQ(::mkfifo((folder() / "manifest").c_str(), 0600), 0);
        },
        [&] {
            fs::remove(folder() / "stage.json");
            fs::create_symlink("/dev/zero", folder() / "stage.json");
        }};
    for (const auto& damage : damages) {
        damage();
        const Store other(root());
        EXPECT_FALSE(other.contains(key_));
        EXPECT_FALSE(fs::exists(folder()));
        commit(other);
        EXPECT_TRUE(other.contains(key_));
    }
}

TEST_F(StoreWithAStage, ListsDamagedStagesAndDropsThem) {
    write_file_atomically(folder() / "stage.json", "{\"key\": null}");
    fs::create_directory(root() / "stages/stray");
    const auto stages = store_.list();
    ASSERT_EQ(stages.size(), 2U);
    const Store pruning(root());
    for (const StoredStage& stage : stages) {
        EXPECT_TRUE(stage.is_damaged);
        EXPECT_TRUE(pruning.remove(stage));
    }
    EXPECT_TRUE(fs::is_empty(root() / "stages"));
}

TEST_F(StoreWithAStage, SaysWhatToDoWhenAStageCannotBeLoaded) {
    write_file_atomically(folder() / "manifest", "nonsense\n");
    const Store other(root());
    try {
        static_cast<void>(other.load(key_));
        FAIL() << "no exception";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::failed);
        EXPECT_EQ(
            error.hint(), "the stage is damaged; it is rebuilt when no other kiln process uses it");
    }
}

TEST_F(StoreWithAStage, KeepsAStageThatAnotherKilnUses) {
    const Store pruning(root());
    {
        const Store baking(root());
        EXPECT_TRUE(baking.contains(key_));
        EXPECT_FALSE(pruning.remove(pruning.list().at(0)));
        EXPECT_EQ(baking.load(key_).entries().size(), 2U);
        EXPECT_EQ(read_text_file(baking.tree_of(key_) / "file"), "content");
    }
    EXPECT_TRUE(pruning.remove(pruning.list().at(0)));
    EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(StoreWithAStage, KeepsADamagedStageThatAnotherKilnHasMounted) {
    const Store baking(root());
    EXPECT_TRUE(baking.contains(key_));
    write_file_atomically(folder() / "stage.json", "");
    EXPECT_FALSE(Store(root()).contains(key_));
    EXPECT_EQ(read_text_file(baking.tree_of(key_) / "file"), "content");
}

TEST_F(StoreWithAStage, TakesOneOfSeveralThatAreMadeAtTheSameTime) {
    constexpr int kWriters = 4;
    std::vector<std::future<void>> writers;
    for (int i = 0; i < kWriters; ++i) {
        writers.push_back(std::async(std::launch::async, [&, i] {
            const Store store(root());
            for (const Digest& key : {sha256("shared"), sha256(std::to_string(i))}) {
                const auto work = store.begin_work();
                const fs::path tree = work->path() / "tree";
                fs::create_directory(tree);
                write_file(tree / "file", "content");
                store.commit(tree, key, scan_tree(tree, {}), {});
                EXPECT_TRUE(store.contains(key));
            }
        }));
    }
    for (auto& writer : writers) {
        writer.get();
    }
    EXPECT_TRUE(fs::is_empty(root() / "work"));
    EXPECT_EQ(store_.list().size(), kWriters + 2U);
    EXPECT_EQ(store_.load(sha256("shared")).entries().size(), 2U);
}

TEST_F(StoreWithAStage, SweepsWhatAKilledWriterLeft) {
    const Digest unfinished = sha256("unfinished");
    const pid_t writer = ::fork();
    ASSERT_GE(writer, 0);
    if (writer == 0) { // killed when all is written but not yet in its place
        const Store store(root());
        const auto work = store.begin_work();
        static_cast<void>(store.contains(key_)); // and it used another stage
        fs::create_directories(work->path() / "stage/tree");
        write_file(work->path() / "stage/manifest", "half");
        ::_exit(0);
    }
    ASSERT_EQ(::waitpid(writer, nullptr, 0), writer);
    EXPECT_FALSE(fs::is_empty(root() / "work"));
    const Store after(root());
    EXPECT_TRUE(fs::is_empty(root() / "work"));
    EXPECT_FALSE(after.contains(unfinished));
    EXPECT_TRUE(after.remove(after.list().at(0))) << "nobody uses it any more";
}

} // namespace
} // namespace kiln
