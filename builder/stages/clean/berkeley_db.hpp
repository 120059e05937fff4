// SPDX-License-Identifier: MIT
//
// Files of Berkeley DB, such as postfix's /etc/aliases.db: each has a random id, which tells files
// apart that one program has open at a time, on the first page of each of its databases. What is
// free on a page is whatever its memory held before.
//
//     page of metadata:  12 magic (4 bytes)   20 page size (4)   24 cipher (1)   25 type (1)
//                        26 flags (1): 1 = pages have checksums   52 file id (20)
//     page of items:     20 number of items (2)   22 where they begin (2)   25 type (1)
//                        26 an offset for each item (2), then free, up to where they begin
//
// Numbers are in the order of the machine that wrote them; amd64's is little-endian. Source:
// Berkeley DB 5.3, dbinc/db_page.h (DBMETA, PAGE).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// The same file with ids that follow from `name`, zeros where pages are free, and `seconds` as the
/// time at which sendmail's and postfix's databases of aliases say that they were made (the key
/// YP_LAST_MODIFIED). Nothing when it is not a hash or B-tree of Berkeley DB, or has checksums or a
/// cipher.
[[nodiscard]] std::optional<std::string>
berkeley_db_of(std::string_view file, std::string_view name, std::int64_t seconds);

} // namespace kiln
