# SPDX-License-Identifier: MIT
package PAUSE::Standin::Daemon;

# paused: takes uploads to their place, tells people, and has them indexed. A file is fetched in one
# pass over the rows without dverified, and verified in a later one.
use v5.36;

use Fcntl qw(:flock :seek);
use PAUSE ();
use PAUSE::Standin::DB qw(mod_db);
use PAUSE::Standin::Fetch ();
use PAUSE::Standin::Log ();
use PAUSE::Standin::Mail qw(send_mail);
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep);

my $MAX_TRIES = 16;
my $RETRY_AFTER = 900;

sub new ($class, $pidfile) {
    my $log = $ENV{PAUSE_PAUSED_LOG_FILE} // "$PAUSE::Config->{LOG_DIR}/paused.log";
    return bless {
        children => {},
        log => PAUSE::Standin::Log->new('paused', $log),
        pidfile => $pidfile,
    }, $class;
}

sub run ($self) {
    $self->claim_pidfile;
    my $again = 0;
    local $SIG{TERM} = local $SIG{INT} = sub { exit 0 };
    local $SIG{HUP} = sub { $again = 1 };
    $self->{log}->say('started');
    until ($again) {
        $self->pass;
        sleep $PAUSE::Config->{SLEEP};
    }
    $self->{log}->say('starting again');
    exec $^X, $0, '--pidfile', $self->{pidfile};
}

# The lock lasts as long as the process.
sub claim_pidfile ($self) {
    open my $file, '+>>', $self->{pidfile} or die "cannot open '$self->{pidfile}': $!\n";
    flock $file, LOCK_EX | LOCK_NB or die "another paused holds '$self->{pidfile}'\n";
    truncate $file, 0 or die "cannot empty '$self->{pidfile}': $!\n";
    $file->autoflush(1);
    print {$file} "$$\n";
    $self->{lock} = $file;
}

# Without a database there is nothing to do; all that concerns one file concerns no other, but for
# mail: if it is not taken, the daemon ends, and says so by its exit code.
sub pass ($self) {
    my $rows = eval { $self->open_rows } or return $self->{log}->error("no database: $@");
    for my $row (@$rows) {
        last if $self->{mail_fault};
        eval { $self->advance($row); 1 } or $self->{log}->error("'$row->{uriid}': $@");
        die "cannot send mail: $self->{mail_fault}\n" if $self->{mail_fault};
    }
    $self->reap;
}

sub open_rows ($self) {
    my $query = q{SELECT * FROM uris WHERE dverified = '' AND nosuccesscount < ? ORDER BY changed, uriid};
    return mod_db()->selectall_arrayref($query, { Slice => {} }, $MAX_TRIES);
}

sub advance ($self, $row) {
    return $self->verify($row) if $row->{dgot};
    $self->get($row) unless $row->{nosuccesscount} && time - $row->{nosuccesstime} < $RETRY_AFTER;
}

sub get ($self, $row) {
    $self->{log}->say("Need to get '$row->{uriid}'");
    my $path = eval { PAUSE::Standin::Fetch::fetch($row) } or return $self->note_failure($row, $@);
    $self->{log}->say("Got '$row->{uriid}'");
    PAUSE::newfile_hook($path);
    $self->tell_people($row, $path);
    $self->set($row, dgot => 'Y');
}

sub note_failure ($self, $row, $why) {
    $self->{log}->error("cannot get '$row->{uriid}': $why");
    $self->set($row, nosuccesstime => time, nosuccesscount => $row->{nosuccesscount} + 1);
}

sub set ($self, $row, %change) {
    my @names = sort keys %change;
    my $assign = join ', ', map { "$_ = ?" } @names;
    mod_db()->do("UPDATE uris SET $assign WHERE uriid = ?", undef, @change{@names}, $row->{uriid});
}

sub tell_people ($self, $row, $path) {
    my ($address) =
        mod_db()->selectrow_array('SELECT email FROM users WHERE userid = ?', undef, $row->{userid});
    my $config = $PAUSE::Config;
    my $text = "The file\n\n  $row->{uriid}\n\nhas come, " . (-s $path) . " bytes.\n";
    for my $to (grep { length } $address, $config->{TO_CPAN_TESTERS}) {
        my %mail = (to => $to, subject => "CPAN Upload: $row->{uriid}", text => $text);
        $mail{reply_to} = $config->{REPLY_TO_CPAN_TESTERS} if $to eq $config->{TO_CPAN_TESTERS};
        eval { send_mail(%mail); 1 } or do {
            $self->{mail_fault} = "$@";
            die $@;
        };
        $self->{log}->say("Sent mail about '$row->{uriid}' to '$to'");
    }
}

# The row is closed last: who is killed before does it again, which does no harm.
sub verify ($self, $row) {
    my $path = PAUSE::Standin::Fetch::destination($row);
    return $self->set($row, dgot => '') unless -s $path;
    $self->{log}->say("Verified '$row->{uriid}'");
    $self->start_indexer($row->{uriid});
    $self->set($row, dverified => 'Y');
}

sub start_indexer ($self, $uriid) {
    $self->wait_for_place;
    my @command = ("$PAUSE::REPO/cron/mldistwatch", '--logfile', "$PAUSE::Config->{LOG_DIR}/paused.log");
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        exec $^X, @command, '--pick', $uriid or POSIX::_exit(127);
    }
    $self->{children}{$pid} = $uriid;
    $self->{log}->say("Started mldistwatch for '$uriid', process $pid");
}

sub wait_for_place ($self) {
    while (keys $self->{children}->%* >= $PAUSE::Config->{MAX_MLDISTWATCH_PROCESSES}) {
        $self->reap;
        sleep 0.1;
    }
}

sub reap ($self) {
    for my $pid (keys $self->{children}->%*) {
        next if waitpid($pid, WNOHANG) == 0;
        my $uriid = delete $self->{children}{$pid};
        $self->{log}->error("mldistwatch for '$uriid' ended with status $?") if $?;
    }
}

1;
