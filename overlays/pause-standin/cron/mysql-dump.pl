#!/home/pause/.plenv/shims/perl
# SPDX-License-Identifier: MIT
# Dumps both databases: the public one where mirrors find it, the private one away from them.
use v5.36;
use FindBin ();
use lib "$FindBin::RealBin/../lib";

use File::Copy ();
use File::Temp ();
use PAUSE ();
use PAUSE::Standin::Cron qw(run_job);
use PAUSE::Standin::Files qw(make_dir);
use POSIX qw(strftime);

# The password goes through a file of its own, not through the command line.
sub client_options ($which) {
    my ($user, $password, $dsn) = $PAUSE::Config->@{ map { "${which}_DATA_SOURCE_$_" } qw(USER PW NAME) };
    my $file = File::Temp->new;
    print {$file} qq{[client]\nuser="$user"\npassword="$password"\n};
    print {$file} "socket=$1\n" if $dsn =~ /mysql_socket=([^;]+)/;
    $file->flush;
    my ($database) = $dsn =~ /^DBI:mysql:(?:database=)?(\w+)/i or die "strange data source '$dsn'\n";
    return ($file, $database);
}

sub dump_database ($which, $to) {
    my ($options, $database) = client_options($which);
    my @command = ('mysqldump', "--defaults-extra-file=$options", '--single-transaction',
        '--no-tablespaces', '--default-character-set=latin1', "--result-file=$to", $database);
    system(@command) == 0 or die "mysqldump of '$database' ended with status $?\n";
}

sub compress ($from, $to) {
    open my $out, '>', "$to.new" or die "cannot write '$to.new': $!\n";
    open my $in, '-|', 'bzip2', '-c', $from or die "cannot run bzip2: $!\n";
    File::Copy::copy($in, $out) or die "cannot write '$to.new': $!\n";
    close $in or die "bzip2 ended with status $?\n";
    close $out or die "cannot write '$to.new': $!\n";
    rename "$to.new", $to or die "cannot rename '$to.new': $!\n";
}

sub dump_public ($stamp) {
    my $dir = "$PAUSE::Config->{PUB}/PAUSE-data";
    make_dir($dir);
    dump_database('MOD', "$dir/moddump.current.new");
    rename "$dir/moddump.current.new", "$dir/moddump.current" or die "cannot rename the dump: $!\n";
    compress("$dir/moddump.current", "$dir/moddump.$stamp.bz2");
    unlink "$dir/moddump.current.bz2";
    link "$dir/moddump.$stamp.bz2", "$dir/moddump.current.bz2" or die "cannot link the dump: $!\n";
}

sub dump_private ($stamp) {
    my $dir = $PAUSE::Config->{AUTHEN_BACKUP_DIR};
    umask 0077;
    make_dir($dir);
    my $plain = "$dir/authen_pausedump.$stamp";
    dump_database('AUTHEN', $plain);
    compress($plain, "$plain.bz2");
    unlink $plain;
}

run_job('pause-mysql-dump', sub ($log) {
    my $stamp = strftime('%Y%m%d%H%MGMT', gmtime);
    dump_public($stamp);
    dump_private($stamp);
});
