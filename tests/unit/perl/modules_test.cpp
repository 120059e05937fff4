// SPDX-License-Identifier: MIT
#include "perl/modules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(FindModules, ReadsNameAndVersionInTheirManyForms) {
    EXPECT_THAT(
        find_modules("lib/A/B.pm", "package A::B;\nour $VERSION = '1.02';\n"),
        ElementsAre(Pair("A::B", "1.02")));
    EXPECT_THAT(
        find_modules("lib/A/B.pm", "package A::B 1.5 {\n}\n"), ElementsAre(Pair("A::B", "1.5")));
    EXPECT_THAT(
        find_modules("B.pm", "{ package A::B;\n  $A::B::VERSION = \"v1.2.3\"; }\n"),
        ElementsAre(Pair("A::B", "v1.2.3")));
    EXPECT_THAT(
        find_modules("B.pm", "package B;\nuse version; our $VERSION = version->declare('v0.7');\n"),
        ElementsAre(Pair("B", "v0.7")));
    EXPECT_THAT(
        find_modules("B.pm", "package B;\n*VERSION = \\'2';\nuse vars '$VERSION'; $VERSION = 2.5;"),
        ElementsAre(Pair("B", "2.5")));
}

TEST(FindModules, LeavesVersionsThatNeedPerlAlone) {
    EXPECT_THAT(
        find_modules("B.pm", "package B;\nour $VERSION = sprintf '%d', q$Revision: 7$ =~ /(\\d)/;"),
        ElementsAre(Pair("B", "")));
    EXPECT_THAT(
        find_modules("B.pm", "package B;\nour $VERSION = 1.0 + 2;\nif ($VERSION == 3) {}\n"),
        ElementsAre(Pair("B", "")));
}

TEST(FindModules, TakesOnlyThePackageThatTheFileIsCalledLike) {
    EXPECT_THAT(
        find_modules("lib/A/B.pm", "package A::B;\npackage A::Helper;\npackage # hidden\n X::B;\n"),
        ElementsAre(Pair("A::B", "")));
}

TEST(FindModules, ReadsNeitherPodNorWhatFollowsTheEnd) {
    EXPECT_THAT(find_modules("B.pm", "=head1 X\n\n  package B;\n\n=cut\n1;\n"), IsEmpty());
    EXPECT_THAT(find_modules("B.pm", "1;\n__END__\npackage B;\n"), IsEmpty());
    EXPECT_THAT(
        find_modules("B_pm.PL", "print <DATA>;\n__DATA__\npackage X::B;\n"),
        ElementsAre(Pair("X::B", "")));
}

TEST(IsModuleFile, KnowsWhatIsNotInstalled) {
    EXPECT_TRUE(is_module_file("lib/A.pm"));
    EXPECT_TRUE(is_module_file("DBI.pm"));
    EXPECT_FALSE(is_module_file("t/lib/A.pm"));
    EXPECT_FALSE(is_module_file("inc/Module/Install.pm"));
    EXPECT_FALSE(is_module_file("lib/A.pod"));
    EXPECT_TRUE(is_core_module_file("cpan/Encode/Encode.pm"));
    EXPECT_FALSE(is_core_module_file("cpan/Encode/t/Mod_EUCJPASCII.pm"));
    EXPECT_FALSE(is_core_module_file("t/lib/A.pm"));
}

} // namespace
} // namespace kiln
