// SPDX-License-Identifier: MIT
#include "bake/record.hpp"
#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/options/image_argument.hpp"
#include "verify/inspect/image_inspect.hpp"
#include "verify/inspect/inspect_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>

namespace kiln {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"kiln inspect images/out/pause/pause.qcow2", "show a disk and compare it with its record"},
    {"kiln inspect debian-12-genericcloud-amd64.qcow2 --all", "show any disk, with all packages"},
    {"kiln inspect images/out/pause/pause.oci --json", "print the same as JSON"},
    {"kiln inspect images/out/pause/pause.raw --no-check", "do not compare with the record"},
});

constexpr std::array kOptions{
    OptionSpec{.name = "--all", .doc = "list every package, user, group and unit"},
    kImageFormatOption,
    OptionSpec{
        .name = "--no-check", .doc = "do not compare with the record.json next to the image"},
};

constexpr std::array kPositionals{image_positional()};

/// The tree that the record beside the image names for it, if there is such a record.
std::optional<FileTree> find_recorded_tree(const fs::path& image) {
    // A directory may be named with a slash at its end.
    const fs::path plain = image.has_filename() ? image : image.parent_path();
    const fs::path folder = fs::absolute(plain).parent_path();
    const fs::path path = folder / "record.json";
    if (!fs::exists(path)) {
        return std::nullopt;
    }
    const Record record = load_record(path);
    const auto it =
        std::find_if(record.images.begin(), record.images.end(), [&](const ImageFile& file) {
            return file.name == plain.filename().string();
        });
    if (it == record.images.end()) {
        return std::nullopt;
    }
    return load_recorded_tree(record, folder, it->format);
}

ExitCode run(const Arguments& arguments, Context& context) {
    const fs::path image = arguments.positional("IMAGE");
    std::optional<FileTree> expected;
    if (!arguments.flag("--no-check")) {
        expected = find_recorded_tree(image);
    }
    const InspectOptions options{
        .format = format_argument(arguments), .expected = expected ? &*expected : nullptr};
    const ImageInfo info = inspect_image(image, options, context.console);
    if (context.global.json) {
        nlohmann::ordered_json json = inspection_to_json(info);
        json["as_recorded"] = expected ? nlohmann::ordered_json(true) : nlohmann::ordered_json();
        context.io.out << json_text(json) << '\n';
        return ExitCode::ok;
    }
    context.io.out << render_inspection(info, arguments.flag("--all"));
    if (expected) {
        context.io.out << fmt::format(
            "record\n  {:<14}  {} paths\n", "as recorded", expected->entries().size());
    }
    return ExitCode::ok;
}

} // namespace

const CommandSpec kInspectCommand{
    .name = "inspect",
    .summary = "show the contents of an image",
    .description =
        R"(Shows partitions, file systems, operating system, kernels, packages, users and units of
an image. IMAGE can be any disk or container image, not only one built by kiln. It is opened
read-only.

Disks are opened with libguestfs, which requires neither root nor KVM; without KVM this takes
about ten seconds.

If a record.json next to the image lists it, every path, mode, owner, time and digest in the image
is compared with the record. Differences are listed, with exit code 4.)",
    .examples = kExamples,
    .options = kOptions,
    .positionals = kPositionals,
    .run = run};

} // namespace kiln
