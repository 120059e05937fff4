// SPDX-License-Identifier: MIT
//
// Users of the image, read from /etc/passwd and /etc/group themselves: a static program cannot use
// the C library's look-up.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::firstrun {

struct Account {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home = "/root";
    std::vector<gid_t> groups; ///< supplementary ones
};

class Accounts {
  public:
    /// From the texts of the two files.
    [[nodiscard]] static Accounts parse(std::string_view passwd, std::string_view group);

    /// Throws Error when there is no such user.
    [[nodiscard]] const Account& get(std::string_view name) const;

    /// The name of a number, or the number itself.
    [[nodiscard]] std::string name_of(uid_t uid) const;

  private:
    std::map<std::string, Account, std::less<>> accounts_;
};

} // namespace kiln::firstrun
