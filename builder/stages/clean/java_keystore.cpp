// SPDX-License-Identifier: MIT
#include "stages/clean/java_keystore.hpp"

#include "base/byte_order.hpp"
#include "base/io/digest.hpp"
#include "base/io/stream.hpp"

#include <span>

namespace kiln {

namespace {

constexpr std::uint64_t kMagic = 0xFEEDFEED;
constexpr std::uint64_t kVersion = 2;
constexpr std::uint64_t kCertificate = 2;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kDigestBytes = 20;

/// Walks over a store; every step fails when the store ends too early.
class Walker {
  public:
    explicit Walker(std::string_view store) : store_(store) {}

    std::optional<std::uint64_t> number(std::size_t size) {
        if (size > store_.size() - at_) {
            return std::nullopt;
        }
        const std::uint64_t value = get_be(as_byte_span(store_), at_, size);
        at_ += size;
        return value;
    }

    bool skip(std::uint64_t size) {
        if (size > store_.size() - at_) {
            return false;
        }
        at_ += static_cast<std::size_t>(size);
        return true;
    }

    /// A field with its length, which has `size` bytes, in front.
    bool skip_field(std::size_t size) {
        const auto length = number(size);
        return length && skip(*length);
    }

    [[nodiscard]] std::size_t at() const { return at_; }

  private:
    std::string_view store_;
    std::size_t at_ = 0;
};

std::string digest(std::string_view content, std::string_view password) {
    std::string text;
    for (const char c : password) { // ASCII
        text += '\0';
        text += c;
    }
    text += "Mighty Aphrodite";
    text += content;
    return sha1_bytes(text);
}

} // namespace

std::optional<std::string>
java_keystore_at(std::string_view store, std::string_view password, std::int64_t seconds) {
    if (store.size() < kDigestBytes) {
        return std::nullopt;
    }
    std::string content(store.substr(0, store.size() - kDigestBytes));
    Walker walker(content);
    if (walker.number(4) != kMagic || walker.number(4) != kVersion) {
        return std::nullopt;
    }
    const auto count = walker.number(4);
    const std::string before = content;
    for (std::uint64_t i = 0; count && i < *count; ++i) {
        if (walker.number(4) != kCertificate || !walker.skip_field(2)) {
            return std::nullopt;
        }
        const std::size_t time = walker.at();
        if (!walker.skip(kTimeBytes) || !walker.skip_field(2) || !walker.skip_field(4)) {
            return std::nullopt;
        }
        put_be(
            std::as_writable_bytes(std::span(content)),
            time,
            static_cast<std::uint64_t>(seconds) * 1000,
            kTimeBytes);
    }
    const bool ours = count && walker.at() == content.size() &&
                      digest(before, password) == store.substr(content.size());
    return ours ? std::optional(content + digest(content, password)) : std::nullopt;
}

} // namespace kiln
