// SPDX-License-Identifier: MIT
#include "archive/tar_writer.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <string>

namespace kiln {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMaxOctal7 = 07777777;
constexpr std::uint64_t kMaxOctal11 = 077777777777;

struct Field {
    std::size_t offset;
    std::size_t size;
};

constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kLinkName{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kDeviceMajor{329, 8};
constexpr Field kDeviceMinor{337, 8};
constexpr Field kPrefix{345, 155};

/// One 512-byte header. Owner and group names stay empty, unused fields zero.
class Header {
  public:
    Header() { text(kMagic, std::string_view("ustar\00000", 8)); }

    void text(Field field, std::string_view value) {
        KILN_CHECK(value.size() <= field.size);
        std::copy(value.begin(), value.end(), block_.begin() + static_cast<long>(field.offset));
    }

    /// Zero-filled octal digits with a NUL behind.
    void octal(Field field, std::uint64_t value) {
        text(field, fmt::format("{:0{}o}", value, field.size - 1));
    }

    /// The block with its checksum, which counts its own field as blanks.
    [[nodiscard]] std::string_view seal() {
        text(kChecksum, "        ");
        const unsigned sum =
            std::accumulate(block_.begin(), block_.end(), 0U, [](unsigned a, char c) {
                return a + static_cast<unsigned char>(c);
            });
        text(kChecksum, fmt::format("{:06o}", sum));
        block_.at(kChecksum.offset + 6) = '\0';
        return {block_.data(), block_.size()};
    }

  private:
    std::array<char, kBlock> block_{};
};

bool is_ascii(std::string_view text) {
    return std::all_of(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Length of the UTF-8 sequence that `lead` begins, 0 if it begins none.
std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead < 0xe0) {
        return 2;
    }
    if (lead >= 0xe0 && lead < 0xf0) {
        return 3;
    }
    return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/// Surrogates, overlong forms and what is beyond U+10FFFF are not valid UTF-8 (RFC 3629).
bool is_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence_length(byte(i));
        if (length == 0 || length > text.size() - i) {
            return false;
        }
        for (std::size_t k = 1; k < length; ++k) {
            if ((byte(i + k) & 0xc0U) != 0x80U) {
                return false;
            }
        }
        if (length > 2) {
            const unsigned start = unsigned{byte(i)} << 8U | byte(i + 1);
            const bool overlong =
                (start >= 0xe080 && start < 0xe0a0) || (start >= 0xf080 && start < 0xf090);
            const bool surrogate = start >= 0xeda0 && start < 0xedc0;
            if (overlong || surrogate || start >= 0xf490) {
                return false;
            }
        }
        i += length;
    }
    return true;
}

/// What is in a fixed field for readers that do not know pax records.
std::string ascii_cut(std::string_view text, std::size_t size) {
    std::string out;
    std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) {
        return static_cast<unsigned char>(c) < 0x80;
    });
    return out.substr(0, size);
}

/// The records of one pax extended header: "LENGTH KEY=VALUE\n", where LENGTH counts itself.
class PaxRecords {
  public:
    void add(std::string_view key, std::string_view value) {
        const std::size_t rest = key.size() + value.size() + 3;
        std::size_t length = rest + 1;
        while (rest + std::to_string(length).size() != length) {
            ++length;
        }
        fmt::format_to(std::back_inserter(text_), "{} {}=", length, key);
        text_.append(value).push_back('\n');
    }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    std::string text_;
};

/// A name that ustar holds goes into name, or prefix and name; else into a pax record.
void set_path(Header& header, PaxRecords& pax, std::string_view name) {
    if (is_ascii(name) && name.size() <= kName.size) {
        header.text(kName, name);
        return;
    }
    if (is_ascii(name)) {
        const std::size_t slash = name.find('/', name.size() - kName.size - 1);
        if (slash <= kPrefix.size && slash + 1 < name.size()) {
            header.text(kPrefix, name.substr(0, slash));
            header.text(kName, name.substr(slash + 1));
            return;
        }
    }
    pax.add("path", name);
    header.text(kName, ascii_cut(name, kName.size));
}

void set_link(Header& header, PaxRecords& pax, std::string_view target) {
    if (is_ascii(target) && target.size() <= kLinkName.size) {
        header.text(kLinkName, target);
        return;
    }
    pax.add("linkpath", target);
    header.text(kLinkName, ascii_cut(target, kLinkName.size));
}

struct Number {
    Field field;
    std::string_view key;
    std::uint64_t max;
};

void set_number(Header& header, PaxRecords& pax, const Number& number, std::int64_t value) {
    if (value >= 0 && static_cast<std::uint64_t>(value) <= number.max) {
        header.octal(number.field, static_cast<std::uint64_t>(value));
        return;
    }
    pax.add(number.key, std::to_string(value));
    header.octal(number.field, 0);
}

