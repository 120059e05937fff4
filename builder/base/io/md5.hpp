// SPDX-License-Identifier: MIT
//
// MD5 of what is read from a source, for dpkg's databases. Tells changed from unchanged, proves
// nothing.
#pragma once

#include "base/handle.hpp"
#include "base/io/stream.hpp"

#include <openssl/evp.h>

#include <string>

namespace kiln {

/// Passes on what `below`, which must outlive this, has.
class Md5Source final : public Source {
  public:
    explicit Md5Source(Source& below);
    std::size_t read(std::span<std::byte> buffer) override;
    /// Hex digits for all that was read. Ends the computation.
    [[nodiscard]] std::string hex();

  private:
    Source& below_;
    Handle<EVP_MD_CTX, EVP_MD_CTX_free> context_;
};

} // namespace kiln
