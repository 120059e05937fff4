// SPDX-License-Identifier: MIT
#include "bake/cluster_precompressor.hpp"

#include "bake/formats/image_caches.hpp"
#include "base/parallel.hpp"
#include "disk/qcow2/qcow2.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

namespace kiln {

void ClusterPrecompressor::start(const FileTree& tree) {
    if (!thread_.joinable()) {
        thread_ = std::jthread([this, tree](const std::stop_token& stop) { work(tree, stop); });
    }
}

void ClusterPrecompressor::stop() {
    thread_.request_stop();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void ClusterPrecompressor::work(const FileTree& tree, const std::stop_token& stop) const {
    lower_priority();
    try {
        const TempDir folder(context_.folder.parent_path(), kTemporaryPrefix);
        const fs::path raw = folder.path() / "root.raw";
        write_disk_root(
            split_for_disk(tree).root, root_disk_options(spec_, context_.settings), raw);
        FileClusterCache cache = open_cluster_cache(context_.cache);
        const UniqueFd fd = open_file(raw, O_RDONLY);
        // One processor is left to the stage that is running.
        const unsigned jobs = std::max(1U, context_.jobs - 1);
        deflate_ahead(fd.get(), {.jobs = jobs, .compress = true, .cache = &cache}, stop);
    } catch (const std::exception& error) {
        context_.console.debug(fmt::format("no clusters compressed in advance: {}", error.what()));
    }
}

} // namespace kiln
