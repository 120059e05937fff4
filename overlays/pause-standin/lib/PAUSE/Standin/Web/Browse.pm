# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Browse;

# The trees of files, for those who are logged in.
use v5.36;

use PAUSE ();
use PAUSE::Standin::Web::Auth ();
use PAUSE::Standin::Web::Page qw(redirect);
use Plack::App::Directory ();
use Plack::Response ();

my %TREE = ('/pub/PAUSE' => $PAUSE::Config->{PUB}, '/incoming' => $PAUSE::Config->{INCOMING_LOC});
my %app = map { $_ => Plack::App::Directory->new(root => $TREE{$_})->to_app } keys %TREE;

sub tree_of ($path) { (grep { $path eq $_ || $path =~ m{^\Q$_\E/} } keys %TREE)[0] }

sub serves ($path) { defined tree_of($path) }

sub answer ($req) {
    PAUSE::Standin::Web::Auth::login($req) or return PAUSE::Standin::Web::Auth::ask();
    my $path = $req->path_info;
    my $tree = tree_of($path);
    return redirect("$path/") if $path eq $tree;
    my %env = ($req->env->%*, SCRIPT_NAME => $tree, PATH_INFO => substr($path, length $tree));
    return Plack::Response->new($app{$tree}->(\%env)->@*);
}

1;
