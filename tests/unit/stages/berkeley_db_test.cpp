// SPDX-License-Identifier: MIT
#include "stages/clean/berkeley_db.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

constexpr std::size_t kPage = 4096;

void put(std::string& file, std::size_t at, std::string_view bytes) {
    file.replace(at, bytes.size(), bytes);
}

/// Two databases in one file of three pages, as postalias writes it.
std::string aliases(char id, std::string_view time) {
    std::string file(3 * kPage, '\0');
    for (const std::size_t page : {std::size_t{0}, 2 * kPage}) {
        put(file,
            page + 12,
            page == 0 ? std::string_view("\x61\x15\x06\x00", 4)
                      : std::string_view("\x62\x31\x05\x00", 4));
        put(file, page + 20, std::string_view("\x00\x10\x00\x00", 4));
        put(file, page + 25, page == 0 ? "\x08" : "\x09");
        put(file, page + 52, std::string(20, id));
    }
    std::string items = "\x01" + std::string(time) + "\x01YP_LAST_MODIFIED";
    put(file, 2 * kPage - items.size(), items);
    put(file, kPage + 22, std::string_view("\x00\x0f", 2)); // items begin at 3840
    put(file, kPage + 20, "\x02");
    put(file, kPage + 25, "\x0d");
    put(file, kPage + 26, std::string_view("\x10\x0f\x00\x0f", 4)); // two offsets
    put(file, kPage + 52, std::string(20, id));                     // what the memory held before
    return file;
}

TEST(BerkeleyDb, GetsIdsOfItsNameAndOneTime) {
    const auto a = berkeley_db_of(aliases('a', "1795743001"), "etc/aliases.db", 1700000000);
    const auto b = berkeley_db_of(aliases('b', "1795743999"), "etc/aliases.db", 1700000000);
    ASSERT_TRUE(a);
    EXPECT_EQ(a, b);
    EXPECT_NE(a->find("1700000000\x01YP_LAST_MODIFIED"), std::string::npos);
    EXPECT_NE(a, berkeley_db_of(aliases('a', "1795743001"), "etc/other.db", 1700000000));
    EXPECT_EQ(berkeley_db_of(*a, "etc/aliases.db", 1700000000), a);
    std::string rest = *a;
    put(rest, 52, std::string(20, 'a'));
    put(rest, 2 * kPage + 52, std::string(20, 'a'));
    EXPECT_EQ(rest.substr(kPage + 30, 3840 - 30), std::string(3840 - 30, '\0')); // free
    put(rest, kPage + 52, std::string(20, 'a'));
    EXPECT_EQ(rest, aliases('a', "1700000000")); // nothing else changed
}

TEST(BerkeleyDb, IsLeftAloneWhenItIsAnother) {
    EXPECT_FALSE(berkeley_db_of("", "x", 0));
    EXPECT_FALSE(berkeley_db_of(std::string(kPage, '\0'), "x", 0));
    std::string odd = aliases('a', "1795743001");
    EXPECT_FALSE(berkeley_db_of(odd.substr(0, odd.size() - 1), "x", 0)); // no whole pages
    put(odd, 20, std::string_view("\x01\x10\x00\x00", 4));
    EXPECT_FALSE(berkeley_db_of(odd, "x", 0)); // no page size
    std::string checked = aliases('a', "1795743001");
    put(checked, 26, "\x01");
    EXPECT_FALSE(berkeley_db_of(checked, "x", 0));
    std::string text = aliases('a', "no time at");
    const auto same = berkeley_db_of(text, "x", 1700000000);
    ASSERT_TRUE(same);
    EXPECT_NE(same->find("no time at"), std::string::npos);
}

} // namespace
} // namespace kiln
