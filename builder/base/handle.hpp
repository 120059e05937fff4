// SPDX-License-Identifier: MIT
//
// Ownership of C library objects: one alias per type, no hand-written moves.
//     using ArchiveHandle = Handle<archive, archive_read_free>;
#pragma once

#include <memory>

namespace kiln {

template <auto Free> struct Deleter {
    template <typename T> void operator()(T* object) const noexcept {
        static_cast<void>(Free(object));
    }
};

template <typename T, auto Free> using Handle = std::unique_ptr<T, Deleter<Free>>;

} // namespace kiln
