#!/home/pause/.plenv/shims/perl
# SPDX-License-Identifier: MIT
# Copies the pages that mirrors show to modules.
use v5.36;
use FindBin ();
use lib "$FindBin::RealBin/../lib";

use File::Basename qw(basename);
use PAUSE ();
use PAUSE::Standin::Cron qw(run_job);
use PAUSE::Standin::Files qw(slurp write_changed);

run_job('pause-sync-04pause', sub ($log) {
    for my $page (glob "$PAUSE::REPO/htdocs/0*.html") {
        my $to = "$PAUSE::Config->{PUB}/modules/" . basename($page);
        PAUSE::newfile_hook($to) if write_changed($to, slurp($page));
    }
});
