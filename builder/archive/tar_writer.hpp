// SPDX-License-Identifier: MIT
//
// Writes tar archives whose bytes follow from the entries alone: ustar where it fits, pax records
// where it does not, nothing of the host. Knows nothing of layers; members come in the order in
// which they are added.
#pragma once

#include "base/io/stream.hpp"
#include "tree/file_tree.hpp"

#include <cstdint>
#include <string_view>

namespace kiln {

/// Format: POSIX.1-2017, utility pax, "ustar Interchange Format" and "pax Extended Header".
/// Extended attributes go into SCHILY.xattr.* records, the form that container engines read.
class TarWriter {
  public:
    /// `sink` must outlive the writer; it is never finished by it.
    explicit TarWriter(Sink& sink) : sink_(sink) {}

    /// Adds one member; "" is the root directory ("./"). Content is opened with open_content() and
    /// compared with the entry's size and (unless it is none) digest. A hard link needs its target
    /// as an earlier member. Throws Error for sockets, whiteouts and attribute names that tar
    /// cannot hold, and for content that is not what the entry says.
    void add(std::string_view path, const Entry& entry);
    /// Writes the end of the archive: two blocks of zeros, and no more.
    void finish();

  private:
    void write_header(std::string_view path, const Entry& entry);
    void write_content(std::string_view path, const Entry& entry);
    void write_padded(std::string_view data);
    void pad(std::uint64_t written);

    Sink& sink_;
};

} // namespace kiln
