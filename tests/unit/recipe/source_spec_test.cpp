// SPDX-License-Identifier: MIT
#include "base/io/file.hpp"
#include "recipe/source_spec.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

std::string git_address_of(const std::string& url) {
    return git_address({url, std::string(40, 'a'), "/srv/recipes"});
}

std::string tarball_url_of(const std::string& location) {
    return tarball_url({location, {}, 0, "/srv/my project #1"});
}

TEST(GitAddress, OfAPathStartsFromTheFileThatNamesIt) {
    EXPECT_EQ(git_address_of("../app.git"), "/srv/app.git");
    EXPECT_EQ(git_address_of("app"), "/srv/recipes/app");
    EXPECT_EQ(git_address_of("./a:b"), "/srv/recipes/a:b");
    EXPECT_EQ(git_address_of("/opt/app.git"), "/opt/app.git");
    EXPECT_EQ(git_address({"app.git", {}, {}}), (fs::current_path() / "app.git").string());
}

TEST(GitAddress, OfARemotePlaceIsAsWritten) {
    for (const char* url :
         {"https://a.example/x.git", "file:///srv/x", "git@a.example:x.git", "a.example:../x"}) {
        EXPECT_EQ(git_address_of(url), url);
    }
}

TEST(TarballUrl, OfAPathIsEncoded) {
    EXPECT_EQ(tarball_url_of("../a 100%.tar"), "file:///srv/a%20100%25.tar");
    EXPECT_EQ(tarball_url_of("a.tar"), "file:///srv/my%20project%20%231/a.tar");
    EXPECT_EQ(tarball_url_of("https://a.example/a%20b"), "https://a.example/a%20b");
}

TEST(CheckSource, RefusesWhatIsNoFile) {
    const TempDir dir(temporary_root(), "kiln-test");
    fs::create_directory(dir.path() / "a b");
    const std::string url = "file://" + dir.path().string() + "/a%20b";
    for (const std::string& location : {std::string("a b"), url}) {
        Diagnostics diags;
        check_source({"x", TarballSource{location, {}, 0, dir.path()}, {}}, diags);
        ASSERT_EQ(diags.error_count(), 1U) << location;
        EXPECT_EQ(
            diags.all().front().message,
            "'" + (dir.path() / "a b").string() + "' is not a regular file");
    }
}

} // namespace
} // namespace kiln
