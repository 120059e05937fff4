// SPDX-License-Identifier: MIT
//
// Deflates a disk's clusters while its last stages still run: most of what a disk will hold is
// known by then. Fills the cluster cache and nothing else, so being wrong costs time only.
#pragma once

#include "bake/images.hpp"

#include <thread>

namespace kiln {

class ClusterPrecompressor {
  public:
    /// `spec` and what `context` refers to must outlive this.
    ClusterPrecompressor(const DiskImageSpec& spec, const ImageContext& context)
        : spec_(spec), context_(context) {}

    ClusterPrecompressor(const ClusterPrecompressor&) = delete;
    ClusterPrecompressor& operator=(const ClusterPrecompressor&) = delete;
    ~ClusterPrecompressor() = default;

    /// Begins with the tree as it is now; does nothing the second time.
    void start(const FileTree& tree);
    /// Ends within moments; what has been deflated is in the cache.
    void stop();

  private:
    void work(const FileTree& tree, const std::stop_token& stop) const;

    const DiskImageSpec& spec_;
    const ImageContext& context_;
    std::jthread thread_;
};

} // namespace kiln
