// SPDX-License-Identifier: MIT
#include "firstrun/host/passwords.hpp"

#include "base/error.hpp"

#include <crypt.h>
#include <sys/random.h>

#include <array>
#include <memory>
#include <string_view>

namespace kiln::firstrun {

namespace {

constexpr std::size_t kSaltLength = 22;
constexpr std::string_view kCost = "$2a$12$";

void fill_random(std::byte* buffer, std::size_t size) {
    while (size > 0) {
        const ssize_t count = ::getrandom(buffer, size, 0);
        if (count < 0 && errno != EINTR) {
            throw SystemError("cannot get random numbers");
        }
        if (count > 0) {
            buffer += count;
            size -= static_cast<std::size_t>(count);
        }
    }
}

std::string random_text(std::string_view alphabet, std::size_t length) {
    const std::size_t limit = 256 - 256 % alphabet.size(); // above it some letters come more often
    std::string out;
    while (out.size() < length) {
        std::array<std::byte, 64> bytes{};
        fill_random(bytes.data(), bytes.size());
        for (const std::byte byte : bytes) {
            const auto value = std::to_integer<std::size_t>(byte);
            if (value < limit && out.size() < length) {
                out += alphabet[value % alphabet.size()];
            }
        }
    }
    return out;
}

std::string crypt_text(const std::string& password, const std::string& setting) {
    const auto data = std::make_unique<crypt_data>();
    const char* hash = ::crypt_r(password.c_str(), setting.c_str(), data.get());
    return hash == nullptr ? std::string() : std::string(hash);
}

} // namespace

std::string random_password(std::size_t length) {
    return random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", length);
}

std::string bcrypt_hash(const std::string& password) {
    constexpr std::string_view kAlphabet =
        "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // The 22nd letter carries two bits only; crypt(3) wants the others to be zero.
    const std::string salt = random_text(kAlphabet, kSaltLength - 1) + random_text(".Oeu", 1);
    std::string hash = crypt_text(password, std::string(kCost) + salt);
    if (!hash.starts_with(kCost)) {
        throw Error("crypt(3) cannot create a bcrypt hash", ExitCode::bug);
    }
    return hash;
}

bool bcrypt_matches(const std::string& password, const std::string& hash) {
    const std::string again = crypt_text(password, hash);
    return !again.empty() && again.front() == '$' && again == hash;
}

} // namespace kiln::firstrun
