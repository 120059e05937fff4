#!/home/pause/.plenv/shims/perl
# SPDX-License-Identifier: MIT
# Lists of all files of both trees, as ls prints them.
use v5.36;
use FindBin ();
use lib "$FindBin::RealBin/../lib";

use PAUSE ();
use PAUSE::Standin::Cron qw(run_job);
use PAUSE::Standin::Files qw(make_dir write_with_gzip);

sub list_of ($tree) {
    open my $ls, '-|', 'env', 'LC_ALL=C', 'TZ=UTC', 'ls', '-lR', "$PAUSE::Config->{PUB}/$tree"
        or die "cannot run ls: $!\n";
    local $/ = undef;
    my $list = <$ls>;
    # Files may vanish while ls looks: its code 1 is no fault.
    close $ls or $? >> 8 == 1 or die "ls ended with status $?\n";
    return $list;
}

run_job('pause-gmls-lR', sub ($log) {
    my $indexes = "$PAUSE::Config->{PUB}/indexes";
    make_dir($indexes);
    write_with_gzip("$indexes/$_.ls-lR", list_of($_)) for qw(authors modules);
});
