// SPDX-License-Identifier: MIT
#include "formats/disk_identity.hpp"

#include <fmt/format.h>

namespace kiln {

namespace {

Digest derive(const Digest& seed, std::string_view purpose) {
    return FieldHasher("kiln.disk-identity.v1")
        .field("seed", seed)
        .field("purpose", purpose)
        .finish();
}

} // namespace

std::string DiskIdentity::esp_volume_id_text() const {
    return fmt::format("{:04X}-{:04X}", esp_volume_id >> 16U, esp_volume_id & 0xFFFFU);
}

DiskIdentity disk_identity(const Digest& seed) {
    DiskIdentity out;
    out.disk_guid = uuid_from(derive(seed, "disk"));
    out.bios_partition_guid = uuid_from(derive(seed, "bios-partition"));
    out.esp_partition_guid = uuid_from(derive(seed, "esp-partition"));
    out.root_partition_guid = uuid_from(derive(seed, "root-partition"));
    out.root_uuid = uuid_from(derive(seed, "root-file-system"));
    out.root_hash_seed = uuid_from(derive(seed, "root-hash-seed"));
    for (const std::byte byte : derive(seed, "esp-file-system").bytes().first(4)) {
        out.esp_volume_id = out.esp_volume_id << 8U | std::to_integer<std::uint32_t>(byte);
    }
    return out;
}

} // namespace kiln
