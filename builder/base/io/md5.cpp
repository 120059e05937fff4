// SPDX-License-Identifier: MIT
#include "base/io/md5.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <array>

namespace kiln {

Md5Source::Md5Source(Source& below) : below_(below), context_(EVP_MD_CTX_new()) {
    KILN_CHECK(EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1);
}

std::size_t Md5Source::read(std::span<std::byte> buffer) {
    const std::size_t count = below_.read(buffer);
    KILN_CHECK(EVP_DigestUpdate(context_.get(), buffer.data(), count) == 1);
    return count;
}

std::string Md5Source::hex() {
    std::array<std::byte, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    KILN_CHECK(
        EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size) ==
        1);
    return to_hex(std::span(bytes).first(size));
}

} // namespace kiln
