// SPDX-License-Identifier: MIT
//
// Any bytes as an archive: no crash, no name that leaves the tree, contents of the stated size; and
// what the layer reader accepts, written again as a layer, reads back as the same tree.
#include "archive/archive_reader.hpp"
#include "fuzz/own_errors.hpp"
#include "oci/oci_layer.hpp"
#include "oci/oci_layer_reader.hpp"
#include "support/tar_checksums.hpp"

#include <cstdint>
#include <vector>

namespace kiln {
namespace {

/// Sparse members may state sizes that no input of a fuzzer has a right to.
constexpr std::uint64_t kMaxSize = 1 << 20;

/// False when a member is too big to be read again.
bool check_members(Bytes bytes) {
    MemorySource source(bytes);
    ArchiveReader reader(source, "input");
    while (const auto member = reader.next()) {
        KILN_CHECK(
            normalize_member_path(member->path.empty() ? "." : member->path) == member->path);
        KILN_CHECK(member->entry.mode <= 07777);
        if (member->entry.size > kMaxSize) {
            return false;
        }
        NullSink sink;
        const std::uint64_t size = copy(reader.content(), sink);
        KILN_CHECK(size == member->entry.size);
    }
    return true;
}

FileTree read_tree(Bytes tar) {
    MemorySource source(tar);
    FileTree tree;
    tree.apply(read_layer(source, "input", FileTree(), {}), 0);
    order_links(tree);
    return tree;
}

bool can_be_written(const FileTree& tree) {
    for (const auto& [path, entry] : tree.entries()) {
        // Contents are gone, and a fuzzer soon finds names that tar cannot hold.
        if ((entry.type == FileType::regular && entry.size > 0) || entry.type == FileType::socket) {
            return false;
        }
        for (const auto& [name, value] : entry.xattrs) {
            if (name.find('=') != std::string::npos) {
                return false;
            }
        }
    }
    return true;
}

void check_round_trip(Bytes bytes) {
    FileTree tree = read_tree(bytes);
    if (!can_be_written(tree)) {
        return;
    }
    for (auto& [path, entry] : tree.entries()) {
        entry.data = std::make_shared<const std::string>();
    }
    MemorySink sink;
    write_layer(plan_layer(tree, nullptr), sink);
    KILN_CHECK(read_tree(sink.data()).digest() == tree.digest());
}

} // namespace
} // namespace kiln

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kiln::Bytes given = std::as_bytes(std::span(data, size));
    std::vector<std::byte> bytes(given.begin(), given.end());
    kiln::test::repair_tar_checksums(bytes);
    kiln::test::accept_refusals([&] {
        if (kiln::check_members(bytes)) {
            kiln::check_round_trip(bytes);
        }
    });
    return 0;
}
