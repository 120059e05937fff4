// SPDX-License-Identifier: MIT
#include "base/io/digest.hpp"

#include "base/error.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln {

namespace {

std::optional<unsigned> hex_value(char digit) {
    if (digit >= '0' && digit <= '9') {
        return static_cast<unsigned>(digit - '0');
    }
    if (digit >= 'a' && digit <= 'f') {
        return static_cast<unsigned>(digit - 'a') + 10U;
    }
    return std::nullopt;
}

} // namespace

std::optional<Digest> Digest::parse(std::string_view text) {
    constexpr std::string_view kPrefix = "sha256:";
    if (text.starts_with(kPrefix)) {
        text.remove_prefix(kPrefix.size());
    }
    if (text.size() != kSize * 2) {
        return std::nullopt;
    }
    std::array<std::byte, kSize> bytes{};
    for (std::size_t i = 0; i < kSize; ++i) {
        const auto high = hex_value(text[2 * i]);
        const auto low = hex_value(text[2 * i + 1]);
        if (!high || !low) {
            return std::nullopt;
        }
        bytes[i] = static_cast<std::byte>(*high << 4U | *low);
    }
    return Digest(bytes);
}

std::string Digest::hex() const {
    return to_hex(bytes_);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    KILN_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(Bytes bytes) {
    KILN_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
    std::array<std::byte, Digest::kSize> out{};
    unsigned size = 0;
    KILN_CHECK(
        EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &size) ==
        1);
    return Digest(out);
}

namespace {

std::string digest_bytes(const EVP_MD* kind, std::string_view text) {
    std::string out(static_cast<std::size_t>(EVP_MD_get_size(kind)), '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(out.data());
    KILN_CHECK(EVP_Digest(text.data(), text.size(), bytes, nullptr, kind, nullptr) == 1);
    return out;
}

} // namespace

std::string md5_hex(std::string_view text) {
    return to_hex(as_byte_span(digest_bytes(EVP_md5(), text)));
}

std::string sha1_bytes(std::string_view text) {
    return digest_bytes(EVP_sha1(), text);
}

FieldHasher::FieldHasher(std::string_view domain) {
    field("domain", domain);
}

FieldHasher& FieldHasher::field(std::string_view name, std::string_view value) {
    hash_.update(fmt::format("{}:{}={}:", name.size(), name, value.size()));
    hash_.update(value);
    return *this;
}

FieldHasher& FieldHasher::field(std::string_view name, std::uint64_t value) {
    return field(name, std::string_view(std::to_string(value)));
}

FieldHasher& FieldHasher::field(std::string_view name, const Digest& value) {
    return field(name, std::string_view(value.hex()));
}

Digest sha256(Bytes bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

Digest sha256(std::string_view text) {
    return sha256(as_byte_span(text));
}

Digest sha256_file(const std::string& path) {
    FileSource source(path);
    DigestSink sink;
    copy(source, sink);
    return sink.digest();
}

std::array<std::uint8_t, 16> uuid_from(const Digest& digest) {
    std::array<std::uint8_t, 16> uuid{};
    std::transform(
        digest.bytes().begin(),
        digest.bytes().begin() + uuid.size(),
        uuid.begin(),
        [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0FU) | 0x40U);
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3FU) | 0x80U);
    return uuid;
}

std::string format_uuid(const std::array<std::uint8_t, 16>& uuid) {
    const std::string hex = to_hex(std::as_bytes(std::span(uuid)));
    return fmt::format(
        "{}-{}-{}-{}-{}",
        hex.substr(0, 8),
        hex.substr(8, 4),
        hex.substr(12, 4),
        hex.substr(16, 4),
        hex.substr(20));
}

} // namespace kiln
