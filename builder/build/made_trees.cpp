// SPDX-License-Identifier: MIT
#include "build/made_trees.hpp"

#include "archive/archive_reader.hpp"
#include "archive/zstd.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/io/paths.hpp"
#include "build/store.hpp"

namespace kiln {

namespace {

std::string read_manifest(const fs::path& path) {
    FileSource file(path);
    DecompressSource source(file, path.string());
    LimitedSink text(kMaxManifestBytes, Error("the manifest is too large"));
    copy(source, text);
    return text.take();
}

} // namespace

MadeTrees::MadeTrees(const fs::path& root) : folder_(root / "made") {
    make_private_folder(folder_);
}

fs::path MadeTrees::path_of(const Digest& key) const {
    return folder_ / (key.hex() + ".zst");
}

std::optional<FileTree> MadeTrees::find(const Digest& key) const {
    const fs::path path = path_of(key);
    if (!fs::exists(path)) {
        return std::nullopt;
    }
    try {
        FileTree tree = parse_manifest(read_manifest(path), {});
        set_used_now(path);
        return tree;
    } catch (const Error&) { // damaged, or pruned at this moment
        return std::nullopt;
    }
}

void MadeTrees::keep(const Digest& key, const FileTree& delta) const {
    AtomicFile file(path_of(key), 0600);
    ZstdSink compressed(file, 1);
    write_manifest(delta, compressed);
    compressed.finish();
    file.commit();
}

void MadeTrees::prune(std::int64_t time) const {
    remove_unused(folder_, time);
}

} // namespace kiln
