#!/home/pause/.plenv/shims/perl
# SPDX-License-Identifier: MIT
# Writes the lists of authors, carries out deletions that are due, prunes, and tells the administrators.
use v5.36;
use FindBin ();
use lib "$FindBin::RealBin/../lib";

use PAUSE ();
use PAUSE::Standin::Cron qw(run_job);
use PAUSE::Standin::Housekeeping ();
use PAUSE::Standin::Mail qw(send_mail);
use PAUSE::Standin::Whois ();

run_job('pause-cron-daily', sub ($log) {
    my @done = (
        PAUSE::Standin::Whois::write_all(),
        PAUSE::Standin::Housekeeping::delete_files(),
        PAUSE::Standin::Housekeeping::tidy_incoming(),
        PAUSE::Standin::Housekeeping::prune_dumps(),
    );
    $log->say($_) for @done;
    my $text = @done ? join('', map { "$_\n" } @done) : "nothing to do\n";
    send_mail(to => $PAUSE::Config->{ADMIN}, subject => 'PAUSE: report of cron-daily', text => $text);
});
