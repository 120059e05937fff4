// SPDX-License-Identifier: MIT
//
// Random passwords, and the hash that PAUSE's web app accepts.
#pragma once

#include <cstddef>
#include <string>

namespace kiln::firstrun {

inline constexpr std::size_t kGeneratedPasswordLength = 20; ///< of people; some 119 bits

/// Letters and digits from the kernel's random numbers: about 5.9 bits each.
[[nodiscard]] std::string random_password(std::size_t length);
/// bcrypt with prefix $2a$ and cost 12; `password` has at most 72 bytes.
[[nodiscard]] std::string bcrypt_hash(const std::string& password);
[[nodiscard]] bool bcrypt_matches(const std::string& password, const std::string& hash);

} // namespace kiln::firstrun
