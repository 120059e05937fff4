# SPDX-License-Identifier: MIT
package PAUSE::Standin::Cron;

# What all cron programs share: umask, log, exit code. They are silent when all went well.
use v5.36;

use Exporter qw(import);
use Fcntl qw(:flock);
use File::Find ();
use PAUSE ();
use PAUSE::Standin::Log ();

our @EXPORT_OK = qw(run_job lock_file files_below older_than);

# Ends the program.
sub run_job ($ident, $body) {
    umask 0002;
    my $log = PAUSE::Standin::Log->new($ident);
    $log->say('started');
    if (eval { $body->($log); 1 }) {
        $log->say('done');
        exit 0;
    }
    my $fault = $@;
    $log->error($fault);
    print STDERR "$ident: $fault";
    exit 255;
}

# A lock held while the result lives, or nothing when another process has it.
sub lock_file ($path) {
    open my $file, '+>>', $path or die "cannot open '$path': $!\n";
    flock $file, LOCK_EX | LOCK_NB or return;
    truncate $file, 0;
    $file->autoflush(1);
    print {$file} "$$\n";
    return $file;
}

# Files, links and directories below a directory, contents before their directory.
sub files_below ($dir) {
    my @found;
    return unless -d $dir;
    File::Find::finddepth({ wanted => sub { push @found, $_ if $_ ne $dir }, no_chdir => 1 }, $dir);
    return @found;
}

sub older_than ($path, $seconds) {
    my $time = (lstat $path)[9] // return 0;
    return time - $time > $seconds;
}

1;
