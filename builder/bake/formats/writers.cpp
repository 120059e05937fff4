// SPDX-License-Identifier: MIT
#include "bake/formats/writers.hpp"

#include <array>
#include <utility>

namespace kiln {

namespace {

constexpr auto kWriters = std::to_array<std::pair<ImageFormat, WriteImage>>({
    {ImageFormat::docker, write_docker},
    {ImageFormat::qcow2, write_qcow2},
});

} // namespace

WriteImage writer_of(ImageFormat format) {
    for (const auto& [its_format, writer] : kWriters) {
        if (its_format == format) {
            return writer;
        }
    }
    return nullptr;
}

} // namespace kiln
