#!/home/pause/.plenv/shims/perl
# SPDX-License-Identifier: MIT
# Brings the CHECKSUMS files of authors up to date, some directories in a run.
use v5.36;
use FindBin ();
use lib "$FindBin::RealBin/../lib";

use PAUSE ();
use PAUSE::Standin::Checksums ();
use PAUSE::Standin::Cron qw(run_job lock_file files_below);

my $MAX_DIRECTORIES = 128;

# Directories with files in them, the longest untouched CHECKSUMS first.
sub directories () {
    my %age;
    for my $path (grep { -f } files_below("$PAUSE::Config->{PUB}/authors/id")) {
        my ($dir) = $path =~ m{^(.*)/};
        $age{$dir} //= (stat "$dir/CHECKSUMS")[9] // 0;
    }
    return sort { $age{$a} <=> $age{$b} || $a cmp $b } keys %age;
}

run_job('pause-update-checksums', sub ($log) {
    my $lock = lock_file("$PAUSE::Config->{RUN_DIR}/update-checksums.lock") or return;
    my @dirs = directories();
    for my $dir (splice @dirs, 0, $MAX_DIRECTORIES) {
        $log->say("new CHECKSUMS in '$dir'") if PAUSE::Standin::Checksums::update($dir, $log);
    }
});
