# SPDX-License-Identifier: MIT
package PAUSE::Standin::Files;

# Whole files: read, written under another name and renamed, compared, compressed.
use v5.36;

use Exporter qw(import);
use File::Basename qw(dirname basename);
use IO::Compress::Gzip qw(gzip $GzipError);

our @EXPORT_OK = qw(slurp write_file write_changed write_with_gzip gzip_of make_dir);

sub slurp ($path) {
    open my $in, '<:raw', $path or die "cannot read '$path': $!\n";
    local $/ = undef;
    return scalar <$in> // '';
}

# Readers see the old content or the new one.
sub write_file ($path, $content, $mode = 0664) {
    my $new = dirname($path) . '/.' . basename($path) . ".new$$";
    open my $out, '>:raw', $new or die "cannot write '$new': $!\n";
    my $done = print {$out} $content;
    close $out and $done or die "cannot write '$new': $!\n";
    chmod $mode, $new or die "cannot change the mode of '$new': $!\n";
    rename $new, $path or die "cannot rename '$new': $!\n";
}

# Whether the file was written, which it is when its content differs. What `ignore` matches (a date)
# makes no difference.
sub write_changed ($path, $content, $ignore = undef) {
    my ($old, $new) = (-e $path ? slurp($path) : undef, $content);
    if (defined $old) {
        defined $ignore and s/$ignore//g for $old, $new;
        return 0 if $old eq $new;
    }
    write_file($path, $content);
    return 1;
}

sub gzip_of ($content) {
    gzip(\$content, \my $zipped, -Minimal => 1) or die "cannot compress: $GzipError\n";
    return $zipped;
}

# A file and its compressed sister; returns the paths that changed.
sub write_with_gzip ($path, $content, $ignore = undef) {
    my $changed = write_changed($path, $content, $ignore);
    return if !$changed && -e "$path.gz";
    write_file("$path.gz", gzip_of($changed ? $content : slurp($path)));
    return ($path, "$path.gz");
}

sub make_dir ($path) {
    return if -d $path;
    make_dir(dirname($path));
    mkdir $path or $!{EEXIST} or die "cannot make directory '$path': $!\n";
}

1;
