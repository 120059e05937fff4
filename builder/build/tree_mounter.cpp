// SPDX-License-Identifier: MIT
#include "build/tree_mounter.hpp"

#include "base/error.hpp"

#include <fmt/format.h>
#include <sys/mount.h>

namespace kiln {

namespace {

std::string overlay_options(const TreeLayers& layers) {
    std::string lower;
    for (auto it = layers.lowers.rbegin(); it != layers.lowers.rend(); ++it) { // topmost first
        lower += (lower.empty() ? "" : ":") + it->string();
    }
    std::string options = fmt::format(
        "userxattr,lowerdir={},upperdir={},workdir={}",
        lower,
        layers.upper.string(),
        layers.work.string());
    constexpr std::size_t kPage = 4096;
    if (options.size() >= kPage) {
        throw Error("too many stages: the overlay mount options would be too long")
            .with_hint("set KILN_CACHE to a shorter path");
    }
    return options;
}

class OverlayMounter final : public TreeMounter {
  public:
    void mount(const TreeLayers& layers) const override {
        const char* root = layers.root.c_str();
        if (layers.lowers.empty()) {
            if (::mount(layers.upper.c_str(), root, nullptr, MS_BIND, nullptr) != 0) {
                throw SystemError(fmt::format("cannot mount the tree at '{}'", root));
            }
            return;
        }
        const std::string options = overlay_options(layers);
        if (::mount("overlay", root, "overlay", 0, options.c_str()) != 0) {
            throw SystemError(fmt::format("cannot mount the tree at '{}'", root))
                .with_hint(
                    "set KILN_CACHE to a directory on ext4, xfs, btrfs or tmpfs: overlay mounts "
                    "do not work on top of another overlay");
        }
    }

    [[nodiscard]] bool unmount(const fs::path& root) const noexcept override {
        return ::umount2(root.c_str(), 0) == 0 || ::umount2(root.c_str(), MNT_DETACH) == 0;
    }
};

} // namespace

const TreeMounter& overlay_mounter() {
    static const OverlayMounter kMounter;
    return kMounter;
}

} // namespace kiln
