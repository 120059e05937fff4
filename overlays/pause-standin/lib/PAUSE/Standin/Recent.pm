# SPDX-License-Identifier: MIT
package PAUSE::Standin::Recent;

# The RECENT files of a tree: what changed in the last hour, day, week, ... in a file each, so that
# mirrors need not look through the tree. New entries come into the first file; aggregate() passes
# them on to the longer ones.
use v5.36;

use CPAN::Meta::YAML ();
use Fcntl qw(:flock);
use File::Path qw(remove_tree);
use PAUSE ();
use PAUSE::Standin::Files qw(slurp write_file);
use Time::HiRes ();

my %SECONDS = (
    '1h' => 3600, '6h' => 6 * 3600, '1d' => 86_400, '1W' => 7 * 86_400, '1M' => 30 * 86_400,
    '1Q' => 90 * 86_400, '1Y' => 365 * 86_400,
);
my %INTERVALS = (
    authors => [qw(1h 6h 1d 1W 1M 1Q 1Y Z)],
    modules => [qw(1h 1d 1W Z)],
);

sub of ($class, $tree) {
    return bless {
        dir => "$PAUSE::Config->{PUB}/$tree",
        intervals => $INTERVALS{$tree} // die "no RECENT files in '$tree'\n",
    }, $class;
}

sub announce ($self, $path, $type) {
    my $first = $self->{intervals}[0];
    my $new = { epoch => sprintf('%.5f', Time::HiRes::time()), path => $path, type => $type };
    $self->locked([$first], sub () {
        my @old = grep { $_->{path} ne $path } $self->entries($first);
        $self->store($first, $new, @old);
    });
    my $link = "$self->{dir}/RECENT.recent";
    symlink "RECENT-$first.yaml", $link unless -l $link;
}

# Every file takes in what the shorter one has; then the shorter one forgets what is too old for it.
sub aggregate ($self) {
    my @intervals = $self->{intervals}->@*;
    while (@intervals > 1) {
        my $from = shift @intervals;
        my $to = $intervals[0];
        $self->locked([$from, $to], sub () { $self->pass_on($from, $to) });
    }
}

sub pass_on ($self, $from, $to) {
    my @young = $self->entries($from);
    my @old = $self->entries($to);
    $self->store_changed($to, \@old, merge(\@young, \@old));
    $self->store_changed($from, \@young, recent($from, @young));
}

# The newest entry of each path, newest first.
sub merge ($young, $old) {
    my %newest;
    for my $entry (@$old, @$young) {
        my $known = $newest{ $entry->{path} };
        $newest{ $entry->{path} } = $entry if !$known || $entry->{epoch} >= $known->{epoch};
    }
    return sort { $b->{epoch} <=> $a->{epoch} || $a->{path} cmp $b->{path} } values %newest;
}

sub recent ($interval, @entries) {
    my $since = Time::HiRes::time() - $SECONDS{$interval};
    return grep { $_->{epoch} >= $since } @entries;
}

sub file ($self, $interval) { "$self->{dir}/RECENT-$interval.yaml" }

sub entries ($self, $interval) {
    my $file = $self->file($interval);
    return unless -s $file;
    my $content = CPAN::Meta::YAML->read_string(slurp($file)) or return;
    return ($content->[0]{recent} // [])->@*;
}

sub store_changed ($self, $interval, $before, @entries) {
    my $print = sub (@list) { join "\n", map { "$_->{epoch} $_->{path} $_->{type}" } @list };
    my $same = $print->(@$before) eq $print->(@entries);
    $self->store($interval, @entries) unless $same && -e $self->file($interval);
}

sub store ($self, $interval, @entries) {
    my %content = (meta => $self->meta($interval, @entries), recent => \@entries);
    write_file($self->file($interval), CPAN::Meta::YAML->new(\%content)->write_string);
}

sub meta ($self, $interval, @entries) {
    my @longer = grep { $_ ne $interval } $self->{intervals}->@*;
    return {
        aggregator => \@longer,
        comment => 'written by the stand-in of PAUSE',
        filenameroot => 'RECENT',
        interval => $interval,
        minmax => @entries ? { max => $entries[0]{epoch}, min => $entries[-1]{epoch} } : {},
        protocol => 1,
        serializer_suffix => '.yaml',
    };
}

# The lock of a file is a directory beside it that names its owner's process. Writers of a tree take
# turns, so a lock that is there already is that of a writer who was killed.
sub locked ($self, $intervals, $body) {
    open my $turn, '<', $self->{dir} or die "cannot open '$self->{dir}': $!\n";
    flock $turn, LOCK_EX or die "cannot lock '$self->{dir}': $!\n";
    unlink glob "$self->{dir}/.RECENT-*.new*";
    my @locks = map { $self->file($_) . '.lock' } @$intervals;
    for my $lock (@locks) {
        remove_tree($lock);
        mkdir $lock or die "cannot make '$lock': $!\n";
        write_file("$lock/process", "$$\n");
    }
    my $is_done = eval { $body->(); 1 };
    my $fault = $@;
    remove_tree(@locks);
    die $fault unless $is_done;
}

1;
