# SPDX-License-Identifier: MIT
package PAUSE::Standin::Checksums;

# Writes the CHECKSUMS file of an author's directory, signed if a key is configured and gpg plays
# along. Writers of one directory take turns.
use v5.36;

use CPAN::Checksums ();
use Fcntl qw(:flock);
use PAUSE ();

sub update ($dir, $log) {
    my $config = $PAUSE::Config;
    open my $turn, '<', $dir or die "cannot open '$dir': $!\n";
    flock $turn, LOCK_EX or die "cannot lock '$dir': $!\n";
    # What a writer left that was killed.
    unlink glob "$dir/CHECKSUMS.????";
    local $CPAN::Checksums::SIGNING_KEY = $config->{CHECKSUMS_SIGNING_KEY};
    local $CPAN::Checksums::SIGNING_PROGRAM =
        "$config->{CHECKSUMS_SIGNING_PROGRAM} $config->{CHECKSUMS_SIGNING_ARGS}";
    local $SIG{__WARN__} = sub ($text) { $log->error($text) };
    my $changed = CPAN::Checksums::updatedir($dir, "$config->{PUB}/authors/id") > 1;
    PAUSE::newfile_hook("$dir/CHECKSUMS") if $changed;
    return $changed;
}

1;
