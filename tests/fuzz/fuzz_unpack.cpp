// SPDX-License-Identifier: MIT
//
// Any bytes as an archive that is unpacked on the host: what is next to the folder stays as it is.
// Every input is given links to the place beside it first, in the folder and in the archive.
#include "archive/archive_unpack.hpp"
#include "base/error.hpp"
#include "fuzz/own_errors.hpp"
#include "support/tar_checksums.hpp"

#include <cstdint>

namespace kiln {
namespace {

constexpr std::string_view kPrecious = "precious";

class Playground {
  public:
    Playground() {
        fs::create_directory(victim());
        write_file(victim() / "f", kPrecious);
    }

    void check(Bytes bytes) {
        const fs::path folder = dir_.path() / "folder";
        fs::create_directory(folder);
        fs::create_directory_symlink("../victim", folder / "a");
        fs::create_symlink(victim() / "f", folder / "b");
        ArchiveLimits limits;
        limits.members = 1000;
        limits.member_bytes = limits.total_bytes = limits.free_bytes = 1 << 20;
        MemorySource source(bytes);
        test::accept_refusals([&] { unpack_archive(source, "input", folder, limits); });
        remove_tree(folder);
        KILN_CHECK(read_text_file(victim() / "f") == kPrecious);
        KILN_CHECK(fs::hard_link_count(victim() / "f") == 1);
        KILN_CHECK(std::distance(fs::directory_iterator(victim()), fs::directory_iterator()) == 1);
        KILN_CHECK(
            std::distance(fs::directory_iterator(dir_.path()), fs::directory_iterator()) == 1);
    }

  private:
    [[nodiscard]] fs::path victim() const { return dir_.path() / "victim"; }

    TempDir dir_{temporary_root(), "kiln-fuzz"};
};

} // namespace
} // namespace kiln

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static kiln::Playground playground;
    const kiln::Bytes given = std::as_bytes(std::span(data, size));
    std::vector<std::byte> bytes(given.begin(), given.end());
    kiln::test::repair_tar_checksums(bytes);
    playground.check(bytes);
    return 0;
}
