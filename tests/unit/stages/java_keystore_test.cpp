// SPDX-License-Identifier: MIT
#include "stages/clean/java_keystore.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace kiln {
namespace {

std::string be(std::uint64_t value, std::size_t size) {
    std::string out;
    for (std::size_t i = size; i-- > 0;) {
        out += static_cast<char>(value >> (8 * i));
    }
    return out;
}

std::string field(const std::string& text, std::size_t size) {
    return be(text.size(), size) + text;
}

std::string sealed(const std::string& content, const std::string& password) {
    std::string text;
    for (const char c : password) {
        text += std::string(1, '\0') + c;
    }
    text += "Mighty Aphrodite" + content;
    std::string digest(20, '\0');
    EVP_Digest(
        text.data(),
        text.size(),
        reinterpret_cast<unsigned char*>(digest.data()),
        nullptr,
        EVP_sha1(),
        nullptr);
    return content + digest;
}

std::string certificate(const std::string& alias, std::uint64_t milliseconds) {
    return be(2, 4) + field(alias, 2) + be(milliseconds, 8) + field("X.509", 2) +
           field("certificate of " + alias, 4);
}

std::string store(std::uint64_t first, std::uint64_t second, const std::string& password) {
    return sealed(
        be(0xFEEDFEED, 4) + be(2, 4) + be(2, 4) + certificate("debian:a.pem", first) +
            certificate("debian:b.pem", second),
        password);
}

TEST(JavaKeystore, GetsOneTimeAndItsDigest) {
    const auto stable =
        java_keystore_at(store(1795743000001, 1795743000777, "changeit"), "changeit", 1700000000);
    ASSERT_TRUE(stable);
    EXPECT_EQ(*stable, store(1700000000000, 1700000000000, "changeit"));
    EXPECT_EQ(java_keystore_at(*stable, "changeit", 1700000000), stable);
}

TEST(JavaKeystore, IsLeftAloneWhenItIsAnother) {
    const std::string good = store(1, 2, "changeit");
    EXPECT_FALSE(java_keystore_at(store(1, 2, "secret"), "changeit", 0));
    EXPECT_FALSE(java_keystore_at("", "changeit", 0));
    EXPECT_FALSE(java_keystore_at("PKCS12, which newer Java writes", "changeit", 0));
    std::string key = good;
    key[15] = 1; // the first entry is a private key
    EXPECT_FALSE(java_keystore_at(key, "changeit", 0));
    std::string many = good;
    many[8] = '\x7f'; // two thousand million entries
    EXPECT_FALSE(java_keystore_at(many, "changeit", 0));
    for (std::size_t length = 0; length < good.size(); ++length) {
        EXPECT_FALSE(java_keystore_at(good.substr(0, length), "changeit", 0)) << length;
    }
}

} // namespace
} // namespace kiln
