// SPDX-License-Identifier: MIT
//
// The files of a container image, whether they lie in a layout directory or in an archive. Names
// come from the image, so they never are paths of the host: in a directory the kernel keeps them
// beneath it and follows no link, and what an archive holds is kept under numbers.
#pragma once

#include "archive/archive_limits.hpp"
#include "base/io/beneath.hpp"
#include "base/io/file.hpp"
#include "oci/oci_model.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace kiln {

class OciFiles {
  public:
    OciFiles() = default;
    OciFiles(const OciFiles&) = delete;
    OciFiles& operator=(const OciFiles&) = delete;
    virtual ~OciFiles() = default;

    /// `name` is relative, without "." and "..". Throws Error when there is no such regular file.
    [[nodiscard]] virtual std::unique_ptr<RegularFile> open(const std::string& name) const = 0;
    [[nodiscard]] virtual bool has(const std::string& name) const = 0;

    /// A text of at most kMaxJsonBytes. Throws Error.
    [[nodiscard]] std::string read_text(const std::string& name) const;
    /// Opens a blob whose size is as stated. Throws Error.
    [[nodiscard]] std::unique_ptr<RegularFile> open_blob(const OciDescriptor& descriptor) const;
    /// The text of a blob, whose digest is as stated. Throws Error.
    [[nodiscard]] std::string read_blob(const OciDescriptor& descriptor) const;
};

/// A layout directory.
class LayoutFiles final : public OciFiles {
  public:
    explicit LayoutFiles(fs::path layout) : layout_(std::move(layout)), top_(open_top(layout_)) {}

    [[nodiscard]] std::unique_ptr<RegularFile> open(const std::string& name) const override;
    [[nodiscard]] bool has(const std::string& name) const override;

  private:
    fs::path layout_;
    UniqueFd top_;
};

/// A tar of a layout or of `docker save`, plain or compressed, unpacked in $TMPDIR.
class ArchivedFiles final : public OciFiles {
  public:
    ArchivedFiles(const fs::path& archive, const ArchiveLimits& limits);

    [[nodiscard]] std::unique_ptr<RegularFile> open(const std::string& name) const override;
    [[nodiscard]] bool has(const std::string& name) const override;

  private:
    fs::path archive_;
    TempDir folder_;
    std::map<std::string, std::string> numbers_; ///< file in `folder_` by name of the member
};

/// "blobs/sha256/HEX".
[[nodiscard]] std::string blob_name(const Digest& digest);

/// Throws Error when a blob is not what its descriptor says.
void require_blob(const OciDescriptor& stated, std::uint64_t size, const Digest& digest);

} // namespace kiln
