// SPDX-License-Identifier: MIT
#include "bake/formats/writers.hpp"

#include <array>
#include <utility>

namespace kiln {

namespace {

constexpr auto kWriters = std::to_array<std::pair<ImageFormat, WriteImage>>({
    {ImageFormat::docker, write_docker},
    {ImageFormat::tar, write_tar},
    {ImageFormat::qcow2, write_qcow2},
    {ImageFormat::raw_gz, write_raw_gz},
    {ImageFormat::raw_zst, write_raw_zst},
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
