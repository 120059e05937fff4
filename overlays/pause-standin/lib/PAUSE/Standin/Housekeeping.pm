# SPDX-License-Identifier: MIT
package PAUSE::Standin::Housekeeping;

# What is due for removal. Each function returns what it did, a line each.
use v5.36;

use File::Copy qw(move);
use PAUSE ();
use PAUSE::Standin::Cron qw(older_than);
use PAUSE::Standin::DB qw(mod_db);
use PAUSE::Standin::Files qw(make_dir);

my $DAY = 86_400;

# Authors ask for a deletion; it happens when they had time to think better of it.
sub delete_files () {
    my $due = mod_db()->selectcol_arrayref(
        'SELECT deleteid FROM deletes WHERE changed < ?', undef, time - $PAUSE::Config->{DELETES_EXPIRE});
    return map { delete_file($_) } @$due;
}

sub delete_file ($id) {
    my $path = "$PAUSE::Config->{PUB}/authors/id/$id";
    if (-e $path && $id !~ m{\.\.}) {
        unlink $path or return "cannot delete '$id': $!";
        PAUSE::delfile_hook($path);
    }
    mod_db()->do('DELETE FROM deletes WHERE deleteid = ?', undef, $id);
    mod_db()->do('DELETE FROM uris WHERE uriid = ?', undef, $id);
    return "deleted '$id'";
}

# Files move to old after a day and go after three.
sub tidy_incoming () {
    my $dir = $PAUSE::Config->{INCOMING_LOC};
    make_dir("$dir/old");
    my @moved = grep { -f && older_than($_, $DAY) } glob "$dir/*";
    for my $path (@moved) {
        move($path, "$dir/old/") or die "cannot move '$path': $!\n";
    }
    my @gone = grep { -f && older_than($_, 3 * $DAY) && unlink } glob "$dir/old/*";
    return ((map { "moved '$_' away" } @moved), map { "removed '$_'" } @gone);
}

sub prune_dumps () {
    my @dumps = glob "$PAUSE::Config->{PUB}/PAUSE-data/moddump.*GMT.bz2";
    return map { "removed '$_'" } grep { older_than($_, 35 * $DAY) && unlink } @dumps;
}

1;
