// SPDX-License-Identifier: MIT
#include "tree/tree_ids.hpp"

#include "base/error.hpp"

#include <fmt/format.h>
#include <linux/capability.h>

#include <cstring>

namespace kiln {

namespace {

template <typename T> T load(std::string_view bytes, std::size_t at) {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

template <typename T> void store(std::string& bytes, std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// struct posix_acl_xattr_header and _entry (kernel, uapi/linux/posix_acl_xattr.h): a version, then
/// tag, permissions and id of each entry. Only named users and groups have an id.
std::string shift_acl(std::string value, const TreeIds& ids) {
    constexpr std::size_t kHeader = 4;
    constexpr std::size_t kEntry = 8;
    constexpr std::uint16_t kNamedUser = 0x02;
    constexpr std::uint16_t kNamedGroup = 0x08;
    for (std::size_t at = kHeader; at + kEntry <= value.size(); at += kEntry) {
        const auto tag = load<std::uint16_t>(value, at);
        if (tag == kNamedUser || tag == kNamedGroup) {
            store(value, at + 4, ids.to_tree(load<std::uint32_t>(value, at + 4)));
        }
    }
    return value;
}

/// struct vfs_ns_cap_data (kernel, uapi/linux/capability.h) is vfs_cap_data with the root id of the
/// user namespace in which the capabilities count. In the image they count everywhere.
std::string without_root_id(std::string value) {
    if (value.size() != XATTR_CAPS_SZ_3) {
        return value;
    }
    const auto magic = load<std::uint32_t>(value, 0);
    if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3) {
        return value;
    }
    store(value, 0, (magic & ~VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2);
    return value.substr(0, XATTR_CAPS_SZ_2);
}

} // namespace

std::uint32_t TreeIds::to_host(std::uint32_t id) const {
    if (id >= kCount) {
        throw Error(fmt::format("file owner {} is above the maximum of {}", id, kCount - 1));
    }
    return id + offset;
}

std::uint32_t TreeIds::to_tree(std::uint32_t id) const {
    if (offset == 0 || id == 0) {
        return id;
    }
    if (id < offset || id - offset >= kCount) {
        throw Error(fmt::format("file owner {} is outside the id range of the tree", id));
    }
    return id - offset;
}

std::string TreeIds::xattr_to_tree(std::string_view name, std::string value) const {
    if (offset == 0) {
        return value;
    }
    if (name.starts_with("system.posix_acl_")) {
        return shift_acl(std::move(value), *this);
    }
    return name == "security.capability" ? without_root_id(std::move(value)) : value;
}

} // namespace kiln
