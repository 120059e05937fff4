# SPDX-License-Identifier: MIT
package PAUSE::Standin::Uploads;

# Takes files and addresses from authors: a file in incoming, and a row of uris for the daemon.
use v5.36;

use File::Copy qw(copy);
use PAUSE ();
use PAUSE::Standin::DB qw(mod_db);

my $REPLACEABLE = qr/(?:readme|\.(?:html?|txt|md|markdown|xml|ya?ml|json|pdf|pod|readme))\z/i;
my $MAX_LENGTH = 255;

# What is left of a file name.
sub clean_name ($name) {
    my $clean = $name =~ s{.*[/\\]}{}r =~ tr{a-zA-Z0-9_.@+-}{}cdr;
    return $clean =~ /^\./ ? '' : $clean;
}

sub clean_subdir ($text) {
    return join '/', grep { length } map { clean_name($_) } split m{/}, $text;
}

# Why a name is refused, or nothing.
sub name_fault ($name) {
    return 'The file has no name.' if $name eq '';
    return 'The name CHECKSUMS is taken.' if $name eq 'CHECKSUMS';
    return;
}

# `from` is a path here, or undef with the address of a file elsewhere. Returns the uriid; dies with
# DBI's errors.
sub add (%upload) {
    my $id = join '/', PAUSE::user_dir($upload{user}), grep { length } @upload{qw(subdir name)};
    die "the path '$id' is too long\n" if length $id > $MAX_LENGTH;
    my $new = "$PAUSE::Config->{INCOMING_LOC}/.$upload{name}.$$";
    my $db = mod_db();
    $db->begin_work;
    eval {
        insert_row($db, $id, %upload);
        put($upload{from}, $new) if defined $upload{from};
        $db->commit;
        1;
    } or do {
        my ($why, $code) = ($@, $db->err);
        eval { $db->rollback };
        unlink $new;
        die { code => $code, text => $why };
    };
    return $id;
}

sub put ($from, $new) {
    copy($from, $new) or die "cannot write '$new': $!\n";
    my $to = $new =~ s{/\.([^/]+)\.\d+\z}{/$1}r;
    rename $new, $to or die "cannot rename '$new': $!\n";
}

sub insert_row ($db, $id, %upload) {
    $db->do('DELETE FROM uris WHERE uriid = ?', undef, $id) if $upload{name} =~ $REPLACEABLE;
    $db->do(
        'INSERT INTO uris (uriid, userid, basename, uri, changed, changedby) VALUES (?, ?, ?, ?, ?, ?)',
        undef, $id, $upload{user}, $upload{name}, $upload{uri} // $upload{name}, time, $upload{by});
}

# The status of an answer to what add() died with.
sub status_of ($fault) {
    return 500 unless ref $fault && $fault->{code};
    return PAUSE::Standin::DB::is_duplicate($fault->{code}) ? 409 : 406;
}

sub text_of ($fault) { ref $fault ? $fault->{text} : $fault }

1;
