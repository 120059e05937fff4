# SPDX-License-Identifier: MIT
package PAUSE::Standin::Git;

# Keeps the history of the important index files: a commit for each change, in PAUSE-git.
use v5.36;

use File::Basename qw(basename);
use File::Copy qw(copy);
use PAUSE ();

sub commit ($log, @paths) {
    my $repository = "$PAUSE::Config->{PUB}/PAUSE-git";
    return unless @paths;
    return $log->error("'$repository' is no git repository") unless -d "$repository/.git";
    eval {
        remove_stale_lock($repository);
        git($repository, qw(reset --quiet --hard)) if has_commit($repository);
        for my $path (@paths) {
            my $name = basename($path);
            copy($path, "$repository/$name") or die "cannot copy '$path': $!\n";
            git($repository, 'add', '--', $name);
            git($repository, qw(commit --quiet -m), "New $name") if is_changed($repository);
        }
        1;
    } or $log->error("git: $@");
}

sub is_changed ($repository) { system('git', '-C', $repository, qw(diff --cached --quiet)) != 0 }

sub has_commit ($repository) {
    return system('git', '-C', $repository, qw(show-ref --quiet --verify refs/heads/master)) == 0;
}

# Only one indexer writes at a time, so an old lock is that of one that was killed.
sub remove_stale_lock ($repository) {
    my $lock = "$repository/.git/index.lock";
    my $made = (stat $lock)[9] // return;
    unlink $lock if time - $made > 600;
}

sub git ($repository, @arguments) {
    system('git', '-C', $repository, @arguments) == 0 or die "git $arguments[0] ended with status $?\n";
}

1;
