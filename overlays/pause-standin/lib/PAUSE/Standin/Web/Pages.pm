# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Pages;

# All pages by the name of their ACTION. A page is a hash: code, which makes a response of a call;
# group, which may see it; csrf, whether its form wants a token. A call is a hash: req, user, csrf,
# name.
use v5.36;

use PAUSE::Standin::Web::Pages::Admin ();
use PAUSE::Standin::Web::Pages::Password ();
use PAUSE::Standin::Web::Pages::Public ();
use PAUSE::Standin::Web::Pages::Tokens ();
use PAUSE::Standin::Web::Pages::User ();

my %PAGES = (
    PAUSE::Standin::Web::Pages::Public::pages(),
    PAUSE::Standin::Web::Pages::Password::pages(),
    PAUSE::Standin::Web::Pages::User::pages(),
    PAUSE::Standin::Web::Pages::Tokens::pages(),
    PAUSE::Standin::Web::Pages::Admin::pages(),
);

# Nothing when there is no such page for these groups.
sub find ($name, $req, @groups) {
    my $page = $PAGES{$name} or return;
    return $page if grep { $_ eq $page->{group} } @groups;
    return $page if $page->{is_open_to} && $page->{is_open_to}->($req);
    return;
}

1;
