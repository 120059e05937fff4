// SPDX-License-Identifier: MIT
#include "debian/deb.hpp"

#include "archive/archive_reader.hpp"
#include "base/error.hpp"
#include "base/io/beneath.hpp"
#include "base/io/file.hpp"
#include "base/text.hpp"
#include "debian/deb_version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace kiln {

namespace {

constexpr std::string_view kArMagic = "!<arch>\n";
constexpr std::size_t kArHeaderSize = 60;
constexpr std::size_t kArNameSize = 16;
constexpr std::size_t kArSizeOffset = 48;
constexpr std::size_t kArSizeSize = 10;
/// Three, and those of signatures.
constexpr std::size_t kMaxArMembers = 16;
constexpr std::size_t kMaxControlFiles = 256;
constexpr std::uint64_t kMaxControlParagraph = std::uint64_t{1} << 20U;
/// Scripts, md5sums and templates; the largest md5sums in Debian has some 6 MB.
constexpr std::uint64_t kMaxControlFile = std::uint64_t{16} << 20U;

struct ArMember {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

Error damaged(const fs::path& path, std::string_view why) {
    return Error(fmt::format("'{}' is damaged: {}", path.string(), why))
        .with_hint("delete it from the download cache; the next bake downloads it again");
}

/// Reads a part of an open file.
class RangeSource final : public Source {
  public:
    RangeSource(int fd, const ArMember& member, const fs::path& path)
        : fd_(fd), at_(member.offset), left_(member.size), path_(path) {}

    std::size_t read(std::span<std::byte> buffer) override {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
        read_exactly_at(fd_, buffer.first(count), at_, path_);
        at_ += count;
        left_ -= count;
        return count;
    }

  private:
    int fd_;
    std::uint64_t at_;
    std::uint64_t left_;
    const fs::path& path_;
};

std::vector<ArMember> ar_members(int fd, std::uint64_t file_size, const fs::path& path) {
    std::vector<ArMember> members;
    std::array<char, kArHeaderSize> header{};
    for (std::uint64_t at = kArMagic.size(); at < file_size;) {
        if (file_size - at < kArHeaderSize) {
            throw damaged(path, "unexpected end of file in a header");
        }
        read_exactly_at(fd, std::as_writable_bytes(std::span(header)), at, path);
        const std::string_view text(header.data(), header.size());
        const auto size = parse_unsigned(trim(text.substr(kArSizeOffset, kArSizeSize)));
        if (members.size() == kMaxArMembers) {
            throw damaged(path, "too many members");
        }
        if (!size || !text.ends_with("`\n")) {
            throw damaged(path, "malformed member header");
        }
        std::string_view name = trim(text.substr(0, kArNameSize));
        if (name.ends_with('/')) {
            name.remove_suffix(1);
        }
        members.push_back({std::string(name), at + kArHeaderSize, *size});
        if (*size > file_size - at - kArHeaderSize) {
            throw damaged(path, fmt::format("truncated: '{}' is incomplete", printable(name)));
        }
        at += kArHeaderSize + *size + *size % 2;
    }
    return members;
}

/// Opens the member whose name starts with `prefix` and hands its archive to `use`.
void with_member(
    const fs::path& path, std::string_view prefix, const std::function<void(ArchiveReader&)>& use) {
    const RegularFile file(path);
    const std::uint64_t size = file.size();
    std::array<char, kArMagic.size()> magic{};
    if (size >= magic.size()) {
        read_exactly_at(file.fd(), std::as_writable_bytes(std::span(magic)), 0, path);
    }
    if (std::string_view(magic.data(), magic.size()) != kArMagic) {
        throw Error(fmt::format("'{}' is not a Debian package", path.string()));
    }
    const auto members = ar_members(file.fd(), size, path);
    const auto member = std::find_if(members.begin(), members.end(), [&](const ArMember& m) {
        return m.name.starts_with(prefix);
    });
    if (members.empty() || members[0].name != "debian-binary" || member == members.end()) {
        throw damaged(path, fmt::format("member '{}' is missing", prefix));
    }
    RangeSource source(file.fd(), *member, path);
    ArchiveReader reader(source, path.filename().string() + "/" + printable(member->name));
    use(reader);
}

std::string read_all(Source& source) {
    MemorySink sink;
    copy(source, sink);
    return std::string(sink.text());
}

/// Names of control files become names in dpkg's database, behind the package's.
bool is_control_name(std::string_view name) {
    return !name.empty() && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-' || c == '+';
           });
}

