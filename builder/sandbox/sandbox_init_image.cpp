// SPDX-License-Identifier: MIT
#include "sandbox/sandbox_init_image.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cstddef>
#include <span>

// The assembler puts the file between two labels. Its path comes from CMake.
asm(".section .rodata\n"
    ".global kiln_sandbox_init_begin\n"
    ".global kiln_sandbox_init_end\n"
    "kiln_sandbox_init_begin:\n"
    ".incbin \"" KILN_SANDBOX_INIT "\"\n"
    "kiln_sandbox_init_end:\n"
    ".previous\n");

extern "C" {
// NOLINTBEGIN(readability-identifier-naming)
extern const std::byte kiln_sandbox_init_begin;
extern const std::byte kiln_sandbox_init_end;
// NOLINTEND(readability-identifier-naming)
}

namespace kiln {

namespace {

UniqueFd make_file() {
    UniqueFd fd(::memfd_create("kiln-init", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd.is_open()) {
        throw SystemError("cannot create a file for the sandbox's init program");
    }
    const auto size = static_cast<std::size_t>(&kiln_sandbox_init_end - &kiln_sandbox_init_begin);
    write_all(fd.get(), std::span(&kiln_sandbox_init_begin, size), "kiln-init");
    // Nobody who gets hold of it can change it.
    if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
        0) {
        throw SystemError("cannot seal the sandbox's init program");
    }
    return fd;
}

} // namespace

int sandbox_init_descriptor() {
    static const UniqueFd kFile = make_file();
    return kFile.get();
}

} // namespace kiln
