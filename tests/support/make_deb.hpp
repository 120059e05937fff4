// SPDX-License-Identifier: MIT
//
// Makes small Debian packages on the spot with dpkg-deb.
#pragma once

#include "base/io/file.hpp"

#include <map>
#include <string>

namespace kiln {

struct ToyDeb {
    std::string control = {}; ///< the control paragraph, with its final newline
    std::map<std::string, std::string> scripts = {}; ///< control file name -> content, mode 0755
    std::map<std::string, std::string> files = {};   ///< path -> content; below bin/ mode 0755
};

/// Returns the path of FOLDER/NAME.deb, where NAME is the control paragraph's Package.
[[nodiscard]] fs::path make_deb(const fs::path& folder, const ToyDeb& toy);

/// The same of a data archive that is given as bytes, so that no packer has a say in it.
[[nodiscard]] fs::path
make_raw_deb(const fs::path& folder, const ToyDeb& toy, const std::string& data_tar);

} // namespace kiln
