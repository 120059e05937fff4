// SPDX-License-Identifier: MIT
#include "support/raw_tar.hpp"

#include "archive/gzip.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kiln::test {

namespace {

constexpr std::size_t kBlock = 512;

void put(std::string& header, std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
}

void pad(std::string& bytes) {
    bytes.resize((bytes.size() + kBlock - 1) / kBlock * kBlock);
}

} // namespace

std::string pax_record(const std::string& key, const std::string& value) {
    const std::string rest = " " + key + "=" + value + "\n";
    std::size_t length = rest.size();
    while (std::to_string(length).size() + rest.size() != length) {
        length = std::to_string(length).size() + rest.size();
    }
    return std::to_string(length) + rest;
}

RawTar& RawTar::add(const RawMember& member) {
    constexpr std::size_t kName = 100;
    std::string header(kBlock, '\0');
    put(header, 0, std::string_view(member.name).substr(0, kName));
    put(header, 100, fmt::format("{:07o}", member.mode));
    put(header, 108, fmt::format("{:07o}", member.uid));
    put(header, 116, fmt::format("{:07o}", member.gid));
    put(header,
        124,
        member.size.empty() ? fmt::format("{:011o}", member.content.size()) : member.size);
    put(header, 136, "13727220400");
    put(header, 148, "        ");
    header[156] = member.type;
    put(header, 157, std::string_view(member.link).substr(0, kName));
    put(header, 257, std::string_view("ustar\00000", 8));
    put(header, 265, member.user);
    put(header, 297, member.group);
    unsigned sum = 0;
    for (const char c : header) {
        sum += static_cast<unsigned char>(c);
    }
    put(header, 148, fmt::format("{:06o}", sum));
    header[154] = '\0';
    bytes_ += header + member.content;
    pad(bytes_);
    return *this;
}

RawTar& RawTar::pax(const std::vector<std::pair<std::string, std::string>>& records) {
    std::string text;
    for (const auto& [key, value] : records) {
        text += pax_record(key, value);
    }
    return add({"pax", 'x', text, ""});
}

RawTar& RawTar::sparse(const std::string& name, std::uint64_t size) {
    pax(
        {{"GNU.sparse.major", "1"},
         {"GNU.sparse.minor", "0"},
         {"GNU.sparse.name", name},
         {"GNU.sparse.realsize", std::to_string(size)}});
    std::string map = fmt::format("1\n{}\n0\n", size);
    pad(map);
    return file("GNUSparseFile.0/x", map);
}

std::string RawTar::bytes() const {
    return bytes_ + std::string(2 * kBlock, '\0');
}

std::string gzip_repeated(std::string_view head, std::string_view block, std::uint64_t count) {
    MemorySink out;
    GzipSink gzip(out, 2, 9);
    gzip.write_text(head);
    for (std::uint64_t i = 0; i < count; ++i) {
        gzip.write_text(block);
    }
    gzip.finish();
    return std::string(out.text());
}

} // namespace kiln::test
