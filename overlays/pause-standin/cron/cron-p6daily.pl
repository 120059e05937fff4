#!/home/pause/.plenv/shims/perl
# SPDX-License-Identifier: MIT
# Reports on distributions of Perl 6, of which the stand-in makes no lists.
use v5.36;
use FindBin ();
use lib "$FindBin::RealBin/../lib";

use PAUSE ();
use PAUSE::Standin::Cron qw(run_job);
use PAUSE::Standin::DB qw(mod_db);
use PAUSE::Standin::Mail qw(send_mail);

run_job('pause-cron-p6daily', sub ($log) {
    my ($count) = mod_db()->selectrow_array('SELECT COUNT(*) FROM uris WHERE is_perl6 = 1');
    send_mail(
        to => $PAUSE::Config->{ADMIN},
        subject => 'PAUSE: report of cron-p6daily',
        text => "$count uploads are for Perl 6.\n",
    );
});
