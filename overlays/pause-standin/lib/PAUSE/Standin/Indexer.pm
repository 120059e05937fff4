# SPDX-License-Identifier: MIT
package PAUSE::Standin::Indexer;

# Enters distributions into the tables: which packages they have, and who may release these.
use v5.36;

use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Find ();
use File::Temp ();
use PAUSE ();
use PAUSE::Standin::Checksums ();
use PAUSE::Standin::DB qw(mod_db);
use PAUSE::Standin::Dist ();
use PAUSE::Standin::Files qw(write_file);
use PAUSE::Standin::Mail qw(send_mail);
use version ();

sub new ($class, $log) {
    getpwnam 'unsafe' or die "user 'unsafe' is missing: nothing will be unpacked\n";
    return bless { log => $log }, $class;
}

sub index_picked ($self, @ids) {
    $self->index_dist(PAUSE::Standin::Dist->new($_)) for @ids;
}

# Everything that is new, and away with what is gone.
sub index_all ($self) {
    my @ids = all_files();
    my $least = $PAUSE::Config->{ML_MIN_FILES};
    die 'unusual small number of files: ', scalar @ids, ", at least $least are expected\n" if @ids < $least;
    my %known = map { @$_ } mod_db()->selectall_arrayref('SELECT dist, distmtime FROM distmtimes')->@*;
    for my $id (grep { PAUSE::Standin::Dist::is_archive($_) } @ids) {
        my $dist = PAUSE::Standin::Dist->new($id);
        next if ($known{$id} // -1) == ($dist->{mtime} // -1);
        eval { $self->index_dist($dist); 1 } or $self->{log}->error("'$id': $@");
    }
    $self->forget_missing(\@ids, keys %known);
}

sub all_files () {
    my $root = "$PAUSE::Config->{PUB}/authors/id";
    my @found;
    my $wanted = sub { push @found, substr $_, length("$root/") if -f && !-l };
    File::Find::find({ wanted => $wanted, no_chdir => 1 }, $root);
    return sort grep { !/CHECKSUMS[^\/]*\z|\/\./ } @found;
}

sub forget_missing ($self, $present, @known) {
    my %present = map { $_ => 1 } @$present;
    for my $id (grep { !$present{$_} } @known) {
        mod_db()->do("DELETE FROM $_ WHERE dist = ?", undef, $id) for qw(distmtimes packages);
        $self->{log}->say("forgot '$id'");
    }
}

sub index_dist ($self, $dist) {
    defined $dist->{mtime} or die "file '$dist->{path}' is missing\n";
    $self->index_archive($dist) if PAUSE::Standin::Dist::is_archive($dist->{id});
    PAUSE::Standin::Checksums::update(dirname($dist->{path}), $self->{log});
    $self->{log}->say("indexed '$dist->{id}'");
}

# One at a time. The mark of a start that finds no end keeps a file from being tried again for ever.
sub index_archive ($self, $dist) {
    my $turn = take_turn();
    $self->mark_start($dist);
    if ($dist->{is_developer_release}) {
        $self->{log}->say("'$dist->{id}' is a developer release");
    } else {
        my @report = $self->index_content($dist);
        $self->mark_end($dist);
        $self->report($dist, @report);
    }
}

sub take_turn () {
    my $path = "$PAUSE::Config->{PID_DIR}/mldistwatch.turn";
    open my $turn, '>>', $path or die "cannot open '$path': $!\n";
    flock $turn, LOCK_EX or die "cannot lock '$path': $!\n";
    return $turn;
}

sub mark_start ($self, $dist) {
    mod_db()->do(
        'REPLACE INTO distmtimes (dist, distmtime, distmdatetime, indexing_at, indexed_at)'
            . ' VALUES (?, ?, FROM_UNIXTIME(?), NOW(), NULL)',
        undef, $dist->{id}, $dist->{mtime}, $dist->{mtime});
}

sub mark_end ($self, $dist) {
    mod_db()->do('UPDATE distmtimes SET indexed_at = NOW() WHERE dist = ?', undef, $dist->{id});
    mod_db()->do(q{UPDATE users SET ustatus = 'active' WHERE userid = ? AND ustatus = 'unused'},
        undef, $dist->{user});
}

sub index_content ($self, $dist) {
    my $work = File::Temp->newdir('mldistwatch_work_XXXXXXXX', TMPDIR => 1);
    $dist->unpack_in("$work");
    my %companions = $dist->companions;
    for my $suffix (sort keys %companions) {
        my $path = $dist->companion_path($suffix);
        write_file($path, $companions{$suffix});
        PAUSE::newfile_hook($path);
    }
    return map { $self->index_package($dist, $_) } $dist->packages;
}

# Says in a line what became of a package.
sub index_package ($self, $dist, $found) {
    my $name = $found->{package};
    my $version = defined $found->{version} ? "$found->{version}" : 'undef';
    return "$name: not yours, not indexed" unless $self->may_release($dist->{user}, $name);
    my $old = mod_db()->selectrow_hashref('SELECT * FROM packages WHERE package = ?', undef, $name);
    return "$name $version: an older version than $old->{version}, not indexed"
        if $old && $old->{dist} ne $dist->{id} && is_older($version, $old->{version});
    mod_db()->do(
        'REPLACE INTO packages (package, lc_package, version, dist, distname, file, filemtime, status)'
            . ' VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        undef, $name, lc $name, $version, $dist->{id}, $dist->{name}, $found->{file} // '',
        $dist->{mtime}, 'index');
    return "$name $version: indexed";
}

sub is_older ($new, $old) {
    my $less = eval { version->parse($new) < version->parse($old) };
    return $less // 0;
}

# Who comes first owns the package; the owner may have let others in.
sub may_release ($self, $user, $package) {
    my @who = mod_db()->selectcol_arrayref(
        'SELECT userid FROM primeur WHERE lc_package = ? UNION SELECT userid FROM perms WHERE lc_package = ?',
        undef, (lc $package) x 2)->@*;
    return 1 if grep { $_ eq $user } @who;
    return 0 if @who;
    for my $table (qw(primeur perms)) {
        mod_db()->do("INSERT INTO $table (package, lc_package, userid) VALUES (?, ?, ?)",
            undef, $package, lc $package, $user);
    }
    return 1;
}

sub report ($self, $dist, @lines) {
    my ($address) =
        mod_db()->selectrow_array('SELECT email FROM users WHERE userid = ?', undef, $dist->{user});
    my $text = join "\n", "What the index takes from $dist->{id}:", '', @lines ? @lines : 'nothing', '';
    my %mail = (to => $address // $PAUSE::Config->{ADMIN}, text => $text);
    eval { send_mail(%mail, subject => "PAUSE indexer report $dist->{id}"); 1 }
        or $self->{log}->error("cannot send the report about '$dist->{id}': $@");
}

1;
