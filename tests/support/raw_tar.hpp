// SPDX-License-Identifier: MIT
//
// Tar archives that no packer would write: every field as the test says. Layout: POSIX.1-2017, pax,
// "ustar Interchange Format", and GNU tar's sparse format 1.0.
#pragma once

#include "base/io/stream.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::test {

struct RawMember {
    std::string name; ///< up to 100 bytes; longer ones need pax()
    char type =
        '0'; ///< '0' file, '1' hard link, '2' symbolic link, '3' device, '5' directory, '6' FIFO
    std::string content = {}; ///< of files
    std::string link = {};    ///< where a link leads to
    std::string size = {};    ///< the field as it is; empty: that of the content
    unsigned mode = 0644;
    unsigned uid = 0;
    unsigned gid = 0;
    std::string user = {};
    std::string group = {};
};

class RawTar {
  public:
    RawTar& add(const RawMember& member);

    RawTar& file(std::string name, std::string content = "x") {
        return add({std::move(name), '0', std::move(content), ""});
    }

    RawTar& directory(std::string name) { return add({std::move(name), '5', "", ""}); }

    RawTar& symlink(std::string name, std::string to) {
        return add({std::move(name), '2', "", std::move(to)});
    }

    RawTar& hard_link(std::string name, std::string to) {
        return add({std::move(name), '1', "", std::move(to)});
    }

    /// Records for the next member.
    RawTar& pax(const std::vector<std::pair<std::string, std::string>>& records);
    /// A file of `size` bytes that is one hole, in GNU's sparse format 1.0.
    RawTar& sparse(const std::string& name, std::uint64_t size);

    /// With the two empty blocks at the end.
    [[nodiscard]] std::string bytes() const;

  private:
    std::string bytes_;
};

/// A pax record with its own length: "LENGTH key=value\n".
[[nodiscard]] std::string pax_record(const std::string& key, const std::string& value);

/// gzip of `count` times `block` behind `head`, made as a stream.
[[nodiscard]] std::string
gzip_repeated(std::string_view head, std::string_view block, std::uint64_t count);

/// gzip of a text.
[[nodiscard]] inline std::string gzip(std::string_view text) {
    return gzip_repeated(text, "", 0);
}

} // namespace kiln::test
