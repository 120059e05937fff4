// SPDX-License-Identifier: MIT
//
// Headers of qcow2 files, field by field (see disk/qcow2/qcow2_header.hpp).
#pragma once

#include "base/byte_order.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kiln::test {

class RawQcow2 {
  public:
    /// Version 3, clusters of 64 KiB, a virtual size of 1 GiB, no extension.
    RawQcow2() : bytes_(std::size_t{1} << 18U, '\0') {
        bytes_.replace(0, 4, "QFI\xfb");
        set(4, 3, 4).set(20, 16, 4).set(24, std::uint64_t{1} << 30U, 8);
        set(36, 2, 4).set(40, 0x30000, 8).set(48, 0x10000, 8).set(56, 1, 4);
        set(96, 4, 4).set(100, 104, 4);
    }

    RawQcow2& set(std::size_t at, std::uint64_t value, std::size_t size) {
        put_be(std::as_writable_bytes(std::span(bytes_)), at, value, size);
        return *this;
    }

    RawQcow2& text(std::size_t at, std::string_view text) {
        bytes_.replace(at, text.size(), text);
        return *this;
    }

    /// An extension at `at`; returns this.
    RawQcow2& extension(std::size_t at, std::uint32_t type, std::string_view data) {
        return set(at, type, 4).set(at + 4, data.size(), 4).text(at + 8, data);
    }

    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

  private:
    std::string bytes_;
};

} // namespace kiln::test