void check_control_member(const ArchiveMember& member, const DebControl& control) {
    const std::string name = printable(member.path);
    const bool is_file = member.entry.type == FileType::regular && member.entry.hardlink_to.empty();
    if (!is_file || !is_control_name(member.path)) {
        throw damaged(
            control.path, fmt::format("'{}' in the control archive is not a regular file", name));
    }
    const std::uint64_t limit = member.path == "control" ? kMaxControlParagraph : kMaxControlFile;
    if (member.entry.size > limit) {
        throw damaged(
            control.path,
            fmt::format(
                "'{}' in the control archive has {}, the limit is {}",
                name,
                format_size(member.entry.size),
                format_size(limit)));
    }
    if (control.files.size() == kMaxControlFiles) {
        throw damaged(control.path, "too many members in the control archive");
    }
    if (control.files.contains(member.path)) {
        throw damaged(
            control.path, fmt::format("duplicate member '{}' in the control archive", name));
    }
}

} // namespace

std::string DebControl::field(std::string_view name) const {
    const auto control = files.find("control");
    if (control == files.end()) {
        return {};
    }
    std::string value;
    bool inside = false;
    for (const std::string& line : split_lines(control->second)) {
        const bool continues = line.starts_with(' ') || line.starts_with('\t');
        if (inside && continues) {
            value += "\n" + line;
        } else if (inside) {
            break;
        } else if (
            !continues && line.size() > name.size() && line[name.size()] == ':' &&
            std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
                return std::tolower(a) == std::tolower(b);
            })) {
            inside = true;
            value = trim(std::string_view(line).substr(name.size() + 1));
        }
    }
    return value;
}

std::string DebControl::require_field(std::string_view name) const {
    std::string value = field(name);
    if (value.empty()) {
        throw damaged(path, fmt::format("field '{}' is missing in the control data", name));
    }
    return value;
}

DebControl read_deb_control(const std::filesystem::path& path) {
    DebControl control;
    control.path = path;
    with_member(path, "control.tar", [&](ArchiveReader& reader) {
        while (const auto member = reader.next()) {
            if (member->path.empty() && member->entry.type == FileType::directory) {
                continue;
            }
            check_control_member(*member, control);
            control.modes[member->path] = member->entry.mode;
            control.files[member->path] = read_all(reader.content());
        }
    });
    return control;
}

void read_deb_data(
    const std::filesystem::path& path, const std::function<void(ArchiveReader&)>& use) {
    with_member(path, "data.tar", use);
}

bool PackageVersions::include(std::string_view package, std::string_view its_version) const {
    if (package != name) {
        return false;
    }
    if (relation.empty()) {
        return true;
    }
    const auto has = DebVersion::parse(its_version);
    const auto wanted = DebVersion::parse(version);
    if (!has || !wanted) {
        return false;
    }
    const auto order = *has <=> *wanted;
    // "<" and ">" are old forms of "<=" and ">=" (deb-control(5)).
    if (relation == "<<") {
        return order < 0;
    }
    if (relation == "<=" || relation == "<") {
        return order <= 0;
    }
    if (relation == "=") {
        return order == 0;
    }
    return relation == ">>" ? order > 0 : order >= 0;
}

std::vector<PackageVersions> parse_versioned_relations(std::string_view text) {
    std::vector<PackageVersions> out;
    for (const std::string& clause : split(text, ',')) {
        const std::string_view all = trim(clause);
        const std::size_t end = all.find_first_of(" (:[<\t\n");
        PackageVersions relation{std::string(all.substr(0, end))};
        const std::size_t open = all.find('(');
        const std::size_t close = all.find(')');
        if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
            const std::string_view inside = trim(all.substr(open + 1, close - open - 1));
            const std::size_t operator_end = inside.find_first_not_of("<>=");
            relation.relation = inside.substr(0, operator_end);
            relation.version =
                trim(operator_end == std::string_view::npos ? "" : inside.substr(operator_end));
        }
        if (!relation.name.empty()) {
            out.push_back(std::move(relation));
        }
    }
    return out;
}

std::vector<Alternatives> parse_relations(std::string_view text) {
    std::vector<Alternatives> out;
    for (const std::string& clause : split(text, ',')) {
        Alternatives alternatives;
        for (const std::string& choice : split(clause, '|')) {
            const std::string_view name = trim(choice);
            const std::size_t end = name.find_first_of(" (:[<\t\n");
            if (!name.empty()) {
                alternatives.emplace_back(name.substr(0, end));
            }
        }
        if (!alternatives.empty()) {
            out.push_back(std::move(alternatives));
        }
    }
    return out;
}

} // namespace kiln
