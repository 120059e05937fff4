// SPDX-License-Identifier: MIT
//
// SHA-256 digests as values, and the ways to make them.
#pragma once

#include "base/handle.hpp"
#include "base/io/stream.hpp"

#include <openssl/evp.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

/// A SHA-256 digest. The default value is all zeros and represents "none".
class Digest {
  public:
    static constexpr std::size_t kSize = 32;

    Digest() = default;

    explicit Digest(const std::array<std::byte, kSize>& bytes) : bytes_(bytes) {}

    /// From 64 lower-case hex digits, with or without "sha256:" in front.
    [[nodiscard]] static std::optional<Digest> parse(std::string_view text);

    [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }

    [[nodiscard]] std::string hex() const;

    /// "sha256:HEX", the form of OCI descriptors.
    [[nodiscard]] std::string to_string() const { return "sha256:" + hex(); }

    [[nodiscard]] bool is_none() const noexcept { return *this == Digest(); }

    auto operator<=>(const Digest&) const = default;

  private:
    std::array<std::byte, kSize> bytes_{};
};

/// Incremental SHA-256.
class Sha256 {
  public:
    Sha256();
    void update(Bytes bytes);

    void update(std::string_view text) { update(as_byte_span(text)); }

    /// Ends the computation; the object must not be used afterwards.
    [[nodiscard]] Digest finish();

  private:
    Handle<EVP_MD_CTX, EVP_MD_CTX_free> context_;
};

/// Digests what passes through.
class DigestSink final : public Sink {
  public:
    void write(Bytes bytes) override {
        hash_.update(bytes);
        size_ += bytes.size();
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Ends the computation.
    [[nodiscard]] Digest digest() { return hash_.finish(); }

  private:
    Sha256 hash_;
    std::uint64_t size_ = 0;
};

/// Hash of structured input: every field carries its name and length, so that no two lists of
/// fields share a digest by concatenation. Used for cache keys and derived identifiers.
class FieldHasher {
  public:
    /// `domain` separates uses, for example "kiln.stage-key.v1".
    explicit FieldHasher(std::string_view domain);
    FieldHasher& field(std::string_view name, std::string_view value);
    FieldHasher& field(std::string_view name, std::uint64_t value);
    FieldHasher& field(std::string_view name, const Digest& value);

    [[nodiscard]] Digest finish() { return hash_.finish(); }

  private:
    Sha256 hash_;
};

[[nodiscard]] Digest sha256(Bytes bytes);
[[nodiscard]] Digest sha256(std::string_view text);
/// MD5 in hex digits, which dpkg's databases have. Tells changed from unchanged, proves nothing.
[[nodiscard]] std::string md5_hex(std::string_view text);
/// The 20 bytes of a SHA-1, for formats that have one.
[[nodiscard]] std::string sha1_bytes(std::string_view text);
/// Digest of a file's content. Throws SystemError.
[[nodiscard]] Digest sha256_file(const std::string& path);

/// A version 4 shaped UUID (16 bytes, RFC 4122 variant) made from a digest.
/// REPRO: identifiers of disks and file systems are derived, never drawn.
[[nodiscard]] std::array<std::uint8_t, 16> uuid_from(const Digest& digest);
/// 8-4-4-4-12 lower-case form.
[[nodiscard]] std::string format_uuid(const std::array<std::uint8_t, 16>& uuid);

} // namespace kiln
