// SPDX-License-Identifier: MIT
//
// Any three texts as index, manifest and config of a layout whose digests are right: the image
// that they name, or an Error; never an exception of the JSON library. The input is the three
// texts, with a zero byte between them. "@M" represents the manifest's digest and size, "@C" for
// the config's, as members of an object.
#include "base/error.hpp"
#include "oci/oci_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace kiln {
namespace {

std::string with(std::string text, std::string_view mark, std::string_view blob) {
    const std::string members =
        fmt::format(R"("digest":"{}","size":{})", sha256(blob).to_string(), blob.size());
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
        text.replace(at, mark.size(), members);
        at += members.size();
    }
    return text;
}

class Layout {
  public:
    Layout() { fs::create_directories(dir_.path() / "blobs/sha256"); }

    void check(const std::array<std::string, 3>& texts) {
        const std::string& config = texts[2];
        const std::string manifest = with(texts[1], "@C", config);
        write_file(dir_.path() / "index.json", with(texts[0], "@M", manifest));
        const fs::path blobs = dir_.path() / "blobs/sha256";
        write_file(blobs / sha256(manifest).hex(), manifest);
        write_file(blobs / sha256(config).hex(), config);
        try {
            const OciReadImage image = read_oci_image(dir_.path());
            KILN_CHECK(image.manifest.descriptor.digest == sha256(manifest));
            KILN_CHECK(image.manifest.config.digest == sha256(config));
            KILN_CHECK(image.layers.size() == image.manifest.layers.size());
        } catch (const Error& error) {
            constexpr std::string_view kLibrary = "json.exception";
            const auto has = [&](const std::string& text) {
                return text.find(kLibrary) != std::string::npos;
            };
            // Unless the input says so, and is quoted.
            KILN_CHECK(!has(error.message()) || std::any_of(texts.begin(), texts.end(), has));
            if (error.exit_code() == ExitCode::bug) {
                throw;
            }
        }
        fs::remove(blobs / sha256(manifest).hex());
        fs::remove(blobs / sha256(config).hex());
    }

  private:
    TempDir dir_{temporary_root(), "kiln-fuzz"};
};

} // namespace
} // namespace kiln

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static kiln::Layout layout;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::array<std::string, 3> texts;
    for (std::string& text : texts) {
        const std::size_t end = std::min(rest.find('\0'), rest.size());
        text = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    layout.check(texts);
    return 0;
}