char type_flag(const Entry& entry) {
    if (!entry.hardlink_to.empty()) {
        return '1';
    }
    switch (entry.type) {
    case FileType::regular:
        return '0';
    case FileType::symlink:
        return '2';
    case FileType::char_device:
        return '3';
    case FileType::block_device:
        return '4';
    case FileType::directory:
        return '5';
    case FileType::fifo:
        return '6';
    case FileType::socket:
    case FileType::whiteout:
        break;
    }
    throw Error("a tar archive cannot store sockets");
}

void set_xattrs(PaxRecords& pax, const Xattrs& xattrs) {
    for (const auto& [name, value] : xattrs) {
        if (name.find('=') != std::string::npos) {
            throw Error(
                fmt::format("a tar archive cannot store the extended attribute '{}'", name));
        }
        pax.add("SCHILY.xattr." + name, value);
    }
}

bool holds_content(const Entry& entry) {
    return entry.type == FileType::regular && entry.hardlink_to.empty();
}

} // namespace

void TarWriter::add(std::string_view path, const Entry& entry) {
    KILN_CHECK(entry.type != FileType::whiteout);
    with_context(fmt::format("writing '/{}' to a tar archive", path), [&] {
        write_header(path, entry);
        if (holds_content(entry)) {
            write_content(path, entry);
        }
    });
}

void TarWriter::write_header(std::string_view path, const Entry& entry) {
    constexpr unsigned kPermissions = 07777;
    // A name relative to the root, as engines write it; only the root itself needs its dot.
    std::string name(path.empty() ? "." : path);
    if (entry.type == FileType::directory) {
        name.push_back('/');
    }
    Header header;
    PaxRecords pax;
    if (!is_utf8(name) || !is_utf8(entry.target) || !is_utf8(entry.hardlink_to)) {
        pax.add("hdrcharset", "BINARY");
    }
    header.text(kType, std::string(1, type_flag(entry)));
    header.octal(kMode, entry.mode & kPermissions);
    set_path(header, pax, name);
    set_link(header, pax, entry.hardlink_to.empty() ? entry.target : entry.hardlink_to);
    const std::uint64_t size = holds_content(entry) ? entry.size : 0;
    set_number(header, pax, {kSize, "size", kMaxOctal11}, static_cast<std::int64_t>(size));
    set_number(header, pax, {kUid, "uid", kMaxOctal7}, entry.uid);
    set_number(header, pax, {kGid, "gid", kMaxOctal7}, entry.gid);
    set_number(header, pax, {kMtime, "mtime", kMaxOctal11}, entry.mtime);
    header.octal(kDeviceMajor, std::min<std::uint64_t>(entry.device_major, kMaxOctal7));
    header.octal(kDeviceMinor, std::min<std::uint64_t>(entry.device_minor, kMaxOctal7));
    if (entry.hardlink_to.empty()) {
        set_xattrs(pax, entry.xattrs);
    }
    if (!pax.text().empty()) {
        // REPRO: a constant name, owner and time; other writers put a process number there.
        Header extended;
        extended.text(kName, "PaxHeaders");
        extended.text(kType, "x");
        extended.octal(kMode, 0644);
        extended.octal(kUid, 0);
        extended.octal(kGid, 0);
        extended.octal(kSize, pax.text().size());
        extended.octal(kMtime, 0);
        extended.octal(kDeviceMajor, 0);
        extended.octal(kDeviceMinor, 0);
        sink_.write_text(extended.seal());
        write_padded(pax.text());
    }
    sink_.write_text(header.seal());
}

void TarWriter::write_content(std::string_view path, const Entry& entry) {
    const auto source = open_content(entry);
    DigestSink digest;
    TeeSink tee(digest, sink_);
    CountingSink counted(tee);
    copy(*source, counted);
    if (counted.count() != entry.size ||
        (!entry.content.is_none() && digest.digest() != entry.content)) {
        throw Error(fmt::format("checksum mismatch for '/{}'", path))
            .with_hint("the file changed while it was being archived, or the disk is faulty");
    }
    pad(entry.size);
}

void TarWriter::write_padded(std::string_view data) {
    sink_.write_text(data);
    pad(data.size());
}

void TarWriter::pad(std::uint64_t written) {
    static constexpr std::array<std::byte, kBlock> kZeros{};
    sink_.write(Bytes(kZeros).first((kBlock - written % kBlock) % kBlock));
}

void TarWriter::finish() {
    static constexpr std::array<std::byte, 2 * kBlock> kZeros{};
    sink_.write(kZeros);
}

} // namespace kiln
