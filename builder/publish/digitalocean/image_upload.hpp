// SPDX-License-Identifier: MIT
//
// A place from which DigitalOcean can fetch the file of an image: it takes no uploads, only URLs.
// Implementations keep nothing in memory that another process would need: what they did is in a
// state that the caller saves, so that an upload can be resumed or removed after any end of kiln.
#pragma once

#include "base/console.hpp"
#include "base/io/digest.hpp"
#include "base/io/file.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace kiln {

/// What is to be fetched. Does not change while it is published; an implementation that notices
/// that it did throws Error.
struct UploadFile {
    fs::path path;
    std::string name; ///< that the URL has to end in, such as "shop.qcow2.gz"
    std::uint64_t size = 0;
    Digest digest; ///< SHA-256 of the content
};

class ImageUpload {
  public:
    /// Takes what must be known to go on with the upload or to remove it: an object without
    /// secrets, written to the journal (mode 0600) before the function returns. Throws Error when
    /// it cannot be.
    using Save = std::function<void(const nlohmann::ordered_json& state)>;

    ImageUpload() = default;
    ImageUpload(const ImageUpload&) = delete;
    ImageUpload& operator=(const ImageUpload&) = delete;
    virtual ~ImageUpload() = default;

    /// The name in journals: "spaces", "url".
    [[nodiscard]] virtual std::string_view kind() const = 0;

    /// Looks, without changing anything, whether put() can work: keys, names, what is there. Throws
    /// Error, UsageError.
    virtual void check(const UploadFile& file) = 0;

    /// Makes the file available and returns its URL. `state` is what was saved last, null at the
    /// first time; `save` is called before each change that remove() would have to undo, never from
    /// two threads at once. Safe to call again at any time, also when all was done: then it finds
    /// that out and returns the same URL. `progress` counts bytes; its total is set here. Throws
    /// Error, TransferError, Interrupted; all that was saved stays.
    [[nodiscard]] virtual std::string
    put(const UploadFile& file,
        const nlohmann::ordered_json& state,
        const Save& save,
        Job& progress) = 0;

    /// Removes whatever put() made, finished or not. What is gone already is fine. Throws Error.
    virtual void remove(const nlohmann::ordered_json& state) = 0;
};

} // namespace kiln
