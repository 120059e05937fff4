#!/home/pause/.plenv/shims/perl
# SPDX-License-Identifier: MIT
# Removes files from incoming that have long been verified, and what broken uploads left there.
use v5.36;
use FindBin ();
use lib "$FindBin::RealBin/../lib";

use PAUSE ();
use PAUSE::Standin::Cron qw(run_job older_than);
use PAUSE::Standin::DB qw(mod_db);

my $DAY = 86_400;

sub is_verified ($name) {
    my ($count) = mod_db()->selectrow_array(
        q{SELECT COUNT(*) FROM uris WHERE basename = ? AND dverified <> ''}, undef, $name);
    return $count > 0;
}

run_job('pause-cleanup-incoming', sub ($log) {
    my $dir = $PAUSE::Config->{INCOMING_LOC};
    opendir my $handle, $dir or die "cannot read '$dir': $!\n";
    for my $name (sort readdir $handle) {
        my $path = "$dir/$name";
        next unless -f $path && older_than($path, $DAY);
        next unless $name =~ /^\./ || is_verified($name);
        unlink $path or die "cannot remove '$path': $!\n";
        $log->say("removed '$path'");
    }
});
