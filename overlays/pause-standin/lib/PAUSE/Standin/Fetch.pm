# SPDX-License-Identifier: MIT
package PAUSE::Standin::Fetch;

# Brings the file of a row of uris to its place among the author's files: fetched below TMP, tried,
# renamed. TMP and authors are on one file system, so that nobody sees half a file.
use v5.36;

use File::Basename qw(dirname);
use File::Copy qw(copy);
use PAUSE ();
use PAUSE::Standin::Files qw(make_dir);

sub destination ($row) { "$PAUSE::Config->{PUB}/authors/id/$row->{uriid}" }

# Dies when there is no such file, or a broken one.
sub fetch ($row) {
    my $to = destination($row);
    my $new = "$PAUSE::Config->{TMP}/" . ($row->{uriid} =~ tr{/}{_}r);
    unlink $new;
    eval {
        $row->{uri} =~ m{^[a-z]+://} ? download($row->{uri}, $new) : take($row->{uri}, $new);
        try_archive($new);
        chmod 0664, $new or die "cannot change the mode of '$new': $!\n";
        make_dir(dirname($to));
        rename $new, $to or die "cannot rename '$new': $!\n";
        1;
    } or do {
        my $why = $@;
        unlink $new;
        die $why;
    };
    return $to;
}

sub take ($name, $to) {
    my $from = "$PAUSE::Config->{INCOMING_LOC}/$name";
    copy($from, $to) or die "cannot copy '$from': $!\n";
}

sub download ($uri, $to) {
    $uri =~ m{^(?:https?|ftp)://} or die "cannot fetch '$uri': unknown scheme\n";
    require LWP::UserAgent;
    my $agent = LWP::UserAgent->new(timeout => $PAUSE::Config->{TIMEOUT}, agent => 'pause-standin');
    my $answer = $agent->get($uri, ':content_file' => $to);
    my $fault = $answer->is_success ? $answer->header('X-Died') : $answer->status_line;
    die "cannot fetch '$uri': $fault\n" if $fault;
}

sub try_archive ($path) {
    -s $path or die "the file is empty\n";
    return unless $path =~ /(?:\.gz|\.tgz)\z/;
    system('gzip', '--quiet', '--test', $path) == 0 or die "the archive is broken\n";
}

1;
