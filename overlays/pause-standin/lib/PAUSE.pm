# SPDX-License-Identifier: MIT
package PAUSE;

# The configuration of the stand-in, and the two hooks that announce changed files to mirrors.
# What a host knows better is set by PrivatePAUSE.pm, in a directory beside the checkout.
use v5.36;

use Cwd ();
use File::Basename qw(dirname);
use File::Spec ();
use Sys::Hostname qw(hostname);

our $VERSION = '1.0';

our $REPO = dirname(dirname(Cwd::abs_path(__FILE__)));
our $PRIVATE = dirname($REPO) . '/pause-private';

# Mirrors are told of changes on hosts that are called so, unless PrivatePAUSE.pm decides.
our $USE_RECENTFILE_HOOKS = hostname() =~ /pause/ ? 1 : 0;

our $Config = {
    ADMIN => 'root@localhost',
    ADMINS => ['root@localhost'],
    AUTHEN_BACKUP_DIR => '/home/pause/db-backup',
    AUTHEN_DATA_SOURCE_NAME => 'DBI:mysql:authen_pause',
    AUTHEN_DATA_SOURCE_PW => '',
    AUTHEN_DATA_SOURCE_USER => 'authuser',
    CHECKSUMS_SIGNING_ARGS => "--homedir $PRIVATE/gnupg-pause-batch-signing-home --quiet --batch"
        . ' --pinentry-mode loopback --clearsign --default-key ',
    CHECKSUMS_SIGNING_KEY => '',
    CHECKSUMS_SIGNING_PROGRAM => 'gpg',
    CLOSED_FILE => '/etc/PAUSE.CLOSED',
    DELETES_EXPIRE => 72 * 3600,
    INCOMING_LOC => '/data/pause/incoming',
    LOG_DIR => '/home/pause/log',
    MAX_MLDISTWATCH_PROCESSES => 4,
    ML_MIN_FILES => 20_000,
    ML_MIN_INDEX_LINES => 1_000,
    MOD_DATA_SOURCE_NAME => 'DBI:mysql:mod',
    MOD_DATA_SOURCE_PW => '',
    MOD_DATA_SOURCE_USER => 'moduser',
    P5P => 'root@localhost',
    PID_DIR => '/home/pause/pid',
    PUB => '/data/pause/pub/PAUSE',
    RECAPTCHA_ENABLED => 0,
    REPLY_TO_CPAN_TESTERS => 'root@localhost',
    RUNDATA => File::Spec->tmpdir . '/pause.rundata',
    RUN_DIR => '/home/pause/run',
    SERVER_NAME => hostname(),
    SLEEP => 75,
    TIMEOUT => 600,
    TMP => '/data/pause/tmp',
    TO_CPAN_TESTERS => 'root@localhost',
    UPLOAD => 'root@localhost',
};

sub load_private () {
    my $file = "$PRIVATE/lib/PrivatePAUSE.pm";
    -r "$PRIVATE/lib" or die "cannot read '$PRIVATE/lib': $!\n";
    require $file if -e $file;
}

# Cron gives no HOME when it is asked for an empty environment; git and gpg want one.
$ENV{HOME} //= (getpwuid $<)[7];
eval { load_private(); 1 } or do {
    -r "$PRIVATE/lib" or die $@;
    warn "PrivatePAUSE.pm: $@";
};

# Announces a file that came or changed. Files elsewhere than below authors and modules are no
# mirror's business.
sub newfile_hook ($path) { _announce($path, 'new') }

sub delfile_hook ($path) { _announce($path, 'delete') }

sub _announce ($path, $type) {
    return unless $USE_RECENTFILE_HOOKS;
    my ($tree, $inside) = $path =~ m{^\Q$Config->{PUB}\E/(authors|modules)/(.+)} or return;
    require PAUSE::Standin::Recent;
    PAUSE::Standin::Recent->of($tree)->announce($inside, $type);
}

# The directory of an author below authors/id.
sub user_dir ($user) { join '/', substr($user, 0, 1), substr($user, 0, 2), $user }

sub closed () { -e $Config->{CLOSED_FILE} }

1;
